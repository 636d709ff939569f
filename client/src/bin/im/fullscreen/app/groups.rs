//! The groups of this user, as the full-screen mode shows them.
//!
//! Owns what was shown of each and what of it is read. Bounded as the session's
//! groups are. Must not know the screen.

use std::collections::BTreeMap;

use client::{Group, GroupEntry, GroupId, GroupSkipped, ReadTo, UserId};

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    pub group: Group,
    /// The last entry that the session told of.
    pub last: ReadTo,
    /// Somebody wants this user's attention in what is unread.
    pub mentions_me: bool,
    /// How many of the members are here, as far as that was asked.
    pub here: Option<u32>,
}

impl Known {
    /// The messages that this user has not read.
    pub fn unread(&self) -> usize {
        let messages = self.last.messages.max(self.group.state.head.messages);
        let unread = messages.saturating_sub(self.group.state.read.messages);
        usize::try_from(unread).unwrap_or(usize::MAX)
    }
}

/// The groups, and the invitations to others.
#[derive(Debug, Default)]
pub struct Groups {
    known: BTreeMap<GroupId, Known>,
    invitations: BTreeMap<GroupId, UserId>,
}

impl Groups {
    pub fn get(&self, group: &GroupId) -> Option<&Known> {
        self.known.get(group)
    }

    pub fn invited_by(&self, group: &GroupId) -> Option<&UserId> {
        self.invitations.get(group)
    }

    pub fn known(&self) -> impl Iterator<Item = &Known> {
        self.known.values()
    }

    pub fn invitations(&self) -> impl Iterator<Item = (&GroupId, &UserId)> {
        self.invitations.iter()
    }

    /// The messages that this user has not read, in all of them.
    pub fn unread(&self) -> usize {
        self.known.values().map(Known::unread).sum()
    }

    /// A group is known now, or is another.
    pub fn told(&mut self, group: Group) {
        let id = group.state.group.clone();
        self.invitations.remove(&id);
        let last = ReadTo {
            seq: group.told,
            messages: group.state.head.messages,
        };
        if let Some(known) = self.known.get_mut(&id) {
            known.mentions_me &= group.state.read.seq < known.last.seq;
            known.group = group;
        } else {
            let known = Known {
                group,
                last,
                mentions_me: false,
                here: None,
            };
            self.known.insert(id, known);
        }
    }

    /// An entry of a group's log.
    pub fn heard(&mut self, entry: &GroupEntry) {
        if let Some(known) = self.known.get_mut(&entry.group) {
            let read = entry.read_to();
            known.last.seq = known.last.seq.max(read.seq);
            known.last.messages = known.last.messages.max(read.messages);
            known.mentions_me |= entry.mentions_me && read.seq > known.group.state.read.seq;
        }
    }

    pub fn skipped(&mut self, skipped: &GroupSkipped) {
        if let Some(known) = self.known.get_mut(&skipped.group) {
            known.last.seq = known.last.seq.max(skipped.last);
        }
    }

    /// A group's log began anew.
    pub fn begins_anew(&mut self, group: &GroupId) {
        if let Some(known) = self.known.get_mut(group) {
            known.last = ReadTo::default();
            known.group.state.read = ReadTo::default();
            known.group.state.head.messages = 0;
            known.mentions_me = false;
        }
    }

    pub fn left(&mut self, group: &GroupId) {
        self.known.remove(group);
        self.invitations.remove(group);
    }

    pub fn invited(&mut self, group: GroupId, by: UserId) {
        self.invitations.insert(group, by);
    }

    /// So many of the members are here.
    pub fn here(&mut self, group: &GroupId, count: u32) {
        if let Some(known) = self.known.get_mut(group) {
            known.here = Some(count);
        }
    }

    /// Somebody looks at the newest entries. Up to where the group is read now,
    /// if that is news.
    pub fn look(&mut self, group: &GroupId) -> Option<ReadTo> {
        let known = self.known.get_mut(group)?;
        known.mentions_me = false;
        if known.group.state.read.seq >= known.last.seq {
            return None;
        }
        known.group.state.read = known.last;
        Some(known.last)
    }
}
