//! What stands in replies, as JSON.
//!
//! Owns the names and their order. Must not know when something is told.

use std::borrow::Cow;

use proto::friends::{FriendEntry, Relation};
use proto::group::{Belongs, LogEntry, Logged, MemberEntry, Role, Standing, UserGroup};
use proto::ids::{GroupId, MessageId};
use proto::server::{Deliver, LoginOk, Outcome, Sent};
use serde::Serialize;

use crate::datetime::Shown;
use crate::groups::Group;

/// Any of the below as text.
pub fn write(value: &impl Serialize) -> String {
    // Strings, numbers and lists of these are always JSON.
    serde_json::to_string(value).unwrap_or_default()
}

/// Strings of JSON as one list.
pub fn list<'a>(items: impl Iterator<Item = &'a String>) -> String {
    let mut list = String::from("[");
    for item in items {
        if list.len() > 1 {
            list.push(',');
        }
        list.push_str(item);
    }
    list.push(']');
    list
}

/// A message.
#[derive(Serialize)]
pub struct Message<'a> {
    msg: Cow<'a, str>,
    from: &'a str,
    datetime: Shown,
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<&'a str>,
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    seq: Option<u64>,
}

impl<'a> Message<'a> {
    /// An entry of a log, if that is one; pushed it says of which group.
    pub fn logged(entry: &'a LogEntry, group: Option<&'a GroupId>) -> Option<Self> {
        let Logged::Message { id, body, .. } = &entry.what else {
            return None;
        };
        Some(Self {
            msg: String::from_utf8_lossy(body),
            from: entry.from.as_str(),
            datetime: Shown(entry.stamp),
            group: group.map(GroupId::as_str),
            id: id.to_string(),
            seq: Some(entry.seq),
        })
    }

    /// One of a user to this one.
    pub fn direct(deliver: &'a Deliver) -> Self {
        Self {
            msg: String::from_utf8_lossy(&deliver.body),
            from: deliver.from.as_str(),
            datetime: Shown(deliver.stamp),
            group: None,
            id: deliver.id.to_string(),
            seq: None,
        }
    }
}

/// What is pushed besides messages.
#[derive(Serialize)]
#[serde(untagged)]
pub enum News<'a> {
    /// Entries of a group's log are left out, at most so many of them messages.
    Skipped {
        /// How many.
        skipped: u64,
        /// Of which.
        group: &'a str,
    },
    /// The user is in a group no more, and did not leave it.
    Left {
        /// In which.
        left: &'a str,
    },
    /// The user may come into a group.
    Invited {
        /// Into which.
        invited: &'a str,
        /// Who says so.
        by: &'a str,
    },
    /// A user asks to be admitted to a group.
    Applied {
        /// To which.
        applied: &'a str,
        /// Who.
        by: &'a str,
    },
    /// The server is about to stop: come back by then.
    Leaving {
        /// In so many milliseconds it is over.
        leaving_ms: u64,
    },
}

/// A message is safe.
pub fn sent(id: MessageId, sent: &Sent) -> String {
    #[derive(Serialize)]
    struct SentShown {
        id: String,
        datetime: Shown,
        #[serde(skip_serializing_if = "Option::is_none")]
        seq: Option<u64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        state: Option<&'static str>,
    }
    let (seq, state) = match &sent.outcome {
        Outcome::Logged(place) => (Some(place.seq), None),
        Outcome::Delivered { .. } => (None, Some("delivered")),
        Outcome::Stored => (None, Some("stored")),
    };
    write(&SentShown {
        id: id.to_string(),
        datetime: Shown(sent.stamp),
        seq,
        state,
    })
}

/// A log-in is accepted.
pub fn login(login: &LoginOk) -> String {
    #[derive(Serialize)]
    struct LoginShown<'a> {
        user: &'a str,
        groups: Vec<&'a str>,
        heartbeat_ms: u32,
    }
    let groups = login.groups.iter();
    let member = groups.filter(|group| group.belongs == Belongs::Member);
    write(&LoginShown {
        user: login.user.as_str(),
        groups: member.map(|group| group.group.as_str()).collect(),
        heartbeat_ms: login.heartbeat_ms,
    })
}

/// A group that the user is in, with so many members.
pub fn group(group: &Group, members: u32) -> String {
    #[derive(Serialize)]
    struct GroupShown<'a> {
        id: &'a str,
        title: &'a str,
        members: u32,
        role: &'static str,
    }
    write(&GroupShown {
        id: group.id.as_str(),
        title: &group.title,
        members,
        role: role(group.role),
    })
}

/// The user's groups.
pub fn groups(groups: &[UserGroup]) -> String {
    #[derive(Serialize)]
    struct UserGroupShown<'a> {
        group: &'a str,
        state: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        by: Option<&'a str>,
    }
    let shown = groups.iter().map(|of| {
        let (state, by) = match &of.belongs {
            Belongs::Member => ("member", None),
            Belongs::Invited { by } => ("invited", Some(by.as_str())),
        };
        let group = of.group.as_str();
        UserGroupShown { group, state, by }
    });
    write(&shown.collect::<Vec<_>>())
}

/// One of those whom a group knows.
pub fn member(member: &MemberEntry) -> String {
    #[derive(Serialize)]
    struct MemberShown<'a> {
        user: &'a str,
        role: &'static str,
    }
    write(&MemberShown {
        user: member.user.as_str(),
        role: match member.standing {
            Standing::In(of) => role(of),
            Standing::Invited => "invited",
            Standing::Applied => "applied",
            Standing::Banned => "banned",
        },
    })
}

fn role(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}

/// A friend list.
pub fn friends(entries: &[FriendEntry]) -> String {
    #[derive(Serialize)]
    struct FriendShown<'a> {
        user: &'a str,
        relation: &'static str,
        blocked: bool,
    }
    let shown = entries.iter().map(|entry| FriendShown {
        user: entry.user.as_str(),
        relation: match entry.relation {
            Relation::None => "none",
            Relation::Requested => "requested",
            Relation::Invited => "invited",
            Relation::Friend => "friend",
        },
        blocked: entry.blocked,
    });
    write(&shown.collect::<Vec<_>>())
}
