//! What an operator may set of a gateway's core.

use std::time::Duration;

/// Bounds and times of one gateway.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Messages that may be unanswered per session, in either direction.
    pub window_messages: u32,
    /// Bytes of bodies that may be unanswered per session, in either direction.
    pub window_bytes: u32,
    /// The largest body of a message, in bytes.
    pub body_bytes_max: u32,
    /// From the connection to the log-in answer.
    pub login_patience: Duration,
    /// After this long without an answer a message's fate is unknown.
    pub send_patience: Duration,
    /// An unanswered window is sent again after this long without an answer.
    pub resend_after: Duration,
    /// The heartbeat of a client that names none.
    pub heartbeat_default: Duration,
    /// The shortest heartbeat that a client may choose.
    pub heartbeat_min: Duration,
    /// The longest heartbeat that a client may choose.
    pub heartbeat_max: Duration,
    /// Connections at one time.
    pub sessions_max: usize,
    /// Connections at one time from one address.
    pub sessions_per_address_max: usize,
    /// Log-ins per second; as many may come at once.
    pub logins_per_second: u32,
    /// Packets per second of one session, besides messages, acknowledgements
    /// and pings; four times as many may come at once.
    pub requests_per_second: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window_messages: 128,
            window_bytes: 512 * 1024,
            body_bytes_max: 16 * 1024,
            login_patience: Duration::from_secs(10),
            send_patience: Duration::from_secs(30),
            resend_after: Duration::from_secs(2),
            heartbeat_default: Duration::from_secs(30),
            heartbeat_min: Duration::from_secs(1),
            heartbeat_max: Duration::from_secs(300),
            sessions_max: 200_000,
            sessions_per_address_max: 20_000,
            logins_per_second: 5_000,
            requests_per_second: 50,
        }
    }
}

impl Settings {
    /// The heartbeat of a client that asks for this many milliseconds.
    pub(crate) fn heartbeat(&self, asked_ms: u32) -> Duration {
        if asked_ms == 0 {
            return self.heartbeat_default;
        }
        let asked = Duration::from_millis(u64::from(asked_ms));
        asked.clamp(self.heartbeat_min, self.heartbeat_max)
    }
}

/// When clients are to move to another gateway, before this one stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaving {
    /// Nobody moves sooner than this after it was told.
    pub after: Duration,
    /// From then on clients move at moments spread over this.
    pub spread: Duration,
}

impl Default for Leaving {
    fn default() -> Self {
        Self {
            after: Duration::from_millis(500),
            spread: Duration::from_secs(5),
        }
    }
}

impl Leaving {
    /// When the last client should have begun to move.
    pub fn longest(&self) -> Duration {
        self.after + self.spread
    }
}
