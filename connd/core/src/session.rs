//! One client's session: where it is in its life, and what it holds there.
//!
//! A session is offered, then checks its token, then lives; nothing of a later
//! state can be reached in an earlier one. Must not know bytes, links or other
//! sessions.

use std::net::IpAddr;
use std::time::Duration;

use proto::client::Login;
use proto::clock::Moment;
use proto::friends::ListHash;
use proto::ids::{DeviceId, GroupId, LoginOrder, Stamp, Token, UserId};
use proto::rate::Usage;
use proto::slot::Slot;
use proto::status::Status;

use crate::deliveries::Deliveries;
use crate::excess::Excess;
use crate::sends::SendWindow;

/// A connection.
#[derive(Debug)]
pub struct Session {
    /// Where it comes from.
    pub address: IpAddr,
    /// Where it is in its life.
    pub state: State,
}

/// Where a session is in its life.
#[derive(Debug)]
pub enum State {
    /// Connected; nothing came.
    Offered,
    /// A log-in came; its token is being checked.
    Checking(Box<Login>),
    /// The token is good.
    Live(Box<Live>),
}

/// A session of a known user.
#[derive(Debug)]
pub struct Live {
    /// Whose.
    pub user: UserId,
    /// Which device.
    pub device: DeviceId,
    /// The user's slot.
    pub slot: Slot,
    /// When it logged in.
    pub since: Stamp,
    /// The status that the client set last.
    pub status: Status,
    /// When the client set it.
    pub status_since: Stamp,
    /// Where the log-in stands among others, once a shard has said so.
    pub order: Option<LoginOrder>,
    /// The hash of the friend list that the client named last.
    pub friends_hash: Option<ListHash>,
    /// Of the shard that accepted it; none while it is announced.
    pub token: Option<Token>,
    /// The shard had no room for an announcement or a status: it is announced
    /// again, whatever an earlier announcement is answered.
    pub refused: bool,
    /// The client has its log-in answer.
    pub greeted: bool,
    /// It was announced.
    pub announced: bool,
    /// It was announced more than once: a delivery may come a second time.
    pub announced_again: bool,
    /// Agreed at the log-in.
    pub heartbeat: Duration,
    /// When the last packet came.
    pub heard: Moment,
    /// When the token ends.
    pub expires: Option<Moment>,
    /// Packets besides messages, acknowledgements and pings.
    pub requests: Usage,
    /// Messages without an answer.
    pub sends: SendWindow,
    /// Nothing is forwarded before the window is sent again as a whole.
    pub stalled: bool,
    /// A [`crate::timers::Timer::Stalled`] is armed.
    pub stall_armed: bool,
    /// A [`crate::timers::Timer::Resend`] is armed.
    pub resend_armed: bool,
    /// How often in a row the window went back, for the pause before the next.
    pub returned: u32,
    /// Messages beyond the window.
    pub exceeded: u32,
    /// How far it is beyond its rate.
    pub excess: Excess,
    /// The user has other devices, which want to know what this one sends.
    pub carbons_wanted: bool,
    /// Deliveries without an acknowledgement.
    pub deliveries: Deliveries,
    /// The groups in which the user is, as the user's shard says; at most
    /// [`proto::limits::USER_GROUPS_MAX`].
    pub groups: Vec<GroupId>,
}

impl Live {
    /// When the client will have been silent for too long, or its token ends.
    pub fn alive_until(&self) -> Moment {
        let silent = self.heard + 2 * self.heartbeat;
        self.expires.map_or(silent, |expires| expires.min(silent))
    }

    /// When to look whether it is alive: not later than half a minute from now,
    /// so that the timers of ended sessions do not gather.
    pub fn next_look(&self, now: Moment) -> Moment {
        self.alive_until().min(now + Duration::from_secs(30))
    }

    /// The pause before the next resend: 20 ms, doubled each time in a row, at
    /// most about a second.
    pub fn pause(&self) -> Duration {
        Duration::from_millis(20 << self.returned.min(6))
    }
}
