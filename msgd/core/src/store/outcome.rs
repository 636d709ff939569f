//! What came of a request.
//!
//! Owns what a shard hears of its store. Must not know what it does then.

use proto::ids::{GroupId, MessageId, Stamp, UserId};
use proto::server::Receipt;
use proto::slot::Slot;

use super::{Claim, Found, KeptGroup, Letter, LogPage, Position, Remembered};

/// What a mailbox holds, as [`Request::Open`] finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mailbox {
    /// The first position that is not acknowledged.
    pub cursor: Position,
    /// The position that the next append gets.
    pub end: Position,
    /// The latest messages in it, oldest first.
    pub latest: Vec<Stored>,
    /// Whether receipts wait in it.
    pub notes: bool,
    /// When the user was last there.
    pub last_seen: Option<Stamp>,
    /// The groups that the user belongs to, ascending.
    pub groups: Vec<KeptGroup>,
}

/// A message in a mailbox, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place.
    pub position: Position,
    /// Who sent it.
    pub from: UserId,
    /// The sender's id for it.
    pub id: MessageId,
    /// When it was accepted.
    pub stamp: Stamp,
    /// Tells the same id with another body.
    pub fingerprint: u64,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// A slot is the shard's.
    Claimed {
        /// Which, under which token.
        claim: Claim,
        /// What the former holder answered lately.
        recent: Vec<Remembered>,
    },
    /// A slot is another's still: ask again.
    Held {
        /// Which.
        slot: Slot,
    },
    /// The store failed. The slot may be the shard's without its knowing, and
    /// then nobody else's: ask again, even if another is to have it.
    ClaimFailed {
        /// Which.
        slot: Slot,
    },
    /// The store failed. The slot may be the shard's still for the store, and
    /// then nobody else's: ask again.
    ReleaseFailed {
        /// Under which claim it was asked.
        claim: Claim,
        /// As asked.
        recent: Vec<Remembered>,
    },
    /// A mailbox was looked at.
    Opened {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
        /// What it holds; `None`: the store failed.
        mailbox: Option<Mailbox>,
    },
    /// Messages were appended and are durable.
    Appended {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
        /// Where the first of them lies.
        first: Position,
        /// How many of those asked for; the others did not fit.
        count: usize,
    },
    /// The store failed. Whether anything was appended is unknown.
    AppendFailed {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
    },
    /// Messages were read.
    Read {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
        /// As asked.
        reader: u64,
        /// As asked.
        from: Position,
        /// The messages, ascending; `None`: the store failed. Positions may
        /// be missing where messages were purged by age.
        letters: Option<Vec<(Position, Letter)>>,
    },
    /// A cursor was moved, or may not have been because the store failed.
    Advanced {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
        /// Whether.
        done: bool,
    },
    /// Receipts were taken out.
    Notes {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
        /// What they say.
        receipts: Vec<Receipt>,
    },
    /// The groups of a user are kept, or may not be because the store failed.
    GroupsKept {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
        /// Whether.
        done: bool,
    },
    /// A group was looked at.
    GroupOpened {
        /// Under which claim.
        claim: Claim,
        /// Which.
        group: GroupId,
        /// What is there.
        found: Found,
    },
    /// A write to a group is durable.
    GroupWritten {
        /// Under which claim.
        claim: Claim,
        /// Which.
        group: GroupId,
        /// It is; else nothing is written because the log did not end where it
        /// should, or the store failed and it is not known.
        done: bool,
    },
    /// A part of a log was read.
    LogRead {
        /// Under which claim.
        claim: Claim,
        /// Which group.
        group: GroupId,
        /// As asked.
        reader: u64,
        /// `None`: the store failed, or there is no such group.
        page: Option<LogPage>,
    },
    /// The token is not the slot's newest: the shard has lost the slot.
    Refused {
        /// Under which claim it was asked.
        claim: Claim,
    },
}
