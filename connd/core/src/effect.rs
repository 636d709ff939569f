//! What a gateway wants done.

use std::sync::Arc;

use proto::ids::{Epoch, SessionId, UserId};
use proto::link::Up;
use proto::server::ServerPacket;

use crate::router::LinkId;

/// Something to do. Effects are carried out in their order.
#[derive(Debug)]
pub enum Effect {
    /// Write a packet to a client.
    Write {
        /// To which.
        session: SessionId,
        /// What.
        packet: ServerPacket,
    },
    /// Write a packet to a client that keeps up; for one that lags it is shed.
    Offer {
        /// To which.
        session: SessionId,
        /// What.
        packet: ServerPacket,
    },
    /// Write a packet to a client within a few dozen milliseconds, together with
    /// others like it: what comes from many at once would be a write each.
    Gather {
        /// To which.
        session: SessionId,
        /// What; the order of a session's packets stays.
        packet: ServerPacket,
    },
    /// Write the same packet to many clients. It is left out for one that lags,
    /// and [`crate::Event::Drained`] says when that one reads again.
    Spread {
        /// To which, ascending.
        sessions: Arc<Vec<SessionId>>,
        /// What.
        packet: ServerPacket,
    },
    /// The same, within a few dozen milliseconds, together with others like it;
    /// the order of a session's packets stays.
    SpreadLater {
        /// To which, ascending.
        sessions: Arc<Vec<SessionId>>,
        /// What.
        packet: ServerPacket,
    },
    /// Close a connection once what was written has left. No
    /// [`crate::Event::Closed`] follows.
    Close {
        /// Which.
        session: SessionId,
    },
    /// Read nothing from a client for a while: it writes far beyond its rate, and
    /// what it writes meanwhile waits at its side.
    Hold {
        /// Which.
        session: SessionId,
    },
    /// Check a token; [`crate::Event::Authenticated`] brings the outcome.
    Authenticate {
        /// Whose.
        session: SessionId,
        /// The token; empty in open mode.
        token: String,
        /// Who the client says it is.
        user: Option<UserId>,
    },
    /// Put an envelope on a link.
    Forward {
        /// Which.
        link: LinkId,
        /// By which ring it was routed: batches do not mix epochs.
        epoch: Epoch,
        /// What.
        envelope: Up,
    },
}

/// What a gateway counted since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections accepted.
    pub opened: u64,
    /// Log-ins answered with a session.
    pub logins: u64,
    /// Connections closed with a code.
    pub refused: u64,
    /// Messages taken from clients into a window.
    pub submitted: u64,
    /// Messages that exceeded a window.
    pub window_exceeded: u64,
    /// Clients that were not read from for a while.
    pub held: u64,
    /// Windows sent again.
    pub resent: u64,
    /// Messages answered with an unknown fate after `send.patience`.
    pub fate_unknown: u64,
    /// Deliveries written to clients.
    pub delivered: u64,
    /// Entries of groups for clients.
    pub group_deliveries: u64,
    /// Deliveries dropped: an old token or a dead session.
    pub deliveries_dropped: u64,
    /// Envelopes passed from shard to shard.
    pub relayed: u64,
    /// Envelopes for another shard dropped: an old generation or no link.
    pub relays_dropped: u64,
    /// Clients that were asked to move to another gateway.
    pub asked_to_move: u64,
    /// Connections closed because they read too slowly.
    pub slow_readers: u64,
}
