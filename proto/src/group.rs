//! Groups: who is in one, what can be done to it, and its log.
//!
//! Owns what clients and shards both say of a group. Must not know who may do
//! what: that is the group's shard's.

use bytes::Bytes;
use smol_str::SmolStr;

use crate::ids::{GroupId, LogEpoch, MessageId, Stamp, UserId};

/// What a member may do. Each may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Reads and writes.
    Member,
    /// Decides who is in it and who may write.
    Admin,
    /// There is exactly one, who decides who is an admin.
    Owner,
}

/// How one comes into a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entrance {
    /// Whoever wants to.
    Open,
    /// Who was invited.
    Invitation,
    /// Who was invited, and whom an admin admits.
    Approval,
}

/// Something done to a group, or to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// It comes into being; the actor owns it.
    Create {
        /// For people; at most [`crate::limits::TEXT_BYTES_MAX`] bytes.
        title: SmolStr,
        /// How one comes in.
        entrance: Entrance,
    },
    /// The actor comes in, or asks to be admitted.
    Join,
    /// The actor leaves, or takes back what they asked, or declines an
    /// invitation.
    Leave,
    /// It is called something else.
    Rename {
        /// As in [`Action::Create`].
        title: SmolStr,
    },
    /// One comes in another way from now on.
    SetEntrance(Entrance),
    /// A user may come in.
    Invite(UserId),
    /// A user who asked for it is in.
    Admit(UserId),
    /// A user who asked or was invited may not come in.
    Deny(UserId),
    /// A member becomes an admin, or is none any more.
    SetRole {
        /// Which member.
        user: UserId,
        /// [`Role::Member`] or [`Role::Admin`].
        role: Role,
    },
    /// A member becomes the owner; the actor is an admin then.
    Transfer(UserId),
    /// A member is put out.
    Kick(UserId),
    /// A user is put out and may not come in again.
    Ban(UserId),
    /// A user may come in again.
    Unban(UserId),
    /// A member may not write.
    Mute {
        /// Which member.
        user: UserId,
        /// For so long; 0: until [`Action::Unmute`].
        seconds: u32,
    },
    /// A member may write again.
    Unmute(UserId),
    /// It ends, and its log with it.
    Dissolve,
}

impl Action {
    /// On whom it is done, where that is another than the actor.
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::Invite(user)
            | Self::Admit(user)
            | Self::Deny(user)
            | Self::SetRole { user, .. }
            | Self::Transfer(user)
            | Self::Kick(user)
            | Self::Ban(user)
            | Self::Unban(user)
            | Self::Mute { user, .. }
            | Self::Unmute(user) => Some(user),
            Self::Create { .. }
            | Self::Join
            | Self::Leave
            | Self::Rename { .. }
            | Self::SetEntrance(_)
            | Self::Dissolve => None,
        }
    }
}

/// A place in a group's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Of the log: one that had to begin anew has a later one.
    pub epoch: LogEpoch,
    /// Counts from 1 without a gap.
    pub seq: u64,
}

/// Where a group's log ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Head {
    /// The last entry.
    pub place: Place,
    /// How many of the entries are messages.
    pub messages: u64,
}

/// How far a user has read a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ReadTo {
    /// The entry; 0: none.
    pub seq: u64,
    /// [`LogEntry::messages`] of that entry: what unread counts are made of.
    pub messages: u64,
}

/// Users whose attention a message wants, at most
/// [`crate::limits::MENTIONS_MAX`].
pub type Mentions = Vec<UserId>;

/// One entry of a group's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Counts from 1 without a gap.
    pub seq: u64,
    /// Messages in the log up to here, this one with them.
    pub messages: u64,
    /// When it was accepted; never before that of an earlier entry.
    pub stamp: Stamp,
    /// Who wrote it, or did it.
    pub from: UserId,
    /// What.
    pub what: Logged,
}

/// What an entry of a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Logged {
    /// A message.
    Message {
        /// The sender's id for it.
        id: MessageId,
        /// Opaque to the cluster.
        body: Bytes,
        /// Whose attention it wants.
        mentions: Mentions,
    },
    /// Something was done to the group.
    Change(Action),
}

impl LogEntry {
    /// About how many bytes it takes besides a fixed part.
    pub fn weight(&self) -> usize {
        match &self.what {
            Logged::Message { body, mentions, .. } => {
                body.len() + mentions.len() * crate::ids::ID_BYTES_MAX
            }
            Logged::Change(_) => crate::limits::TEXT_BYTES_MAX,
        }
    }
}

/// What a member is told of a group on coming to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupState {
    /// Which.
    pub group: GroupId,
    /// For people.
    pub title: SmolStr,
    /// How one comes in.
    pub entrance: Entrance,
    /// The member's.
    pub role: Role,
    /// How many members there are.
    pub members: u32,
    /// Where its log ends.
    pub head: Head,
    /// How far the member has read it.
    pub read: ReadTo,
    /// Until when the member may not write: [`FOR_EVER`] until unmuted.
    pub muted: Option<Stamp>,
}

/// [`GroupState::muted`] without an end.
pub const FOR_EVER: Stamp = Stamp(u64::MAX);

/// A group of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserGroup {
    /// Which.
    pub group: GroupId,
    /// As what.
    pub belongs: Belongs,
}

/// As what a user belongs to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Belongs {
    /// A member.
    Member,
    /// Invited.
    Invited {
        /// By whom.
        by: UserId,
    },
}

/// Someone whom a group knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberEntry {
    /// Who.
    pub user: UserId,
    /// As what.
    pub standing: Standing,
    /// Until when they may not write.
    pub muted: Option<Stamp>,
}

/// As what a group knows someone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// In it.
    In(Role),
    /// Invited.
    Invited,
    /// Asked to be admitted.
    Applied,
    /// Banned.
    Banned,
}

/// Whom of a group one wants to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Which {
    /// Its members.
    Members,
    /// Those of them who are online.
    Online,
    /// Who was invited or asked to be admitted; for admins.
    Waiting,
    /// Who is banned; for admins.
    Banned,
}

/// Whose history.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Conversation {
    /// A group's log.
    Group(GroupId),
    /// What the user and a peer wrote to each other.
    Peer(UserId),
}

/// Which part of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Range {
    /// The first ones after this number; 0: from the beginning.
    After(u64),
    /// The last ones before this number; 0: the last of all.
    Before(u64),
    /// The first ones not older than this.
    Since(Stamp),
}
