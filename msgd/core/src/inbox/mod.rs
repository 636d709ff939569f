//! One user's messages on their way: in memory, to sessions, into the mailbox.
//!
//! Owns the order of delivery. A user has one log: the mailbox from its cursor
//! to its end, then what is pending in memory. Each session reads along that
//! log, within its window, at its own place. Must not know who may write to
//! whom, or what a store or link is.
//!
//! A pending message leaves memory when a device took it or when its append
//! is durable. Spilling keeps order (rule 10): what is stored is always the
//! oldest part of what is pending, one append at a time.

mod pending;
mod reader;
mod spill;
mod taken;

use std::collections::{BTreeMap, VecDeque};

use proto::clock::Moment;
use proto::ids::{GatewayId, Generation, Identity, MessageId, SessionId, Stamp};
use proto::link::Message;
use smallvec::SmallVec;

pub use pending::Joined;
pub use reader::{Next, Reader};
pub use taken::Took;

use crate::store::{Letter, Position};

/// The place of a message among those that were ever pending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Ordinal(pub u64);

/// Whom to tell what became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker {
    /// By which gateway.
    pub gateway: GatewayId,
    /// The sender's session there.
    pub session: SessionId,
    /// Of its window.
    pub generation: Generation,
    /// Whether another copy may have come before.
    pub again: bool,
}

/// A message in memory.
#[derive(Debug)]
pub struct Pending {
    /// The message.
    pub message: Message,
    /// Tells the same id with another body.
    pub fingerprint: u64,
    /// Rule 9: everyone who sent it and waits for the answer.
    pub askers: SmallVec<[Asker; 1]>,
    /// When it came, or when storing it failed last.
    since: Moment,
    state: PendingState,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PendingState {
    /// No device took it.
    Waiting,
    /// An append is under way.
    Storing,
    /// An append is under way, and a device took it.
    StoringTaken,
    /// A device took it; it stays for devices that read more slowly.
    Taken,
    /// Its sender was told that it did not get in; it only keeps its place.
    Refused,
}

/// A message in the mailbox of which this shard knows.
#[derive(Debug)]
struct InMailbox {
    identity: Identity,
    stamp: Stamp,
    taken: bool,
}

/// What is done for an inbox.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Deliver a message to a reader.
    Deliver(usize, Message),
    /// Read the mailbox for a reader.
    Read {
        /// For whom.
        reader: usize,
        /// From here on.
        from: Position,
        /// So many at most.
        count_max: usize,
        /// So many bytes at most.
        bytes_max: usize,
    },
}

/// What became of a message.
#[derive(Debug)]
pub struct Settled {
    /// The message's identity.
    pub identity: Identity,
    /// Tells the same id with another body.
    pub fingerprint: u64,
    /// When it was accepted.
    pub stamp: Stamp,
    /// Whom to tell.
    pub askers: SmallVec<[Asker; 1]>,
}

/// One user's messages.
#[derive(Debug, Default)]
pub struct Inbox {
    /// The oldest first; `first` is the ordinal of the front.
    pending: VecDeque<Pending>,
    first: Ordinal,
    /// Bytes of bodies in `pending`.
    bytes: usize,
    /// How many at the front have an append under way; taken ones between them
    /// are left out of it.
    storing: usize,
    /// The first position that is not acknowledged.
    cursor: Position,
    /// Where the next append goes.
    end: Position,
    /// When a message that a session has did not get in last.
    failed: Option<Moment>,
    /// When word of what came through was last lost: an append without an
    /// answer, a session that went and had not acknowledged, answers for which
    /// there was no room.
    pub doubtful: Option<Moment>,
    /// Messages at or after the cursor that a session was given or took.
    mailbox: BTreeMap<Position, InMailbox>,
    /// The cursor that the store was told last.
    told_cursor: Position,
    readers: Vec<Reader>,
}

/// Taken messages that are kept for slower devices.
const COPIES_MAX: usize = 128;

/// The most messages, and bytes of bodies, of one append.
const APPEND_MAX: usize = 256;
const APPEND_BYTES_MAX: usize = 1024 * 1024;

impl Inbox {
    /// Takes over what the store found.
    pub fn opened(&mut self, cursor: Position, end: Position) {
        self.cursor = cursor;
        self.told_cursor = cursor;
        self.end = end;
    }

    /// Whether nothing is in memory that must not be forgotten.
    pub fn is_idle(&self) -> bool {
        let told = self.cursor == self.told_cursor;
        self.pending.is_empty() && self.readers.is_empty() && told
    }

    /// The cursor, and where the next append goes.
    pub fn extent(&self) -> (Position, Position) {
        (self.cursor, self.end)
    }

    /// A message that waits in memory for its outcome.
    pub fn on_its_way(&self, id: MessageId) -> Option<&Message> {
        let waits = |p: &&Pending| {
            p.message.id == id && matches!(p.state, PendingState::Waiting | PendingState::Storing)
        };
        self.pending.iter().find(waits).map(|p| &p.message)
    }

    /// How many messages are in memory, and the bytes of their bodies.
    pub fn pending(&self) -> (usize, usize) {
        (self.pending.len(), self.bytes)
    }

    /// The readers, by their index.
    pub fn readers(&self) -> &[Reader] {
        &self.readers
    }

    /// The cursor, if the store is to be told of it.
    pub fn moved_cursor(&mut self) -> Option<Position> {
        if self.cursor == self.told_cursor {
            return None;
        }
        self.told_cursor = self.cursor;
        Some(self.cursor)
    }

    /// The store did not take the cursor: it is told again.
    pub fn cursor_not_taken(&mut self) {
        self.told_cursor = Position(0);
    }

    /// What must hold between two events.
    ///
    /// # Panics
    /// If something does not hold: a bug of this crate.
    pub fn check_invariants(&self) {
        let bytes: usize = self.pending.iter().map(|p| p.message.body.len()).sum();
        assert_eq!(bytes, self.bytes);
        let storing =
            |p: &Pending| matches!(p.state, PendingState::Storing | PendingState::StoringTaken);
        assert!(self.storing <= self.pending.len());
        assert!(!self.pending.iter().skip(self.storing).any(storing));
        assert!(self.cursor <= self.end);
        assert!(
            self.mailbox
                .keys()
                .all(|p| *p >= self.cursor && *p < self.end)
        );
        for reader in &self.readers {
            reader.check_invariants();
        }
    }

    fn index_of(&self, ordinal: Ordinal) -> Option<usize> {
        let index = ordinal.0.checked_sub(self.first.0)?;
        usize::try_from(index)
            .ok()
            .filter(|index| *index < self.pending.len())
    }

    /// Where a reader stands that has not been given anything.
    fn start(&self) -> Next {
        if self.cursor < self.end {
            Next::Mailbox(self.cursor)
        } else {
            Next::Memory(self.first)
        }
    }

    fn letter(pending: &Pending) -> Letter {
        Letter {
            message: pending.message.clone(),
            fingerprint: pending.fingerprint,
        }
    }
}
