//! What shards say to each other, by way of a gateway.
//!
//! Owns these envelopes. Must not know by which gateway they travel.

use super::ID_WEIGHT;
use crate::limits::TEXT_BYTES_MAX;
use std::sync::Arc;

use super::{GroupAsk, Membership, MembershipVersion, Message, Post};
use crate::client::{GroupRead, Transient};
use crate::codes::Code;
use crate::friends::{FriendAction, FriendList, ListVersion};
use crate::ids::{Generation, GroupId, Incarnation, MessageId, SessionId, Stamp, UserId};
use crate::server::{GroupTransientFrom, ReceiptKind, ServerPacket};
use crate::slot::Slot;
use crate::status::PeerStatus;

/// From one shard to the owner of a slot, by way of a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relay {
    /// Whose owner it is for.
    pub slot: Slot,
    /// What it says.
    pub relayed: Relayed,
}

impl Relay {
    pub(super) fn weight(&self) -> usize {
        match &self.relayed {
            Relayed::Forward(forward) => forward.message.body.len(),
            Relayed::Transient { transient, .. } => transient.body.len(),
            Relayed::Tell(tell) => tell.targets.len() * ID_WEIGHT + TEXT_BYTES_MAX,
            Relayed::Statuses { statuses, .. } => statuses.len() * (ID_WEIGHT + TEXT_BYTES_MAX),
            Relayed::FriendActed(acted) => {
                let entries = acted.list.as_ref().map_or(0, |list| list.entries().len());
                entries * ID_WEIGHT
            }
            Relayed::Post(post) => post.body.len() + post.mentions.len() * ID_WEIGHT,
            Relayed::GroupTransient(transient) => transient.body.len(),
            Relayed::GroupAnswer { packet, .. } => packet.weight(),
            Relayed::Receipt { .. }
            | Relayed::FriendAct(_)
            | Relayed::Pledge(_)
            | Relayed::GroupRead { .. }
            | Relayed::GroupAsk(_)
            | Relayed::Membership(_)
            | Relayed::MembershipKept { .. }
            | Relayed::GroupApplied { .. } => 0,
        }
    }
}

/// What one shard says to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relayed {
    /// A checked message for its recipient's shard.
    Forward(Forward),
    /// A transient message.
    Transient {
        /// The sender.
        from: UserId,
        /// What.
        transient: Transient,
    },
    /// What became of messages.
    Receipt {
        /// Whose devices took or read them.
        from: UserId,
        /// Who sent them.
        to: UserId,
        /// What became of them.
        kind: ReceiptKind,
        /// Of those stamped not later than this.
        up_to: Stamp,
    },
    /// A status for those of the targets that are online.
    Tell(Tell),
    /// Answers a [`Tell`].
    Statuses {
        /// The telling shard's number for it.
        request: u64,
        /// Who was told of.
        to: UserId,
        /// Of those of the targets who show theirs, if it was asked for.
        statuses: Vec<PeerStatus>,
    },
    /// A change of the friend graph, for the peer's shard.
    FriendAct(FriendAct),
    /// What became of it, for the actor's shard.
    FriendActed(FriendActed),
    /// Word about a lease.
    Pledge(Pledge),
    /// A checked message for a group's shard.
    Post(Post),
    /// A transient message for a group's shard.
    GroupTransient(GroupTransientFrom),
    /// How far a user has read a group, for the group's shard.
    GroupRead {
        /// Who.
        user: UserId,
        /// What.
        read: GroupRead,
    },
    /// A request about a group, for its shard.
    GroupAsk(Box<GroupAsk>),
    /// The answer, for the asker's shard.
    GroupAnswer {
        /// The asker's shard's number of the request.
        request: u64,
        /// Who asked.
        actor: UserId,
        /// What their client is told.
        packet: Box<ServerPacket>,
    },
    /// As what a user belongs to a group, for the user's shard; told again until
    /// it is kept.
    Membership(Box<Membership>),
    /// It is durable at the user's shard, for the group's.
    MembershipKept {
        /// Which group.
        group: GroupId,
        /// Which user.
        user: UserId,
        /// Which of them.
        version: MembershipVersion,
    },
    /// Someone asks to be admitted, for an admin's shard.
    GroupApplied {
        /// The admin.
        to: UserId,
        /// To which group.
        group: GroupId,
        /// Who.
        user: UserId,
    },
}

impl Relayed {
    /// Of a checked message: the sender's session, which message of its window
    /// it is, and under which generation.
    pub fn of_window(&self) -> Option<(SessionId, MessageId, Generation)> {
        match self {
            Self::Forward(forward) => {
                Some((forward.session, forward.message.id, forward.generation))
            }
            Self::Post(post) => Some((post.session, post.id, post.generation)),
            _ => None,
        }
    }
}

/// A shard that does not reach the registry asks another one not to call it dead
/// for a lease; or that one promises. Who cannot is silent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pledge {
    /// Who says it.
    pub from: Incarnation,
    /// A slot of theirs, to which an answer goes.
    pub back: Slot,
    /// To whom: another at their place is not meant.
    pub to: Incarnation,
    /// The asker's number of the question.
    pub number: u64,
    /// It is the promise; else the question.
    pub given: bool,
}

/// A checked message, and whom to tell what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forward {
    /// The message.
    pub message: Message,
    /// The sender's session, at the gateway that it comes by.
    pub session: SessionId,
    /// Of that session's window: the gateway drops an older one.
    pub generation: Generation,
    /// It is not the first copy, so another may have come through.
    pub again: bool,
}

/// A status, told to many. It is answered with [`Relayed::Statuses`], and told
/// again until it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tell {
    /// The telling shard's number for it.
    pub request: u64,
    /// Whose, and what.
    pub status: PeerStatus,
    /// To whom: users of one shard, at most [`crate::limits::TARGETS_MAX`].
    pub targets: Vec<UserId>,
    /// Whether the targets' statuses are wanted in return.
    pub ask: bool,
    /// Whether the targets are shown the status; else it is only asked.
    pub news: bool,
}

/// A change of both sides of the friend graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendAct {
    /// The actor's shard's number for it.
    pub request: u64,
    /// Who acts.
    pub actor: UserId,
    /// On whom.
    pub peer: UserId,
    /// What.
    pub action: FriendAction,
    /// The version of the actor's list that the change starts from.
    pub actor_version: ListVersion,
}

/// What became of a [`FriendAct`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendActed {
    /// The actor's shard's number for it.
    pub request: u64,
    /// Who acted.
    pub actor: UserId,
    /// `None` when done.
    pub code: Option<Code>,
    /// The actor's list as the friend service has it now, where it is known.
    pub list: Option<Arc<FriendList>>,
}
