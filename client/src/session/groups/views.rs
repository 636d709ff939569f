//! What is told and asked of the groups.

use proto::group::{LogEntry, Logged};
use proto::ids::{GroupId, LogEpoch, MessageId, UserId};

use super::super::group_event::Group;
use super::{Groups, Member};

impl Groups {
    /// A message of this session is for a group.
    pub(in super::super) fn sends(&mut self, id: MessageId) {
        self.sent.remember(id);
    }

    /// Whether it is this user.
    pub(in super::super) fn is_me(&self, user: &UserId) -> bool {
        self.user.as_ref() == Some(user)
    }

    /// Whether this session sent it.
    pub(in super::super) fn is_echo(&self, entry: &LogEntry) -> bool {
        match &entry.what {
            Logged::Message { id, .. } => self.is_me(&entry.from) && self.sent.contains(id),
            Logged::Change(_) => false,
        }
    }

    /// Whether it wants this user's attention.
    pub(in super::super) fn mentions_me(&self, entry: &LogEntry) -> bool {
        match (&entry.what, &self.user) {
            (Logged::Message { mentions, .. }, Some(user)) => mentions.contains(user),
            _ => false,
        }
    }

    /// Of the log of one of this user's groups.
    pub(in super::super) fn epoch(&self, group: &GroupId) -> Option<LogEpoch> {
        self.members.get(group).map(|member| member.log.epoch())
    }

    /// One of this user's groups.
    pub(in super::super) fn of(&self, group: &GroupId) -> Option<Group> {
        self.members.get(group).map(Member::shown)
    }

    /// All of them, by their ids.
    pub(in super::super) fn all(&self) -> Vec<Group> {
        self.members.values().map(Member::shown).collect()
    }

    /// How many were named at the log-in whose state has not come.
    pub(in super::super) fn awaited(&self) -> usize {
        self.awaited.len()
    }

    /// Who invited this user to which groups.
    pub(in super::super) fn invitations(&self) -> Vec<(GroupId, UserId)> {
        let all = self.invitations.iter();
        all.map(|(group, by)| (group.clone(), by.clone())).collect()
    }
}

impl Member {
    fn shown(&self) -> Group {
        Group {
            state: self.state.clone(),
            told: self.log.last(),
        }
    }
}
