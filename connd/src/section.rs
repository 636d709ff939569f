//! The sections `gateway` and `leaving` of a settings file: bounds and times of
//! each gateway, and how clients leave it before a stop.
//!
//! Owns what is allowed of each and across them, and what memory they allow.
//! Must not know the rest of the file.

use node::memory::Memory;
use node::settings::sheet::Sheet;
use node::settings::value::Bytes;
use proto::limits::{BODY_BYTES_MAX, CLIENT_FRAME_BYTES_MAX};
use service::queue::QUEUE_MAX;

use crate::socket::rest_max;
use crate::turn::GATHER_BYTES_MAX;

node::section! {
    /// Bounds and times of each gateway. What the log-in grants a client
    /// (window, body) is fixed while the gateway runs.
    pub GatewaySection "gateway" of connd_core::Settings {
        window_messages: Count [Count::of(1), Count::of(4_096)] No;
        window_bytes: Bytes [Bytes::kib(1), Bytes::mib(16)] No;
        body_bytes_max: Bytes [Bytes::b(1), Bytes::b(BODY_BYTES_MAX as u64)] No;
        login_patience: Span [Span::ms(100), Span::s(300)] Yes;
        send_patience: Span [Span::ms(100), Span::s(3_600)] Yes;
        resend_after: Span [Span::ms(100), Span::s(3_600)] Yes;
        heartbeat_default: Span [Span::ms(100), Span::s(3_600)] Yes;
        heartbeat_min: Span [Span::ms(100), Span::s(3_600)] Yes;
        heartbeat_max: Span [Span::ms(100), Span::s(3_600)] Yes;
        sessions_max: Count [Count::of(1), Count::of(10_000_000)] Yes;
        sessions_per_address_max: Count [Count::of(1), Count::of(10_000_000)] Yes;
        logins_per_second: Count [Count::of(1), Count::of(1_000_000)] Yes;
        requests_per_second: Count [Count::of(1), Count::of(1_000_000)] Yes;
    }
}

node::section! {
    /// When clients are to move to another connd, before this one stops.
    pub LeavingSection "leaving" of connd_core::Leaving {
        after: Span [Span::ms(0), Span::s(60)] Yes;
        spread: Span [Span::ms(0), Span::s(600)] Yes;
    }
}

/// What an unanswered message takes beside its body: ids, hash, times.
const SEND_BYTES: u64 = 256;

/// What an unacknowledged delivery takes: id, shard, number.
const DELIVERY_BYTES: u64 = 64;

/// What a session takes that does nothing: its state, task, socket, timers.
const SESSION_BYTES: u64 = 4 * 1024;

/// What TLS takes of a session: its state, and a record in pieces.
const TLS_BYTES: u64 = 32 * 1024;

/// What an envelope takes beside its body: ids, codes, numbers.
const ENVELOPE_BYTES: u64 = 512;

impl GatewaySection {
    /// What is not allowed across keys.
    pub fn describe_across(&self, sheet: &mut Sheet) {
        let low = ("heartbeat_min", self.heartbeat_min);
        let middle = ("heartbeat_default", self.heartbeat_default);
        sheet.at_most(low, middle);
        sheet.at_most(middle, ("heartbeat_max", self.heartbeat_max));
        // A window takes one body at least.
        let body = ("body_bytes_max", self.body_bytes_max);
        sheet.at_most(body, ("window_bytes", self.window_bytes));
        let send = ("send_patience", self.send_patience);
        sheet.at_most(("resend_after", self.resend_after), send);
        let one = ("sessions_per_address_max", self.sessions_per_address_max);
        sheet.at_most(one, ("sessions_max", self.sessions_max));
    }

    /// What gateways take at most, each with a link to each shard.
    pub fn memory(&self, gateways: u64, shards: u64, tls: bool, memory: &mut Memory) {
        let core = self.core();
        let window = u64::from(core.window_messages);
        let bodies = self.window_bytes.get();
        let unanswered = bodies + window * SEND_BYTES;
        let delivered = 2 * window * DELIVERY_BYTES;
        let rest = rest_max(&core) as u64;
        let frame = CLIENT_FRAME_BYTES_MAX as u64;
        let own = SESSION_BYTES + if tls { TLS_BYTES } else { 0 };
        let rest = rest + GATHER_BYTES_MAX as u64;
        let session = own + unanswered + delivered + rest + frame;
        let made_of = format!(
            "window {} and {window} entries, {} deliveries, {} unread by a slow client, a frame of {}",
            Bytes::from(bodies),
            2 * window,
            Bytes::from(rest),
            Bytes::from(frame),
        );
        memory.each("a session", session, made_of);
        let sessions = (core.sessions_max as u64).saturating_mul(gateways);
        memory.all(
            "all sessions",
            sessions.saturating_mul(session),
            format!("{gateways} gateway(s) of {} sessions", core.sessions_max),
        );
        let link = QUEUE_MAX as u64 * (self.body_bytes_max.get() + ENVELOPE_BYTES);
        memory.each(
            "a link to a shard",
            link,
            format!("{QUEUE_MAX} envelopes of {} and ids", self.body_bytes_max),
        );
        memory.all(
            "all links to shards",
            link.saturating_mul(gateways.saturating_mul(shards)),
            format!("{gateways} gateway(s) with {shards} shard(s)"),
        );
    }

    /// How long a message may be without an answer before its fate is unknown.
    pub fn send_patience(&self) -> node::settings::value::Span {
        self.send_patience
    }
}
