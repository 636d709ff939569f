//! What is shown to whoever sits before the terminal or reads the pipe.
//!
//! Owns the words for it. Must not know how they are written.

use std::time::Duration;

use client::{
    Availability, Code, DeviceEntry, DeviceId, FriendAction, FriendEntry, MessageId, PeerStatus,
    Stamp, Status, UserId,
};

use crate::groups::GroupNotice;
use crate::whom::Whom;

/// One thing to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// Logged in.
    Connected { user: UserId, device: DeviceId },
    /// No connection; the next is tried by itself.
    Reconnecting { after: Duration, reason: String },
    /// A message for this user.
    Message {
        from: UserId,
        id: MessageId,
        stamp: Stamp,
        /// It came this long before the log-in.
        away: Option<Duration>,
        text: String,
    },
    /// A message of this user is on its way.
    Sending(Sent),
    /// What became of it.
    Mark(Sent, Mark),
    /// This user wrote a message on another device; marks of it follow.
    Elsewhere {
        device: DeviceId,
        sent: Sent,
        text: String,
    },
    /// This user read a peer's messages on another device, up to a stamp.
    ReadElsewhere {
        device: DeviceId,
        peer: UserId,
        up_to: Stamp,
    },
    /// This user types on another device.
    TypingElsewhere { device: DeviceId, to: UserId },
    /// A peer types.
    Typing { from: UserId },
    /// A friend looks different.
    Presence {
        peer: PeerStatus,
        before: Availability,
    },
    /// A relation is another. One that says nothing is none any more.
    Relation { entry: FriendEntry, first: bool },
    /// One line of the friend list.
    Friend {
        entry: FriendEntry,
        status: Option<PeerStatus>,
    },
    /// The friend list has no lines.
    NoFriends,
    /// Something about a group.
    Group(GroupNotice),
    /// What is typed from now on goes there.
    Conversation { with: Whom },
    /// This user shows another status.
    OwnStatus(Status),
    /// A change was done.
    Done { action: FriendAction, peer: UserId },
    /// One device of this user that is logged in.
    Device(DeviceEntry),
    /// A device was logged out.
    Ended { device: DeviceId },
    /// Something was not done.
    Failed {
        /// What was asked.
        what: String,
        code: Option<Code>,
        text: String,
    },
    /// The list of commands.
    Help,
    /// The token has expired.
    TokenExpired,
    /// The end.
    Closed { code: Option<Code>, text: String },
}

/// A message of this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Counted from 1, for people.
    pub number: u64,
    pub to: Whom,
    pub id: MessageId,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    Stored,
    /// In the group's log, with this number.
    Logged(u64),
    /// To a device, where that is known.
    Delivered(Option<DeviceId>),
    Read,
    Rejected {
        code: Code,
        text: String,
    },
    Unknown {
        code: Code,
    },
}

/// The word of a command.
pub fn word(action: FriendAction) -> &'static str {
    match action {
        FriendAction::Request => "add",
        FriendAction::Accept => "accept",
        FriendAction::Decline => "decline",
        FriendAction::Remove => "remove",
        FriendAction::Block => "block",
        FriendAction::Unblock => "unblock",
    }
}
