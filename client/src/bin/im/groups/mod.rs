//! Groups, for whoever sits before the terminal or reads the pipe.
//!
//! Owns what is told of them. Must not know a session.

mod ask;
pub mod command;
pub mod friendly;
pub mod plain;
mod words;

use client::{
    Action, Client, Event, Group, GroupEntry, GroupId, GroupSkipped, LogEntry, Logged, MemberEntry,
    UserId, Which,
};

pub use self::ask::{ask, last, past};
use self::command::Ask;

/// One thing to show of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupNotice {
    /// An entry of its log.
    Entry {
        group: GroupId,
        entry: LogEntry,
        mentions_me: bool,
    },
    /// An entry that was there before.
    Past { group: GroupId, entry: LogEntry },
    /// Entries that are not shown.
    Skipped(GroupSkipped),
    /// Its log began anew.
    Anew { group: GroupId },
    /// It is known now, or is another.
    State { group: Box<Group>, is_first: bool },
    /// One line of the list of groups.
    Listed(Box<Group>),
    /// A line of that list: an invitation.
    Invitation { group: GroupId, by: UserId },
    /// The list has no lines.
    NoGroups,
    /// This user is in it no more.
    Left {
        group: GroupId,
        change: Option<(UserId, Action)>,
    },
    /// This user is invited.
    Invited { group: GroupId, by: UserId },
    /// Somebody asks to be admitted.
    Applied { group: GroupId, user: UserId },
    /// A member types.
    Typing { group: GroupId, from: UserId },
    /// Somebody whom it knows.
    Member { group: GroupId, entry: MemberEntry },
    /// How many of them there are; after the last of them.
    Count {
        group: GroupId,
        which: Which,
        total: u32,
    },
    /// This user has asked to be admitted.
    Waits { group: GroupId },
    /// Something was done to it.
    Done { group: GroupId, ask: Ask },
}

impl GroupNotice {
    /// What an event of a group is to be shown as. An own message that was shown
    /// when it was sent is not.
    pub fn of(event: Event, is_first: bool) -> Option<Self> {
        Some(match event {
            Event::Group(group) => Self::State {
                group: Box::new(group),
                is_first,
            },
            Event::GroupEntry(entry) if entry.is_echo => return None,
            Event::GroupEntry(entry) => entry.into(),
            Event::GroupSkipped(skipped) => Self::Skipped(skipped),
            Event::GroupAnew { group, .. } => Self::Anew { group },
            Event::GroupTransient(transient) if transient.kind == client::TRANSIENT_TYPING => {
                Self::Typing {
                    group: transient.group,
                    from: transient.from,
                }
            }
            Event::GroupLeft { group, change } => Self::Left { group, change },
            Event::GroupInvited { group, by } => Self::Invited { group, by },
            Event::GroupApplied { group, user } => Self::Applied { group, user },
            _ => return None,
        })
    }
}

impl From<GroupEntry> for GroupNotice {
    fn from(told: GroupEntry) -> Self {
        Self::Entry {
            group: told.group,
            entry: told.entry,
            mentions_me: told.mentions_me,
        }
    }
}

/// The list of groups and invitations.
pub fn listed(client: &Client) -> Vec<GroupNotice> {
    let groups = client.groups().into_iter();
    let groups = groups.map(|group| GroupNotice::Listed(Box::new(group)));
    let invitations = client.invitations().into_iter();
    let invitations = invitations.map(|(group, by)| GroupNotice::Invitation { group, by });
    let list: Vec<GroupNotice> = groups.chain(invitations).collect();
    if list.is_empty() {
        return vec![GroupNotice::NoGroups];
    }
    list
}

/// The text of an entry, if it is a message.
pub fn text(entry: &LogEntry) -> Option<String> {
    match &entry.what {
        Logged::Message { body, .. } => Some(String::from_utf8_lossy(body).into_owned()),
        Logged::Change(_) => None,
    }
}
