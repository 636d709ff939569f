//! What an operator sees of a shard.
//!
//! Owns what is shown. Must not know who asks, nor how it looks.

use proto::ids::{DeviceId, SessionRef, Stamp, UserId};
use proto::server::Outcome;
use proto::slot::Slot;
use proto::status::Availability;

use crate::store::Position;

/// A user of the shard's slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whereabouts {
    /// The user's slot.
    pub slot: Slot,
    /// What is in memory of the user; none: nobody has asked for them lately.
    pub known: Option<Known>,
}

/// A user in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What friends see.
    pub shown: Availability,
    /// Where the user is logged in.
    pub sessions: Vec<Session>,
}

/// A session of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Where it is.
    pub at: SessionRef,
    /// Which device.
    pub device: DeviceId,
    /// When it logged in, by its gateway.
    pub since: Stamp,
}

/// What waits for a user whose mailbox is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// The first stored message that no device has acknowledged.
    pub cursor: Position,
    /// Where the next one goes.
    pub end: Position,
    /// Messages in memory: on their way to a device or to the mailbox.
    pub pending: usize,
    /// Bytes of their bodies.
    pub pending_bytes: usize,
    /// When an offline user was last there, if that is known.
    pub last_seen: Option<Stamp>,
}

/// A message that the shard of its recipient knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// Who sent it.
    pub from: UserId,
    /// To whom.
    pub to: UserId,
    /// When it was accepted.
    pub stamp: Stamp,
    /// What its sender was told; none: it is in memory, on its way.
    pub outcome: Option<Outcome>,
}
