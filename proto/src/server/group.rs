//! What a client is told of groups.
//!
//! Owns what these packets say. Must not know when they are sent.

use bytes::Bytes;

use crate::group::{Conversation, LogEntry, MemberEntry, ReadTo};
use crate::ids::{GroupId, ID_BYTES_MAX, LogEpoch, UserId};

/// An entry of a group's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupDeliver {
    /// Which group.
    pub group: GroupId,
    /// Of its log.
    pub epoch: LogEpoch,
    /// The entry: the one after the last, or some were left out and are to be
    /// asked for.
    pub entry: LogEntry,
}

/// A message in a group that is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupTransientFrom {
    /// In which group.
    pub group: GroupId,
    /// The sender.
    pub from: UserId,
    /// As in [`crate::client::Transient::kind`].
    pub kind: u32,
    /// Opaque to the cluster.
    pub body: Bytes,
}

/// Whom a group knows: a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    /// The client's number of the request.
    pub request: u32,
    /// Which group.
    pub group: GroupId,
    /// By ids, ascending; at most [`crate::limits::PAGE_MAX`].
    pub members: Vec<MemberEntry>,
    /// How many there are in all. Who is online by several gateways counts for
    /// each beyond the first page.
    pub total: u32,
    /// There are more after the last of these.
    pub more: bool,
}

/// A part of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The client's number of the request.
    pub request: u32,
    /// Of what.
    pub of: Conversation,
    /// Of the log. Another than before: the client begins anew.
    pub epoch: LogEpoch,
    /// The oldest entry that is kept: what lies before is gone for good.
    pub first: u64,
    /// The last entry.
    pub last: u64,
    /// How far the user has read it.
    pub read: ReadTo,
    /// Ascending, without a gap; at most [`crate::limits::PAGE_MAX`], and of
    /// several at most [`crate::limits::PAGE_BYTES_MAX`] bytes.
    pub entries: Vec<LogEntry>,
}

impl History {
    pub(super) fn weight(&self) -> usize {
        let entry = |entry: &LogEntry| entry.weight() + 2 * ID_BYTES_MAX;
        self.entries.iter().map(entry).sum()
    }
}
