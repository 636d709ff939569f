//! What an operator sees of a gateway.
//!
//! Owns what is shown. Must not know who asks, nor how it looks.

use std::net::IpAddr;

use proto::ids::{DeviceId, SessionId};

/// A connection of a user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connected {
    /// The gateway's number for it.
    pub session: SessionId,
    /// Which device.
    pub device: DeviceId,
    /// Where it comes from.
    pub address: IpAddr,
    /// Messages of the user without an answer.
    pub unanswered: usize,
    /// Messages for the user without an acknowledgement.
    pub unacknowledged: usize,
}
