//! What a shard asks of its store for groups.
//!
//! Owns what is kept of a group. Must not know who may do what in one.

use proto::group::{Entrance, Head, LogEntry, Place, ReadTo, Role, UserGroup};
use proto::ids::{LogEpoch, MessageId, Stamp, UserId};
use proto::link::MembershipVersion;
use smol_str::SmolStr;

/// What a group is, beside whom it knows and its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRecord {
    /// For people.
    pub title: SmolStr,
    /// How one comes in.
    pub entrance: Entrance,
    /// Of its log.
    pub epoch: LogEpoch,
    /// Counts every change of who belongs to it.
    pub revision: u64,
    /// It has ended; only its former members are still to be told so.
    pub dissolved: bool,
}

/// Someone whom a group knows, or knew and whose shard is to be told so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// As what; none: not any more.
    pub known: Option<Known>,
    /// [`GroupRecord::revision`] of the last change of this.
    pub revision: u64,
    /// The user's shard has not said that it keeps this.
    pub untold: bool,
}

/// As what a group knows someone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// A member.
    In {
        /// What they may do.
        role: Role,
        /// How far they have read the log.
        read: ReadTo,
        /// Until when they may not write.
        muted: Option<Stamp>,
    },
    /// Invited.
    Invited {
        /// By whom.
        by: UserId,
    },
    /// Asked to be admitted.
    Applied,
    /// Banned.
    Banned,
}

/// A group, as [`super::Request::OpenGroup`] finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGroup {
    /// What it is.
    pub record: GroupRecord,
    /// Where its log ends.
    pub head: Head,
    /// When the last entry was accepted; 0: there was none.
    pub newest: Stamp,
    /// Whom it knows, ascending.
    pub members: Vec<(UserId, MemberRow)>,
    /// The latest messages in its log, oldest first: of those stamped from the
    /// time asked for, the newest [`super::OPEN_IDENTITIES_MAX`] at the most.
    pub latest: Vec<LoggedBefore>,
    /// These are all that were ever stamped from then on: none was left out for
    /// their number, nor has gone since.
    pub whole: bool,
}

/// A message in a log, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedBefore {
    /// Its place.
    pub seq: u64,
    /// Who sent it.
    pub from: UserId,
    /// The sender's id for it.
    pub id: MessageId,
    /// When it was accepted.
    pub stamp: Stamp,
    /// Tells the same id with another body.
    pub fingerprint: u64,
}

/// What came of a look at a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// The store failed.
    Failed,
    /// There is none of this name.
    Nothing,
    /// It is there.
    Group(Box<StoredGroup>),
}

/// What is written of a group at once: all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupWrite {
    /// Of the log that is written to. A log of a higher epoch than the group's
    /// begins empty, and what the group had before goes; whom it knows stays.
    pub epoch: LogEpoch,
    /// Where that log ends before: nothing is written if it does not.
    pub after: u64,
    /// What is appended to it, each with what tells the same id with another
    /// body; 0 for what is no message.
    pub entries: Vec<(LogEntry, u64)>,
    /// What the group is from now on; none: as before. A log that begins needs
    /// one, which names its epoch.
    pub record: Option<GroupRecord>,
    /// Rows that change; none: it goes.
    pub members: Vec<(UserId, Option<MemberRow>)>,
}

impl GroupWrite {
    /// Whether it is written to a group whose log ends here; none: there is no
    /// such group.
    pub fn fits(&self, end: Option<Place>) -> bool {
        let begins = end.is_none_or(|end| end.epoch < self.epoch);
        let is_at_end = match end {
            Some(end) if !begins => (end.epoch, end.seq) == (self.epoch, self.after),
            _ => self.after == 0 && self.record.is_some(),
        };
        is_at_end && self.is_sound()
    }

    /// Whether its parts fit each other: entries follow without a gap, and the
    /// record names the log.
    pub fn is_sound(&self) -> bool {
        let seqs = self.entries.iter().map(|(entry, _)| entry.seq);
        let follows = seqs
            .zip(1..)
            .all(|(seq, nth)| Some(seq) == self.after.checked_add(nth));
        let record = self.record.as_ref();
        follows && record.is_none_or(|record| record.epoch == self.epoch)
    }
}

/// A part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// The oldest entry that is kept; one more than the last if none is.
    pub first: u64,
    /// Ascending, without a gap.
    pub entries: Vec<LogEntry>,
}

/// A group of a user, as the user's shard keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptGroup {
    /// Which, and as what the user belongs to it.
    pub of: UserGroup,
    /// Which word of the group's shard it is.
    pub version: MembershipVersion,
}
