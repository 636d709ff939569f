//! One client that writes or takes messages.
//!
//! Owns what is known of it. Must not know sockets, or how it is driven.

use std::collections::VecDeque;
use std::time::Instant;

use crate::ledger::MessageNumber;
use crate::session::Seat;

/// To whom a client writes.
#[derive(Debug, Clone, Copy)]
pub enum Route {
    /// To nobody.
    Nobody,
    /// To one other client.
    Peer(usize),
    /// To those who are away, one after the other.
    Away,
}

/// Where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Not connected, and not about to be.
    Away,
    /// Its log-in is not answered.
    Entering,
    /// Logged in.
    There,
    /// Has said that it leaves.
    Leaving,
    /// Lost; comes back at this time.
    Lost(Instant),
}

/// One client.
pub struct Correspondent {
    /// Who logs in, and where.
    pub seat: Seat,
    /// To whom it writes.
    pub route: Route,
    /// Where it is.
    pub place: Place,
    /// Its messages without an answer, in the order first written.
    pub unanswered: VecDeque<MessageNumber>,
    /// Those answered `Unknown`: to be written again at this time.
    pub unknown: VecDeque<(Instant, MessageNumber)>,
    /// The last delivery taken on this connection.
    pub taken: u64,
    /// The last delivery acknowledged.
    pub acknowledged: u64,
}

impl Correspondent {
    /// Not connected yet.
    pub fn new((seat, route): (Seat, Route)) -> Self {
        Self {
            seat,
            route,
            place: Place::Away,
            unanswered: VecDeque::new(),
            unknown: VecDeque::new(),
            taken: 0,
            acknowledged: 0,
        }
    }
}
