//! Packets to a client.
//!
//! Owns what they say. Must not know their bytes, nor when they are sent.

mod group;

use std::sync::Arc;

use bytes::Bytes;
use smol_str::SmolStr;

use crate::client::{GroupRead, Read, Transient};
use crate::codes::Code;
use crate::friends::{FriendList, ListHash, ListVersion};
use crate::group::{Action, GroupState, Head, Place, UserGroup};
use crate::ids::{DeviceId, GroupId, ID_BYTES_MAX, MessageId, SessionId, Stamp, UserId};
use crate::limits::TEXT_BYTES_MAX;
use crate::status::PeerStatus;

pub use group::{GroupDeliver, GroupTransientFrom, History, Members};

/// One packet to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerPacket {
    /// The log-in is accepted.
    LoginOk(Box<LoginOk>),
    /// A message for this user.
    Deliver(Deliver),
    /// A message of this client is safe.
    Sent {
        /// Which one.
        id: MessageId,
        /// Where it is safe, and since when.
        sent: Sent,
    },
    /// A message of this client was not delivered and never will be.
    Rejected {
        /// Which one.
        id: MessageId,
        /// Why, in a class [`crate::codes::Next::Final`].
        code: Code,
        /// Why, in words.
        text: SmolStr,
    },
    /// A message of this client may be sent again with the same id.
    Unknown {
        /// Which one.
        id: MessageId,
        /// Why, in a class [`crate::codes::Next::Again`].
        code: Code,
    },
    /// Answers a ping.
    Pong,
    /// What became of messages to a peer.
    Receipt(Receipt),
    /// A message that is never stored: typing, signals.
    Transient(TransientFrom),
    /// Statuses of friends.
    Presence {
        /// Each is newer than an older one of the same user by its version.
        peers: Vec<PeerStatus>,
        /// The first after a log-in: friends not named are offline.
        snapshot: bool,
    },
    /// The friend list.
    Friends(Arc<FriendList>),
    /// The friend list changed; what it is now is to be asked for.
    FriendsChanged {
        /// The newest version.
        version: ListVersion,
        /// Its hash.
        hash: ListHash,
    },
    /// The client's hash is not that of the newest list.
    FriendsStale {
        /// The newest version.
        version: ListVersion,
        /// Its hash.
        hash: ListHash,
    },
    /// Answers a [`crate::client::ChangeFriend`].
    FriendResult {
        /// The client's number of it.
        request: u32,
        /// `None` when done.
        code: Option<Code>,
    },
    /// The one error before a close.
    Closing(Closing),
    /// The server is about to stop; the client moves to another in time.
    Goaway(Goaway),
    /// What another device of the same user did.
    Carbon(Box<Carbon>),
    /// The devices of this user that are logged in.
    Devices(Vec<DeviceEntry>),
    /// Answers a [`crate::client::EndDevice`].
    DeviceResult {
        /// The client's number of it.
        request: u32,
        /// `None` when done.
        code: Option<Code>,
    },
    /// An entry of the log of one of the user's groups.
    GroupDeliver(GroupDeliver),
    /// A message in a group that is never stored.
    GroupTransient(GroupTransientFrom),
    /// What one of the user's groups is: after the log-in, and after joining.
    GroupState(Box<GroupState>),
    /// Where a group's log ends: entries before that were left out.
    GroupHead {
        /// Which group.
        group: GroupId,
        /// Its end.
        head: Head,
    },
    /// The user is not in a group any more.
    GroupLeft {
        /// Which group.
        group: GroupId,
        /// What ended it, and who did that, if it is known.
        change: Option<(UserId, Action)>,
    },
    /// The user is invited to a group.
    GroupInvited {
        /// Which group.
        group: GroupId,
        /// By whom.
        by: UserId,
    },
    /// A user asks an admin to be admitted.
    GroupApplied {
        /// To which group.
        group: GroupId,
        /// Who.
        user: UserId,
    },
    /// Answers a [`crate::client::ChangeGroup`], or says why there is no other
    /// answer to a request about a group.
    GroupResult {
        /// The client's number of it.
        request: u32,
        /// `None` when done.
        code: Option<Code>,
    },
    /// The groups that the user belongs to.
    Groups(Vec<UserGroup>),
    /// Answers a [`crate::client::GetMembers`].
    Members(Box<Members>),
    /// Answers a [`crate::client::GetHistory`].
    History(Box<History>),
}

impl ServerPacket {
    /// About how many bytes it takes on a link besides a fixed part.
    pub(crate) fn weight(&self) -> usize {
        match self {
            Self::Presence { peers, .. } => {
                let text: usize = peers.iter().map(|peer| peer.status.text.len()).sum();
                text + peers.len() * 2 * ID_BYTES_MAX
            }
            Self::Friends(list) => list.entries().len() * 2 * ID_BYTES_MAX,
            Self::Transient(transient) => transient.body.len(),
            Self::Deliver(deliver) => deliver.body.len(),
            Self::Carbon(carbon) => carbon.weight(),
            Self::Devices(devices) => devices.len() * 2 * ID_BYTES_MAX,
            Self::GroupDeliver(deliver) => deliver.entry.weight(),
            Self::GroupTransient(transient) => transient.body.len(),
            Self::GroupState(_) => TEXT_BYTES_MAX,
            Self::LoginOk(login) => groups_weight(&login.groups),
            Self::Groups(groups) => groups_weight(groups),
            Self::Members(members) => members.members.len() * 2 * ID_BYTES_MAX,
            Self::History(history) => history.weight(),
            _ => 0,
        }
    }
}

fn groups_weight(groups: &[UserGroup]) -> usize {
    groups.len() * 3 * ID_BYTES_MAX
}

/// What a log-in grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginOk {
    /// The protocol version of this connection.
    pub version: u32,
    /// The features that both ends have.
    pub features: u64,
    /// Who is logged in.
    pub user: UserId,
    /// Which device.
    pub device: DeviceId,
    /// The session's number, for logs.
    pub session: SessionId,
    /// How many messages may be unanswered, in either direction.
    pub window_messages: u32,
    /// How many bytes of bodies may be unanswered, in either direction.
    pub window_bytes: u32,
    /// Something must come from the client at least this often.
    pub heartbeat_ms: u32,
    /// The largest body.
    pub body_bytes_max: u32,
    /// The server's clock; message ids are minted by it.
    pub server_time: Stamp,
    /// The groups that the user belongs to, at most
    /// [`crate::limits::USER_GROUPS_MAX`]. Of each in which the user is a member
    /// a [`ServerPacket::GroupState`] follows.
    pub groups: Vec<UserGroup>,
}

/// A message for this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliver {
    /// Numbered per session from 1; acknowledged cumulatively.
    pub seq: u64,
    /// The sender's id for it.
    pub id: MessageId,
    /// The sender.
    pub from: UserId,
    /// When it was accepted.
    pub stamp: Stamp,
    /// Opaque to the cluster.
    pub body: Bytes,
}

/// A message is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When it was accepted.
    pub stamp: Stamp,
    /// Where it is safe.
    pub outcome: Outcome,
}

/// Where a message is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The recipient's device took it.
    Delivered {
        /// Which device.
        device: DeviceId,
    },
    /// It is durable in the recipient's mailbox.
    Stored,
    /// It is durable in the group's log.
    Logged(Place),
}

/// What became of all messages to a peer up to a stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// To whom the messages were sent.
    pub peer: UserId,
    /// What became of them.
    pub kind: ReceiptKind,
    /// Of those stamped not later than this.
    pub up_to: Stamp,
}

/// What became of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiptKind {
    /// A device has taken them.
    Delivered,
    /// The user has read them.
    Read,
}

/// A message that is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransientFrom {
    /// The sender.
    pub from: UserId,
    /// As in [`crate::client::Transient::kind`].
    pub kind: u32,
    /// Opaque to the cluster.
    pub body: Bytes,
}

/// The one error before a close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Why; its class tells whether to come back.
    pub code: Code,
    /// Why, in words.
    pub text: SmolStr,
    /// Not sooner than this; 0: by the client's own back-off.
    pub come_back_after_ms: u32,
}

impl Closing {
    /// A close with the code's own text.
    pub fn of(code: Code) -> Self {
        Self {
            code,
            text: SmolStr::new_static(code.text()),
            come_back_after_ms: 0,
        }
    }
}

/// The server is about to stop. The client leaves by itself at a moment that
/// it draws from the spread, so that not all come to the others at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goaway {
    /// Not sooner than this from now.
    pub after_ms: u32,
    /// And not later than this after that; then the server closes.
    pub spread_ms: u32,
}

/// What another device of the same user did. It may be missing: a device
/// learns what it missed from history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Carbon {
    /// Which device.
    pub device: DeviceId,
    /// What it did.
    pub did: Did,
}

/// What a device did that the others of its user are to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Did {
    /// It sent a message, and that is safe.
    Sent(SentElsewhere),
    /// It read what a peer wrote.
    Read(Read),
    /// It sent a message that is never stored: typing, signals.
    Transient(Transient),
    /// It read a group.
    GroupRead(GroupRead),
}

/// A message that another device of the same user sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentElsewhere {
    /// The device's id for it.
    pub id: MessageId,
    /// Where it is safe, and since when.
    pub sent: Sent,
    /// The recipient.
    pub to: UserId,
    /// Opaque to the cluster.
    pub body: Bytes,
}

impl Carbon {
    /// The bytes of the body in it.
    pub fn weight(&self) -> usize {
        match &self.did {
            Did::Sent(sent) => sent.body.len(),
            Did::Transient(transient) => transient.body.len(),
            Did::Read(_) | Did::GroupRead(_) => 0,
        }
    }
}

/// A device that is logged in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceEntry {
    /// Its id, which is its name.
    pub device: DeviceId,
    /// Since when it is logged in.
    pub since: Stamp,
    /// It is the one that asks.
    pub own: bool,
}
