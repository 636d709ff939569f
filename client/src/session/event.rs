//! What the application is told.
//!
//! Owns the public words for it. Must not know when they are said.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use proto::codes::Code;
use proto::friends::FriendList;
use proto::group::{Action, Place};
use proto::ids::{DeviceId, GroupId, Identity, LogEpoch, MessageId, SessionId, Stamp, UserId};
use proto::server::{Carbon, GroupTransientFrom, Receipt, TransientFrom};
use proto::status::PeerStatus;
use smol_str::SmolStr;

use super::group_event::{Group, GroupEntry, GroupSkipped};

/// What the application is told, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Logged in, for the first time or again.
    Connected(Connected),
    /// No connection; the next is tried by itself.
    Reconnecting {
        /// After this long.
        after: Duration,
        /// Why there is none.
        reason: Reason,
    },
    /// A message, shown once.
    Message(Message),
    /// What became of messages to a peer; several may come as one.
    Receipt(Receipt),
    /// A message that is never stored: typing, signals. Shed first.
    Transient(TransientFrom),
    /// What another device of this user did. Not kept for who takes none.
    Carbon(Carbon),
    /// A friend looks different; several changes may come as one.
    Presence(PeerStatus),
    /// The friend list is another.
    Friends(Arc<FriendList>),
    /// One of this user's groups is known now or is another: its title, who may
    /// do what, how far it is read. Several changes come as one; an entry by
    /// itself is not one.
    Group(Group),
    /// An entry of a group's log. Who takes no events is held 4,096 of them for,
    /// and misses none: the rest is asked for later.
    GroupEntry(GroupEntry),
    /// Entries of a group's log that are not told: above 2,000 were missed, or
    /// they are kept no more. The next entry is one after them.
    GroupSkipped(GroupSkipped),
    /// A group's log began anew: what is held of it is of another one, and
    /// numbers count from 1 again.
    GroupAnew {
        /// Which group.
        group: GroupId,
        /// Of the log from now on.
        epoch: LogEpoch,
    },
    /// A message in a group that is never stored. Shed first.
    GroupTransient(GroupTransientFrom),
    /// This user is in a group no more, or not invited.
    GroupLeft {
        /// Which group.
        group: GroupId,
        /// What ended it, and who did that, if it is known.
        change: Option<(UserId, Action)>,
    },
    /// This user is invited to a group. Not kept for who takes none; see
    /// `Client::invitations`.
    GroupInvited {
        /// Which group.
        group: GroupId,
        /// By whom.
        by: UserId,
    },
    /// A user asks to be admitted to a group in which this user is an admin.
    /// Not kept for who takes none; see `Client::members`.
    GroupApplied {
        /// Which group.
        group: GroupId,
        /// Who.
        user: UserId,
    },
    /// The token has expired: the session waits for a fresh one, given to
    /// `Client::refresh_token`.
    TokenExpired,
    /// The session is over and does not come back by itself; nothing follows.
    Closed {
        /// Why; `None` when the application closed it.
        code: Option<Code>,
        /// Why, in words.
        text: SmolStr,
    },
}

/// A log-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// Who is logged in.
    pub user: UserId,
    /// Which device.
    pub device: DeviceId,
    /// The session's number, for logs.
    pub session: SessionId,
    /// The server's clock. A message with an older stamp came while away.
    pub server_time: Stamp,
}

/// A message for this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The sender.
    pub from: UserId,
    /// The sender's id for it.
    pub id: MessageId,
    /// When the cluster accepted it.
    pub stamp: Stamp,
    /// As the sender gave it.
    pub body: Bytes,
}

impl Message {
    /// Who the message is: for `Events::confirm` and for a store of what was
    /// shown.
    pub fn identity(&self) -> Identity {
        Identity {
            from: self.from.clone(),
            id: self.id,
        }
    }
}

/// Why there is no connection.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// No address took the connection.
    Unreachable(String),
    /// The connection broke, or the server sent what is no packet.
    Lost(String),
    /// The server was silent for longer than agreed.
    Silent,
    /// The server ended it and may be asked again.
    Closed {
        /// Why.
        code: Code,
        /// Why, in words.
        text: SmolStr,
    },
    /// Messages found no room because the application took none; they are
    /// fetched now.
    Behind,
    /// The application gave a fresh token.
    FreshToken,
    /// The server is about to stop, and there is a connection to another one.
    Goaway,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(text) => write!(f, "cannot connect: {text}"),
            Self::Lost(text) => write!(f, "connection lost: {text}"),
            Self::Silent => f.write_str("the server is silent"),
            Self::Closed { code, text } => write!(f, "{} {text}", code.number()),
            Self::Behind => f.write_str("fetching messages that found no room"),
            Self::FreshToken => f.write_str("logging in with the fresh token"),
            Self::Goaway => {
                f.write_str("moving to another server, since this one is about to stop")
            }
        }
    }
}

/// What became of a message that this client sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The recipient's device took it.
    Delivered {
        /// Which device.
        device: DeviceId,
        /// When the cluster accepted it.
        stamp: Stamp,
    },
    /// It is durable in the recipient's mailbox; a receipt follows when a
    /// device has taken it.
    Stored {
        /// When the cluster accepted it.
        stamp: Stamp,
    },
    /// It is durable in the group's log, and is told there like the others'.
    Logged {
        /// Its place in the log.
        place: Place,
        /// When the cluster accepted it.
        stamp: Stamp,
    },
    /// It was not delivered and never will be.
    Rejected {
        /// Why.
        code: Code,
        /// Why, in words.
        text: SmolStr,
    },
    /// It may or may not have arrived. Sent again with the same id
    /// (`Client::send_with_id`) it is not shown twice.
    Unknown {
        /// Why. With [`Code::TooOld`] the server does not remember whether it
        /// took the message, and will not later either.
        code: Code,
    },
}

/// How messages count as taken by the application.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Confirmation {
    /// When the next event is asked for.
    #[default]
    Automatic,
    /// When `Events::confirm` names them.
    Manual,
}
