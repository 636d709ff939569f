//! Envelopes of the link between a gateway and a shard.
//!
//! Owns what the two say to each other, in process and over gRPC, and the
//! codec of the latter. Must not know how an envelope travels.

mod group;
mod relay;
mod request;

use std::fmt;

use bytes::Bytes;
use smallvec::SmallVec;
use smol_str::SmolStr;

use crate::codes::Code;
use crate::friends::ListHash;
use crate::group::{Mentions, UserGroup};
use crate::ids::{
    DeviceId, Epoch, Generation, GroupId, Identity, LoginOrder, MessageId, SessionId, Stamp, Token,
    UserId,
};
use crate::server::{Sent, ServerPacket};
use crate::slot::Slot;
use crate::status::Status;

pub use group::{
    Follow, FromGroup, GroupAsk, GroupRequest, Membership, MembershipVersion, Post, ToGroup,
};
pub use relay::{Forward, FriendAct, FriendActed, Pledge, Relay, Relayed, Tell};
pub use request::Request;

/// Envelopes that travel together, with the epoch of the ring by which their
/// sender routed them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch<E> {
    /// The sender's ring.
    pub epoch: Epoch,
    /// At most [`crate::limits::BATCH_ENVELOPES_MAX`].
    pub envelopes: Vec<E>,
}

/// Messages that a client took; mostly one or two, without an allocation.
pub type Identities = SmallVec<[Identity; 2]>;

/// From a gateway to a shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Up {
    /// A session of one of the shard's users is there.
    Announce(Box<Announce>),
    /// A session is gone.
    Gone {
        /// Which one.
        session: SessionId,
        /// Whose.
        user: UserId,
        /// The connection broke: the user lingers. Else they logged out.
        lost: bool,
    },
    /// A message of a session of one of the shard's users, to be checked.
    Submit(Submit),
    /// A session's client took these.
    Acknowledge {
        /// Which session.
        session: SessionId,
        /// Whose.
        user: UserId,
        /// What it took, in the order of delivery.
        identities: Identities,
    },
    /// Something else that a session's client wants.
    Request {
        /// Which session.
        session: SessionId,
        /// Whose.
        user: UserId,
        /// What.
        request: Request,
    },
    /// From another shard.
    Relay(Relay),
    /// For the shard of a group of which sessions are members.
    ToGroup {
        /// Which group.
        group: GroupId,
        /// What.
        what: ToGroup,
    },
}

/// From a shard to a gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Down {
    /// The session is known; deliveries carry this token.
    Accepted {
        /// Which session.
        session: SessionId,
        /// Of the shard's claim of the user's slot.
        token: Token,
        /// Where the log-in stands among others.
        order: LoginOrder,
        /// The groups that the user belongs to.
        groups: Vec<UserGroup>,
    },
    /// The session is not taken.
    Refused {
        /// Which session.
        session: SessionId,
        /// Why. [`Code::Busy`] and [`Code::ShardUnavailable`] ask for another
        /// announcement; anything else closes the session.
        code: Code,
    },
    /// A message for a session.
    Deliver(Deliver),
    /// What became of a session's message.
    Answer {
        /// Which session.
        session: SessionId,
        /// Which message.
        id: MessageId,
        /// What became of it.
        answer: Answer,
    },
    /// A message goes back to its session's window, to be sent again.
    Return(Return),
    /// A packet for these sessions.
    Push {
        /// Which sessions.
        sessions: SmallVec<[SessionId; 2]>,
        /// What they are told.
        packet: Box<ServerPacket>,
    },
    /// A session is to be closed.
    Close {
        /// Which session.
        session: SessionId,
        /// Why.
        code: Code,
    },
    /// For another shard.
    Relay(Relay),
    /// Whether the session's user has other devices, which want to know what
    /// this one sends.
    Carbons {
        /// Which session.
        session: SessionId,
        /// They do.
        wanted: bool,
    },
    /// From the shard of a group that the gateway follows, or wants to.
    FromGroup(FromGroup),
    /// The session's user is a member of a group from now on.
    Joined {
        /// Which session.
        session: SessionId,
        /// Which group.
        group: GroupId,
    },
    /// The session's user is no member of a group any more.
    Left {
        /// Which session.
        session: SessionId,
        /// Which group.
        group: GroupId,
    },
}

/// What an id, with what stands around it, takes in a batch.
const ID_WEIGHT: usize = 80;

impl Up {
    /// About how many bytes it takes besides a fixed part: what batches are
    /// bounded by, so that a full one stays below
    /// [`crate::limits::LINK_MESSAGE_BYTES_MAX`].
    pub fn weight(&self) -> usize {
        match self {
            Self::Submit(submit) => submit.body.len() + submit.to.weight(),
            Self::Relay(relay) => relay.weight(),
            Self::Request { request, .. } => request.weight(),
            Self::Acknowledge { identities, .. } => identities.len() * ID_WEIGHT,
            Self::ToGroup { what, .. } => what.weight(),
            Self::Announce(_) | Self::Gone { .. } => 0,
        }
    }
}

impl Down {
    /// As [`Up::weight`].
    pub fn weight(&self) -> usize {
        match self {
            Self::Deliver(deliver) => deliver.message.body.len(),
            Self::Relay(relay) => relay.weight(),
            Self::Push { packet, .. } => packet.weight(),
            Self::FromGroup(from) => from.weight(),
            Self::Accepted { groups, .. } => groups.len() * 2 * ID_WEIGHT,
            Self::Refused { .. }
            | Self::Answer { .. }
            | Self::Return(_)
            | Self::Close { .. }
            | Self::Carbons { .. }
            | Self::Joined { .. }
            | Self::Left { .. } => 0,
        }
    }
}

/// A session is there, for the first time or again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announce {
    /// The gateway's number for it.
    pub session: SessionId,
    /// Whose.
    pub user: UserId,
    /// Which device.
    pub device: DeviceId,
    /// How many deliveries may be unacknowledged.
    pub window_messages: u32,
    /// How many bytes of them may be unacknowledged.
    pub window_bytes: u32,
    /// The hash of the friend list that the client holds.
    pub friends_hash: Option<ListHash>,
    /// The status to show.
    pub status: Status,
    /// When the client set it, by its gateway: later than what the session
    /// showed before. Of several sessions the latest counts.
    pub status_since: Stamp,
    /// Where the log-in stands among others, once a shard has said so; none is
    /// later than all, unless the shard has replaced it already. Of two of one
    /// device the later one stays.
    pub order: Option<LoginOrder>,
    /// When it logged in, by its gateway.
    pub since: Stamp,
    /// It was online before: a link or the ring changed, not the user.
    pub again: bool,
}

/// Whether a message went out before: a copy may have come through then, and
/// 'never delivered' can be said of the first alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// Never before.
    First = 0,
    /// Its client says that it sent it before.
    Repeated = 1,
    /// Its gateway did, on this session: rates have counted it already.
    Resent = 2,
}

/// A message of a session, to be checked by its sender's shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submit {
    /// The sender's session.
    pub session: SessionId,
    /// Of the session's window.
    pub generation: Generation,
    /// Whether it went out before.
    pub attempt: Attempt,
    /// The sender.
    pub from: UserId,
    /// The sender's id for it.
    pub id: MessageId,
    /// To whom.
    pub to: Recipient,
    /// The hash of the friend list that the client holds.
    pub friends_hash: Option<ListHash>,
    /// Opaque to the cluster.
    pub body: Bytes,
}

/// To whom a message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A user.
    User(UserId),
    /// The members of a group.
    Group {
        /// Which.
        group: GroupId,
        /// Whose attention it wants.
        mentions: Mentions,
    },
}

impl Recipient {
    /// Of the user or the group.
    pub fn slot(&self) -> Slot {
        match self {
            Self::User(user) => Slot::of(user),
            Self::Group { group, .. } => Slot::of_group(group),
        }
    }

    fn weight(&self) -> usize {
        match self {
            Self::User(_) => 0,
            Self::Group { mentions, .. } => mentions.len() * ID_WEIGHT,
        }
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(f),
            Self::Group { group, .. } => write!(f, "group {group}"),
        }
    }
}

/// A message that its sender's shard has checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sender.
    pub from: UserId,
    /// The sender's id for it.
    pub id: MessageId,
    /// The recipient.
    pub to: UserId,
    /// When it was accepted.
    pub stamp: Stamp,
    /// Opaque to the cluster.
    pub body: Bytes,
}

impl Message {
    /// Who the message is.
    pub fn identity(&self) -> Identity {
        Identity {
            from: self.from.clone(),
            id: self.id,
        }
    }
}

/// A message for a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliver {
    /// Which session.
    pub session: SessionId,
    /// Of the shard's claim; another than the session's is dropped.
    pub token: Token,
    /// The message.
    pub message: Message,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It is safe.
    Sent(Sent),
    /// It is not delivered and never will be.
    Rejected {
        /// Why.
        code: Code,
        /// Why, in words; empty: the code's own.
        text: SmolStr,
        /// Under which it came: it says nothing of a copy that was sent since.
        generation: Generation,
    },
    /// It may be sent again with the same id.
    Unknown {
        /// Why.
        code: Code,
    },
}

/// A message goes back to its session's window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Return {
    /// Which session.
    pub session: SessionId,
    /// Which message.
    pub id: MessageId,
    /// The generation under which it came.
    pub generation: Generation,
    /// Why.
    pub reason: ReturnReason,
}

/// Why a message goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReturnReason {
    /// There is no room at the moment.
    Busy,
    /// The slot is another shard's, or was when it was routed.
    NotOwner,
}
