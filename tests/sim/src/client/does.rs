//! What a client does, and why it comes to itself.

use proto::client::ClientPacket;
use proto::codes::Code;
use proto::friends::FriendAction;
use proto::group::{LogEntry, Place};
use proto::ids::{GroupId, Identity, LogEpoch, MessageId, UserId};
use proto::server::Goaway;

use crate::agenda::Time;

/// What a client wants done, or lets be known.
#[derive(Debug)]
pub enum Does {
    /// Writes a packet.
    Write(ClientPacket),
    /// Leaves the connection, and comes again after this.
    Leave(Time),
    /// Leaves the connection at a moment that is drawn.
    SentAway(Goaway),
    /// Comes to itself at this time, for this.
    Wake(Time, Waking),
    /// Has shown a message to its person.
    Showed(Identity, Vec<u8>),
    /// Got a copy of a message.
    Got(Identity),
    /// Its message was answered.
    Answered(MessageId, Reply),
    /// A change of its list was answered as done.
    Changed(FriendAction, UserId),
    /// Begins with the log of a group, behind this place.
    Begins(GroupId, Place),
    /// Has shown an entry of a group's log to its person.
    ShowedEntry(GroupId, LogEpoch, LogEntry),
    /// Is invited to a group.
    Invited(GroupId),
    /// Is asked to admit someone to a group.
    Applied(GroupId, UserId),
}

/// What a client was told about its message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// It is safe.
    Sent,
    /// It was refused.
    Rejected(Code),
    /// Nobody knows.
    Unknown(Code),
}

/// Why a client comes to itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waking {
    /// It does something of its own accord.
    Act,
    /// In peace, it writes a message that its other devices must learn of.
    Probe,
    /// It asks who else is there as its user.
    AskDevices,
    /// It gives a sign of life on this connection, and looks whether it hears
    /// of any.
    Ping(u64),
    /// It moves to another gateway, if this is still its connection.
    Move(u64),
    /// It takes the oldest message that waits.
    Take,
    /// It sends a message of unknown fate again.
    SendAgain(MessageId),
    /// It asks for its list.
    AskList,
    /// It looks whether this change was answered.
    Change(u32),
    /// It looks whether this request about a group was answered.
    Group(u32),
}
