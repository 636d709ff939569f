//! What an operator sees of a gateway.
//!
//! Owns what is shown. Must not know who asks, nor how it looks.

use std::net::IpAddr;

use proto::ids::{DeviceId, SessionId, UserId};
use proto::link::Recipient;

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

/// A message that a gateway has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// Who sent it.
    pub from: UserId,
    /// To whom.
    pub to: Recipient,
    /// The device that sent it, or that it was written to.
    pub device: DeviceId,
    /// It was written to the recipient's device, which has not acknowledged it;
    /// else the sender's window has it, and waits for an answer.
    pub written: bool,
}
