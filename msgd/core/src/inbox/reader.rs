//! One session's place in its user's log, and its window.
//!
//! Owns what a session was given and has not acknowledged. Must not know what
//! lies in the log.

use std::collections::VecDeque;
use std::ops::Range;

use proto::ids::{Identity, SessionRef};
use proto::link::Message;

use super::Ordinal;
use crate::store::Position;

/// What a session is given next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// From the mailbox.
    Mailbox(Position),
    /// From memory.
    Memory(Ordinal),
}

#[derive(Debug)]
struct Given {
    identity: Identity,
    bytes: usize,
    place: Next,
}

/// A session that reads its user's log.
#[derive(Debug)]
pub struct Reader {
    /// Whose it is.
    pub session: SessionRef,
    /// Names this reader to the store: places change, this does not.
    pub number: u64,
    /// What comes next.
    pub next: Next,
    /// Letters behind its place that nobody knew of: it is given them before
    /// it goes on.
    pub detour: Option<Range<Position>>,
    /// A read of the mailbox is under way.
    pub reading: bool,
    given: VecDeque<Given>,
    given_bytes: usize,
    count_max: usize,
    bytes_max: usize,
}

impl Reader {
    /// A reader that was given nothing.
    pub fn new(
        session: SessionRef,
        number: u64,
        next: Next,
        count_max: usize,
        bytes_max: usize,
    ) -> Self {
        Self {
            session,
            number,
            next,
            detour: None,
            reading: false,
            given: VecDeque::new(),
            given_bytes: 0,
            count_max,
            bytes_max,
        }
    }

    /// How many more it may be given; one of any size fits an empty window.
    pub fn room(&self) -> (usize, usize) {
        let bytes = self.bytes_max.saturating_sub(self.given_bytes);
        let count = self.count_max.saturating_sub(self.given.len());
        if bytes == 0 { (0, 0) } else { (count, bytes) }
    }

    /// Whether it has taken at least half of its window.
    pub fn wants_more(&self) -> bool {
        2 * self.given.len() <= self.count_max && 2 * self.given_bytes <= self.bytes_max
    }

    /// Notes what it is given.
    pub fn give(&mut self, message: &Message, place: Next) {
        let bytes = message.body.len();
        self.given_bytes += bytes;
        self.given.push_back(Given {
            identity: message.identity(),
            bytes,
            place,
        });
    }

    /// Takes out what the client took; `None` if it was not given to it.
    pub fn take(&mut self, identity: &Identity) -> Option<Next> {
        let same = |given: &Given| given.identity.id == identity.id && given.identity == *identity;
        let at = self.given.iter().position(same)?;
        let given = self.given.remove(at)?;
        self.given_bytes -= given.bytes;
        Some(given.place)
    }

    /// Whether it was given this and has not acknowledged it.
    pub fn holds(&self, place: Next) -> bool {
        self.given.iter().any(|given| given.place == place)
    }

    /// Whether it was given anything from memory and has not acknowledged it.
    pub fn holds_some_of_memory(&self) -> bool {
        let mut given = self.given.iter();
        given.any(|given| matches!(given.place, Next::Memory(_)))
    }

    /// What was in memory lies in the mailbox now.
    pub fn stored(&mut self, ordinal: Ordinal, position: Position) {
        for given in &mut self.given {
            if given.place == Next::Memory(ordinal) {
                given.place = Next::Mailbox(position);
            }
        }
    }

    /// What must hold between two events.
    pub fn check_invariants(&self) {
        let bytes: usize = self.given.iter().map(|given| given.bytes).sum();
        assert_eq!(bytes, self.given_bytes);
        assert!(self.given.len() <= self.count_max);
    }
}
