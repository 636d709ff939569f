//! The deadlines of all sessions of a gateway in one table.
//!
//! A session has at most one entry of each kind, so the table is bounded by
//! the sessions. An entry may fire early for what it guards: who handles it
//! looks, and arms it again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proto::clock::Moment;
use proto::ids::SessionId;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// No log-in answer so far: the connection is closed.
    Login,
    /// Nothing heard for two heartbeats, or the token expired: it is closed.
    Alive,
    /// A message of the window may be without an answer for too long.
    Resend,
    /// A stalled session's pause is over: it is announced and its window sent
    /// again.
    Stalled,
}

/// Deadlines by time.
#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Moment, SessionId, Timer)>>,
}

impl Timers {
    /// Adds an entry. The caller knows that the session has none of this kind.
    pub fn arm(&mut self, at: Moment, session: SessionId, timer: Timer) {
        self.heap.push(Reverse((at, session, timer)));
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse((at, ..))| *at)
    }

    /// Takes an entry that is due.
    pub fn due(&mut self, now: Moment) -> Option<(SessionId, Timer)> {
        if self.next()? > now {
            return None;
        }
        self.heap
            .pop()
            .map(|Reverse((_, session, timer))| (session, timer))
    }
}
