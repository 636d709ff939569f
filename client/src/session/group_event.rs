//! What the application is told of groups.
//!
//! Owns the public words for it. Must not know when they are said.

use proto::group::{GroupState, LogEntry, ReadTo};
use proto::ids::{GroupId, LogEpoch};

/// A group in which this user is a member, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// As the server told it, with what was heard since: its end, the changes,
    /// how far this user has read it. The count of members is that of the
    /// log-in, changed by what was heard since.
    pub state: GroupState,
    /// The last entry that the application was told of, or of which it was told
    /// that it is not.
    pub told: u64,
}

impl Group {
    /// How many messages this user has not read, their own with them.
    pub fn unread(&self) -> u64 {
        let messages = self.state.head.messages;
        messages.saturating_sub(self.state.read.messages)
    }

    /// The mark that says that all of it is read.
    pub fn read_all(&self) -> ReadTo {
        ReadTo {
            seq: self.state.head.place.seq,
            messages: self.state.head.messages,
        }
    }
}

/// An entry of the log of one of this user's groups: each once, in the order of
/// their numbers. What was there before the first log-in, or before this user
/// joined, is history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEntry {
    /// Which group.
    pub group: GroupId,
    /// Of its log.
    pub epoch: LogEpoch,
    /// What was written or done.
    pub entry: LogEntry,
    /// It wants this user's attention.
    pub mentions_me: bool,
    /// This session sent it: the application has shown it under its id already.
    pub is_echo: bool,
}

impl GroupEntry {
    /// The mark that says that the group is read up to here.
    pub fn read_to(&self) -> ReadTo {
        ReadTo {
            seq: self.entry.seq,
            messages: self.entry.messages,
        }
    }
}

/// Entries that are not told: too many were missed, or they are kept no more.
/// `Client::history` fetches what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSkipped {
    /// Of which group.
    pub group: GroupId,
    /// Of its log.
    pub epoch: LogEpoch,
    /// The first of them.
    pub first: u64,
    /// The last of them.
    pub last: u64,
}
