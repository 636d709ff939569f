//! What a door is given with every event, and where it leaves what comes of it.
//!
//! Owns nothing that outlives a call.

use std::time::Duration;

use bytes::BytesMut;
use proto::client::ClientPacket;
use proto::clock::Now;
use proto::codes::Code;

/// What is asked of the session and has no answer for so long is given up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// What an operator may set of this door.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `GET` with a time that lies further back gives the last five minutes.
    pub history: Duration,
    /// Requests per second that a session behind the door takes, four times as
    /// many at once: beyond them lines wait.
    pub requests_per_second: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            history: Duration::from_secs(24 * 60 * 60),
            requests_per_second: 50,
        }
    }
}

/// One call of a door.
#[derive(Debug)]
pub struct Turn<'a> {
    /// The time of the call.
    pub now: Now,
    /// New with each call; of it one message's id is made, or a device's name.
    pub random: [u8; 10],
    /// The same for all doors.
    pub settings: &'a Settings,
    /// For the session, in this order. After an error nothing follows, and the
    /// session closes by its code.
    pub packets: &'a mut Vec<Result<ClientPacket, Code>>,
    /// For the client, in this order.
    pub out: &'a mut BytesMut,
}

impl Turn<'_> {
    /// A packet for the session.
    pub(crate) fn ask(&mut self, packet: ClientPacket) {
        self.packets.push(Ok(packet));
    }
}
