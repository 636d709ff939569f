//! What gateways and shards say to each other of groups.
//!
//! Owns these envelopes. Must not know who may do what in a group.

use bytes::Bytes;

use super::{Attempt, ID_WEIGHT};
use crate::client::{ChangeGroup, GetHistory, GetMembers};
use crate::group::{Action, Belongs, GroupState, Head, Mentions, Place};
use crate::ids::{Generation, GroupId, LogEpoch, MessageId, SessionId, UserId};
use crate::limits::TEXT_BYTES_MAX;
use crate::server::{GroupDeliver, GroupTransientFrom};

/// From a gateway to a group's shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToGroup {
    /// A session of a member is there.
    Follow(Follow),
    /// The gateway follows the group still: its link or the ring changed.
    FollowAgain {
        /// The last entry that it saw.
        after: Place,
        /// Members of whom it has sessions: some, at most
        /// [`crate::limits::FOLLOWERS_MAX`].
        users: Vec<UserId>,
    },
    /// No session of a member is there any more.
    Unfollow,
    /// Answers a [`FromGroup::Drop`]: nothing of the group goes to the user by
    /// this gateway any more.
    Dropped {
        /// Its number.
        number: u64,
    },
    /// Answers a [`FromGroup::Who`].
    Present {
        /// Its number.
        number: u64,
        /// How many members who do not hide are there.
        count: u32,
        /// Some of them, at most [`crate::limits::FOLLOWERS_MAX`].
        users: Vec<UserId>,
    },
}

impl ToGroup {
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::FollowAgain { users, .. } | Self::Present { users, .. } => {
                users.len() * ID_WEIGHT
            }
            Self::Follow(_) | Self::Unfollow | Self::Dropped { .. } => 0,
        }
    }
}

/// A session of a member is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follow {
    /// The gateway's number for it; the answer carries it.
    pub session: SessionId,
    /// Whose, as the user's shard says.
    pub user: UserId,
}

/// From a group's shard to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FromGroup {
    /// A session's user is a member: what comes from now on is for it too.
    Followed {
        /// Which session.
        session: SessionId,
        /// What the client is told of the group.
        state: Box<GroupState>,
    },
    /// A session's user is no member.
    NotMember {
        /// Which session.
        session: SessionId,
        /// Of which group.
        group: GroupId,
        /// Later than any word by which the user was one before.
        version: MembershipVersion,
    },
    /// The shard does not know the group's followers: it is to be followed again,
    /// a little later.
    Busy {
        /// Which group.
        group: GroupId,
    },
    /// Answers a [`ToGroup::FollowAgain`]; what was missed has come before this,
    /// unless it was too much.
    FollowedAgain {
        /// Which group.
        group: GroupId,
        /// Its end.
        head: Head,
        /// Those of the users who are no members.
        gone: Vec<UserId>,
        /// As in [`FromGroup::NotMember`], of these.
        version: MembershipVersion,
    },
    /// An entry of the log.
    Entry(GroupDeliver),
    /// A transient message.
    Transient(GroupTransientFrom),
    /// A user is no member any more; answered by [`ToGroup::Dropped`].
    Drop {
        /// Of which group.
        group: GroupId,
        /// The shard's number for it.
        number: u64,
        /// Who; none: nobody is, the group has ended.
        user: Option<UserId>,
        /// Who did it.
        actor: UserId,
        /// What.
        action: Action,
    },
    /// Who of the members is there?
    Who {
        /// Of which group.
        group: GroupId,
        /// The shard's number for it.
        number: u64,
    },
}

impl FromGroup {
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Followed { .. } | Self::Drop { .. } => TEXT_BYTES_MAX,
            Self::FollowedAgain { gone, .. } => gone.len() * ID_WEIGHT,
            Self::Entry(deliver) => deliver.entry.weight(),
            Self::Transient(transient) => transient.body.len(),
            Self::NotMember { .. } | Self::Busy { .. } | Self::Who { .. } => 0,
        }
    }
}

/// A message that its sender's shard has checked, for a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Which group.
    pub group: GroupId,
    /// The sender.
    pub from: UserId,
    /// The sender's id for it.
    pub id: MessageId,
    /// Opaque to the cluster.
    pub body: Bytes,
    /// Whose attention it wants.
    pub mentions: Mentions,
    /// The sender's session, at the gateway that it comes by.
    pub session: SessionId,
    /// Of that session's window: the gateway drops an older one.
    pub generation: Generation,
    /// Whether it went out before: if so another copy may have come through.
    pub attempt: Attempt,
}

/// A request about a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupAsk {
    /// The asker's shard's number for it.
    pub request: u64,
    /// Who asks.
    pub actor: UserId,
    /// What.
    pub what: GroupRequest,
}

/// What is asked of a group's shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupRequest {
    /// Change the group.
    Change(ChangeGroup),
    /// Who is in it.
    Members(GetMembers),
    /// A part of its log; of a group's.
    History(GroupId, GetHistory),
}

impl GroupRequest {
    /// Which group.
    pub fn group(&self) -> &GroupId {
        match self {
            Self::Change(change) => &change.group,
            Self::Members(get) => &get.group,
            Self::History(group, _) => group,
        }
    }

    /// The client's number of it.
    pub fn request(&self) -> u32 {
        match self {
            Self::Change(change) => change.request,
            Self::Members(get) => get.request,
            Self::History(_, get) => get.request,
        }
    }
}

/// Which of two words about one user in one group is the newer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MembershipVersion {
    /// Of the group's log.
    pub epoch: LogEpoch,
    /// Counts every change of who belongs to the group.
    pub revision: u64,
}

/// As what a user belongs to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Which group.
    pub group: GroupId,
    /// Which user.
    pub user: UserId,
    /// As what; none: not at all.
    pub belongs: Option<Belongs>,
    /// Which word it is.
    pub version: MembershipVersion,
}
