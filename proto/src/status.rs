//! Statuses: who is there, and which of two statuses is newer.
//!
//! Owns what a status is. Must not know who is told.

use smol_str::SmolStr;

use crate::ids::{Stamp, Token, UserId};

/// How reachable a user wants to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Availability {
    /// There.
    Online,
    /// There, but not at the device.
    Away,
    /// There, and not to be disturbed.
    Busy,
    /// There, shown to others as offline.
    Invisible,
    /// No session; never sent by a client.
    Offline,
}

/// What a user shows of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// How reachable.
    pub availability: Availability,
    /// In their own words; at most [`crate::limits::TEXT_BYTES_MAX`] bytes.
    pub text: SmolStr,
}

impl Status {
    /// Online, without words.
    pub fn online() -> Self {
        Self::plain(Availability::Online)
    }

    /// Offline, without words.
    pub fn offline() -> Self {
        Self::plain(Availability::Offline)
    }

    /// Without words.
    pub fn plain(availability: Availability) -> Self {
        Self {
            availability,
            text: SmolStr::default(),
        }
    }
}

/// Orders the statuses of one user: a claim of the slot raises the token, a
/// change raises the counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatusVersion {
    /// The token of the shard that said it.
    pub token: Token,
    /// Its count of changes.
    pub counter: u64,
}

/// One user's status as shown to another.
///
/// Who holds a status with a version that is not older keeps that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerStatus {
    /// Whose.
    pub user: UserId,
    /// What is shown; never [`Availability::Invisible`].
    pub status: Status,
    /// Which of two is newer.
    pub version: StatusVersion,
    /// When an offline user was last there, where that is known.
    pub last_seen: Option<Stamp>,
}
