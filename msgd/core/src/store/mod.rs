//! What a shard asks of its store, and the outcomes.
//!
//! Owns the contract that every store keeps: requests of one shard are carried
//! out in their order, and each operation checks the slot's token where it
//! happens, so that a shard which woke from a long pause can write nothing. A
//! public suite runs against every store. Must not know how a store does it.

mod group;
mod outcome;
mod settings;

use std::fmt;

use proto::group::Range;
use proto::ids::{GroupId, Identity, Incarnation, Stamp, Token, UserId};
use proto::link::Message;
use proto::server::{Outcome as Fate, Receipt};
use proto::slot::Slot;
use smallvec::SmallVec;

pub use group::{
    Found, GroupRecord, GroupWrite, KeptGroup, Known, LogPage, LoggedBefore, MemberRow, StoredGroup,
};
pub use outcome::{Mailbox, Outcome, Stored};
pub use settings::{LogSettings, MailboxSettings, StoreSettings};

/// The place of a message in its recipient's mailbox, given by the append.
/// The first is 1; the cursor is the first that is not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(pub u64);

impl Default for Position {
    /// Of the first message.
    fn default() -> Self {
        Self(1)
    }
}

impl Position {
    /// The one after this.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An answer that a shard gave lately, handed over with the slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remembered {
    /// The recipient.
    pub to: UserId,
    /// The message.
    pub identity: Identity,
    /// When it was accepted.
    pub stamp: Stamp,
    /// Tells the same id with another body.
    pub fingerprint: u64,
    /// What its sender was told.
    pub fate: Fate,
}

/// When a user was last there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// There since the shard of this incarnation said so.
    Here(Incarnation),
    /// Left at this time.
    At(Stamp),
}

/// Who asks: a slot, under a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Claim {
    /// The slot of the user or group concerned.
    pub slot: Slot,
    /// Of the shard's claim.
    pub token: Token,
}

/// Something asked of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Take slots. Each is granted when its former holder released it, or its
    /// incarnation's lease is dead, or it is the asker itself (who was not
    /// told, because the store failed). Its token rises.
    Claim {
        /// Which.
        slots: Vec<Slot>,
        /// For whom.
        shard: Incarnation,
    },
    /// Give a slot up, after everything asked before. It may be asked again,
    /// in case the store failed, until the slot is claimed.
    Release {
        /// Which.
        claim: Claim,
        /// What the next holder is to know.
        recent: Vec<Remembered>,
    },
    /// Look at a user's mailbox.
    Open {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
        /// Identities of messages stamped from here on are wanted, the newest
        /// [`OPEN_IDENTITIES_MAX`] at the most.
        since: Stamp,
    },
    /// Append to a user's mailbox, in order. If only some fit, the first are
    /// appended; none if the mailbox ends before `behind`.
    Append {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
        /// Where the mailbox ends at least, if what was to be appended before
        /// got in: what did not must not be overtaken.
        behind: Position,
        /// What, each with its fingerprint.
        messages: Vec<Letter>,
    },
    /// Read a user's mailbox.
    Read {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
        /// For which reader; the outcome carries it.
        reader: u64,
        /// From here on, or from the cursor if that is further.
        from: Position,
        /// So many at most.
        count_max: usize,
        /// So many bytes of bodies at most; the first comes in any case.
        bytes_max: usize,
    },
    /// Move the cursor; what lies before it is purged some time. It never
    /// goes back, nor beyond the end.
    Advance {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
        /// The new cursor.
        cursor: Position,
    },
    /// Keep a receipt for a user who is away: one per peer and kind, the
    /// latest. It is shed when there are too many.
    Note {
        /// Under which claim.
        claim: Claim,
        /// For whom.
        user: UserId,
        /// What.
        receipt: Receipt,
    },
    /// Take all receipts out.
    TakeNotes {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
    },
    /// Keep when a user was last there.
    Seen {
        /// Under which claim.
        claim: Claim,
        /// Who.
        user: UserId,
        /// When.
        seen: Seen,
    },
    /// Keep the groups that a user belongs to, instead of those kept before: at
    /// most [`proto::limits::USER_GROUPS_MAX`].
    KeepGroups {
        /// Under which claim.
        claim: Claim,
        /// Whose.
        user: UserId,
        /// All of them, ascending.
        groups: Vec<KeptGroup>,
    },
    /// Look at a group.
    OpenGroup {
        /// Under which claim.
        claim: Claim,
        /// Which.
        group: GroupId,
        /// Identities of messages stamped from here on are wanted.
        since: Stamp,
    },
    /// Write to a group, or make it: all of it, or nothing where
    /// [`GroupWrite::fits`] says no.
    WriteGroup {
        /// Under which claim.
        claim: Claim,
        /// Which.
        group: GroupId,
        /// What.
        write: Box<GroupWrite>,
    },
    /// Forget a group: whom it knows and its log.
    EndGroup {
        /// Under which claim.
        claim: Claim,
        /// Which.
        group: GroupId,
    },
    /// Read a part of a group's log.
    ReadLog {
        /// Under which claim.
        claim: Claim,
        /// Which group.
        group: GroupId,
        /// For whom; the outcome carries it.
        reader: u64,
        /// Which part.
        range: Range,
        /// So many at most.
        count_max: usize,
        /// So many bytes by [`proto::group::LogEntry::weight`] at most; one comes
        /// in any case. Of a range that ends before a number the last ones come.
        bytes_max: usize,
    },
    /// The shard is alive: what [`Seen::Here`] means after its crash.
    Alive {
        /// Which shard.
        shard: Incarnation,
        /// Now.
        stamp: Stamp,
        /// The clock has run evenly for so long that messages may be dropped
        /// for their age by it.
        steady: bool,
    },
}

/// The most identities that [`Request::Open`] gives.
pub const OPEN_IDENTITIES_MAX: usize = 1_024;

/// The most receipts that [`Request::Note`] keeps for a user.
pub const NOTES_MAX: usize = 256;

/// What came of one request: one outcome, none, or one per slot of a claim.
pub type Outcomes = SmallVec<[Outcome; 1]>;

impl Request {
    /// The claim that must be its slot's newest.
    pub fn claim(&self) -> Option<Claim> {
        match self {
            Self::Claim { .. } | Self::Alive { .. } => None,
            Self::Release { claim, .. }
            | Self::Open { claim, .. }
            | Self::Append { claim, .. }
            | Self::Read { claim, .. }
            | Self::Advance { claim, .. }
            | Self::Note { claim, .. }
            | Self::TakeNotes { claim, .. }
            | Self::Seen { claim, .. }
            | Self::KeepGroups { claim, .. }
            | Self::OpenGroup { claim, .. }
            | Self::WriteGroup { claim, .. }
            | Self::EndGroup { claim, .. }
            | Self::ReadLog { claim, .. } => Some(*claim),
        }
    }

    /// What is told when the store failed: it may have been done or not.
    pub fn failed(&self) -> Outcomes {
        let outcome = match self {
            Self::Claim { slots, .. } => {
                let failed = |&slot| Outcome::ClaimFailed { slot };
                return slots.iter().map(failed).collect();
            }
            Self::Open { claim, user, .. } => Outcome::Opened {
                claim: *claim,
                user: user.clone(),
                mailbox: None,
            },
            Self::Append { claim, user, .. } => Outcome::AppendFailed {
                claim: *claim,
                user: user.clone(),
            },
            Self::Read {
                claim,
                user,
                reader,
                from,
                ..
            } => Outcome::Read {
                claim: *claim,
                user: user.clone(),
                reader: *reader,
                from: *from,
                letters: None,
            },
            Self::Advance { claim, user, .. } => Outcome::Advanced {
                claim: *claim,
                user: user.clone(),
                done: false,
            },
            Self::TakeNotes { claim, user } => Outcome::Notes {
                claim: *claim,
                user: user.clone(),
                receipts: Vec::new(),
            },
            Self::Release { claim, recent } => Outcome::ReleaseFailed {
                claim: *claim,
                recent: recent.clone(),
            },
            Self::KeepGroups { .. }
            | Self::OpenGroup { .. }
            | Self::WriteGroup { .. }
            | Self::EndGroup { .. }
            | Self::ReadLog { .. } => return self.failed_of_group().into_iter().collect(),
            Self::Note { .. } | Self::Seen { .. } | Self::Alive { .. } => {
                return Outcomes::new();
            }
        };
        Outcomes::from_buf([outcome])
    }

    /// Likewise, of what is asked about groups.
    fn failed_of_group(&self) -> Option<Outcome> {
        Some(match self {
            Self::KeepGroups { claim, user, .. } => Outcome::GroupsKept {
                claim: *claim,
                user: user.clone(),
                done: false,
            },
            Self::OpenGroup { claim, group, .. } => Outcome::GroupOpened {
                claim: *claim,
                group: group.clone(),
                found: Found::Failed,
            },
            Self::WriteGroup { claim, group, .. } => Outcome::GroupWritten {
                claim: *claim,
                group: group.clone(),
                done: false,
            },
            Self::ReadLog {
                claim,
                group,
                reader,
                ..
            } => Outcome::LogRead {
                claim: *claim,
                group: group.clone(),
                reader: *reader,
                page: None,
            },
            _ => return None,
        })
    }
}

/// A message in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The message.
    pub message: Message,
    /// Tells the same id with another body.
    pub fingerprint: u64,
}
