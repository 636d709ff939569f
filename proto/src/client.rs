//! Packets from a client.
//!
//! Owns what they say. Must not know their bytes, nor sessions: whether a
//! packet is in place is the session's to say.

use bytes::Bytes;

use crate::codes::Code;
use crate::friends::{FriendAction, ListHash};
use crate::group::{Action, Conversation, Mentions, Range, ReadTo, Which};
use crate::ids::{DeviceId, GroupId, LogEpoch, MessageId, Stamp, UserId};
use crate::status::Status;

/// One packet from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientPacket {
    /// The first packet of a connection.
    Login(Box<Login>),
    /// A message for another user.
    Send(Send),
    /// All deliveries up to this number are taken by the application.
    Ack {
        /// The number of a [`crate::server::Deliver`].
        seq: u64,
    },
    /// A sign of life; answered by a pong.
    Ping,
    /// A message that is never stored and never acknowledged.
    Transient(Transient),
    /// The user has read what the peer sent up to this stamp.
    Read(Read),
    /// The user shows another status.
    SetStatus(Status),
    /// Asks for the friend list.
    GetFriends,
    /// Changes the relation with a peer.
    ChangeFriend(ChangeFriend),
    /// A token that replaces the one of the log-in before that expires.
    RefreshToken {
        /// As in [`Login::token`].
        token: String,
    },
    /// The session ends by the user's will.
    Logout,
    /// Asks for the devices of this user that are logged in.
    GetDevices,
    /// Ends the session of another device of this user.
    EndDevice(EndDevice),
    /// A message for a group.
    GroupSend(GroupSend),
    /// A message for a group that is never stored and never acknowledged.
    GroupTransient(GroupTransient),
    /// The user has read a group up to here.
    GroupRead(GroupRead),
    /// Changes a group, or who is in it.
    ChangeGroup(ChangeGroup),
    /// Asks for the groups that the user belongs to.
    GetGroups,
    /// Asks who is in a group.
    GetMembers(GetMembers),
    /// Asks for a part of a history.
    GetHistory(GetHistory),
}

/// What a client says of itself first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The lowest protocol version spoken.
    pub version_min: u32,
    /// The highest protocol version spoken.
    pub version_max: u32,
    /// Bits of optional features; none is defined in version 1.
    pub features: u64,
    /// A signed token; empty in open mode.
    pub token: String,
    /// Who logs in, in open mode; with a token its `sub` counts, and this is
    /// empty or the same.
    pub user: Option<UserId>,
    /// Which device; empty only where the token names it.
    pub device: Option<DeviceId>,
    /// The hash of the friend list that the client holds.
    pub friends_hash: Option<ListHash>,
    /// The client sends something at least this often, in milliseconds; 0 for
    /// the server's default.
    pub heartbeat_ms: u32,
    /// The status to show; none: what other devices of the user show, else
    /// online.
    pub status: Option<Status>,
}

/// A message for another user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// Minted by the client, once per message.
    pub id: MessageId,
    /// The recipient.
    pub to: UserId,
    /// Opaque to the cluster.
    pub body: Bytes,
    /// The hash of the friend list that the client holds.
    pub friends_hash: Option<ListHash>,
    /// It was sent before, on this connection or another: that copy may have
    /// come through, so this one is not refused for good because of the window,
    /// the rate, the size, the clock or the filter.
    pub again: bool,
}

/// A message that is never stored and never acknowledged: typing, signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transient {
    /// The recipient.
    pub to: UserId,
    /// What it is, agreed between clients; 1 is typing.
    pub kind: u32,
    /// Opaque to the cluster.
    pub body: Bytes,
}

/// [`Transient::kind`] of a typing notice.
pub const TRANSIENT_TYPING: u32 = 1;

/// A read mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Whose messages were read.
    pub peer: UserId,
    /// Those stamped not later than this.
    pub up_to: Stamp,
}

/// A change of the friend graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeFriend {
    /// Chosen by the client; the answer carries it.
    pub request: u32,
    /// What to do.
    pub action: FriendAction,
    /// With whom.
    pub peer: UserId,
}

/// Another device of this user is to be logged out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndDevice {
    /// Chosen by the client; the answer carries it.
    pub request: u32,
    /// Which device.
    pub device: DeviceId,
}

/// A message for a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupSend {
    /// Minted by the client, once per message.
    pub id: MessageId,
    /// Which group.
    pub group: GroupId,
    /// Opaque to the cluster.
    pub body: Bytes,
    /// Whose attention it wants.
    pub mentions: Mentions,
    /// As in [`Send::again`].
    pub again: bool,
}

/// A message for the online members of a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupTransient {
    /// Which group.
    pub group: GroupId,
    /// As in [`Transient::kind`].
    pub kind: u32,
    /// Opaque to the cluster.
    pub body: Bytes,
}

/// How far the user has read a group; reported at most once a second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRead {
    /// Which group.
    pub group: GroupId,
    /// Of its log.
    pub epoch: LogEpoch,
    /// Up to here.
    pub read: ReadTo,
}

/// Something to be done to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeGroup {
    /// Chosen by the client; the answer carries it.
    pub request: u32,
    /// Which group.
    pub group: GroupId,
    /// What to do.
    pub action: Action,
}

/// Who is in a group, page by page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetMembers {
    /// Chosen by the client; the answer carries it.
    pub request: u32,
    /// Which group.
    pub group: GroupId,
    /// Whom.
    pub which: Which,
    /// Those whose ids come after this one; none: from the first on.
    pub after: Option<UserId>,
}

/// A part of a history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GetHistory {
    /// Chosen by the client; the answer carries it.
    pub request: u32,
    /// Of what.
    pub of: Conversation,
    /// Which part.
    pub range: Range,
    /// So many at most, itself at most [`crate::limits::PAGE_MAX`].
    pub count: u32,
}

/// Why bytes are no packet. The client must act; the session closes with
/// [`PacketError::code`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Not protobuf of this shape.
    #[error("not a packet: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// No packet, or one that this version does not know.
    #[error("no packet that is known")]
    Unknown,
    /// A field that must be there is missing or out of its range.
    #[error("field `{0}` is missing or wrong")]
    Field(&'static str),
    /// An id that is none.
    #[error("field `{0}`: {1}")]
    Id(&'static str, crate::ids::IdError),
}

impl PacketError {
    /// The code that the client is told.
    pub fn code(&self) -> Code {
        Code::Malformed
    }
}
