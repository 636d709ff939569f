//! A connection becomes a session: offered, checked, announced, accepted.

use std::net::IpAddr;
use std::time::Duration;

use proto::client::Login;
use proto::clock::{Moment, Now};
use proto::codes::Code;
use proto::group::UserGroup;
use proto::ids::{LoginOrder, SessionId, Stamp, Token};
use proto::limits::VERSION;
use proto::link::{Announce, Up};
use proto::rate::Usage;
use proto::server::{Closing, LoginOk, ServerPacket};
use proto::slot::Slot;
use proto::status::Status;
use smol_str::SmolStr;

use super::{Gateway, write};
use crate::deliveries::Deliveries;
use crate::effect::Effect;
use crate::event::Claims;
use crate::excess::Excess;
use crate::sends::SendWindow;
use crate::session::{Live, Session, State};
use crate::timers::Timer;

impl Gateway {
    pub(super) fn opened(
        &mut self,
        now: Now,
        session: SessionId,
        address: IpAddr,
        out: &mut Vec<Effect>,
    ) {
        self.counters.opened += 1;
        if let Err(code) = self.admission.enter(address) {
            self.counters.refused += 1;
            write(session, ServerPacket::Closing(Closing::of(code)), out);
            out.push(Effect::Close { session });
            return;
        }
        let state = State::Offered;
        self.sessions.insert(session, Session { address, state });
        let until = now.moment + self.settings.login_patience;
        self.timers.arm(until, session, Timer::Login);
    }

    /// The first packet of a connection.
    pub(super) fn login(
        &mut self,
        now: Now,
        session: SessionId,
        login: Box<Login>,
        out: &mut Vec<Effect>,
    ) {
        if login.version_min > VERSION || login.version_max < VERSION {
            return self.close(session, Code::VersionUnsupported, out);
        }
        if let Err(wait) = self.admission.login(now.moment) {
            return self.close_with(session, overloaded(wait), out);
        }
        out.push(Effect::Authenticate {
            session,
            token: login.token.clone(),
            user: login.user.clone(),
        });
        if let Some(entry) = self.sessions.get_mut(&session) {
            entry.state = State::Checking(login);
        }
    }

    pub(super) fn authenticated(
        &mut self,
        now: Now,
        session: SessionId,
        claims: Result<Claims, Code>,
        out: &mut Vec<Effect>,
    ) {
        let claims = match claims {
            Ok(claims) => claims,
            Err(code) => return self.close(session, code, out),
        };
        let Some(entry) = self.sessions.get_mut(&session) else {
            return;
        };
        match &mut entry.state {
            State::Offered => debug_assert!(false, "no token was given to check"),
            State::Live(live) if live.user == claims.user => {
                live.expires = expiry(now, claims.expires);
            }
            State::Live(_) => self.close(session, Code::TokenInvalid, out),
            State::Checking(login) => {
                // The token's device counts before the client's word.
                let Some(device) = claims.device.clone().or(login.device.clone()) else {
                    return self.close(session, Code::Malformed, out);
                };
                let heartbeat = self.settings.heartbeat(login.heartbeat_ms);
                // What was never set is older than whatever another device set.
                let (status, status_since) = match &login.status {
                    Some(status) => (status.clone(), now.wall),
                    None => (Status::online(), Stamp::default()),
                };
                let live = Live {
                    slot: Slot::of(&claims.user),
                    user: claims.user,
                    device,
                    since: now.wall,
                    status,
                    status_since,
                    order: None,
                    friends_hash: login.friends_hash,
                    token: None,
                    refused: false,
                    greeted: false,
                    announced: false,
                    announced_again: false,
                    heartbeat,
                    heard: now.moment,
                    expires: expiry(now, claims.expires),
                    requests: Usage::default(),
                    sends: SendWindow::default(),
                    stalled: false,
                    stall_armed: false,
                    resend_armed: false,
                    returned: 0,
                    exceeded: 0,
                    excess: Excess::default(),
                    carbons_wanted: false,
                    deliveries: Deliveries::default(),
                    groups: Vec::new(),
                };
                entry.state = State::Live(Box::new(live));
                self.announce(session, out);
            }
        }
    }

    /// Tells the user's shard of a session, for the first time or again.
    pub(super) fn announce(&mut self, session: SessionId, out: &mut Vec<Effect>) {
        let settings = &self.settings;
        let (window_messages, window_bytes) = (settings.window_messages, settings.window_bytes);
        let Some(live) = self.live(session) else {
            return;
        };
        live.token = None;
        live.refused = false;
        live.carbons_wanted = false;
        live.announced_again |= live.announced;
        live.announced = true;
        let slot = live.slot;
        let announce = Announce {
            session,
            user: live.user.clone(),
            device: live.device.clone(),
            window_messages,
            window_bytes,
            friends_hash: live.friends_hash,
            status: live.status.clone(),
            status_since: live.status_since,
            order: live.order,
            since: live.since,
            again: live.greeted,
        };
        self.to_shard(slot, Up::Announce(Box::new(announce)), out);
    }

    /// The user's shard knows the session; rule 6: it is bound to this token.
    pub(super) fn accepted(
        &mut self,
        now: Now,
        session: SessionId,
        token: Token,
        order: LoginOrder,
        groups: Vec<UserGroup>,
        out: &mut Vec<Effect>,
    ) {
        let (window_messages, window_bytes, body_bytes_max) = (
            self.settings.window_messages,
            self.settings.window_bytes,
            self.settings.body_bytes_max,
        );
        let Some(live) = self.live(session) else {
            return;
        };
        live.token = Some(token);
        live.order = Some(order);
        if live.greeted {
            return self.groups_named(session, &groups, out);
        }
        live.greeted = true;
        let until = live.next_look(now.moment);
        let packet = ServerPacket::LoginOk(Box::new(LoginOk {
            version: VERSION,
            features: 0,
            user: live.user.clone(),
            device: live.device.clone(),
            session,
            window_messages,
            window_bytes,
            // A heartbeat is at most `heartbeat_max`, a few minutes.
            heartbeat_ms: live.heartbeat.as_millis() as u32,
            body_bytes_max,
            server_time: now.wall,
            groups: groups.clone(),
        }));
        write(session, packet, out);
        self.timers.arm(until, session, Timer::Alive);
        self.counters.logins += 1;
        self.groups_named(session, &groups, out);
        self.tell_to_go(session, out);
    }

    /// The user's shard does not take the session, now or at all.
    pub(super) fn refused(
        &mut self,
        now: Now,
        session: SessionId,
        code: Code,
        out: &mut Vec<Effect>,
    ) {
        match code {
            Code::Busy | Code::ShardUnavailable => {
                if let Some(live) = self.live(session) {
                    live.refused = true;
                }
                self.stall(now, session);
            }
            _ => self.close(session, code, out),
        }
    }
}

fn overloaded(wait: Duration) -> Closing {
    let wait_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX);
    Closing {
        code: Code::Overloaded,
        text: SmolStr::new_static(Code::Overloaded.text()),
        come_back_after_ms: wait_ms.max(1_000),
    }
}

fn expiry(now: Now, expires: Option<Stamp>) -> Option<Moment> {
    let left = expires?.0.saturating_sub(now.wall.0);
    Some(now.moment + Duration::from_micros(left))
}
