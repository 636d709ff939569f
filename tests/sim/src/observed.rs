//! What checkers get to see.
//!
//! Owns the list of what is worth a look. Must not know who looks.

use crate::agenda::Time;
use proto::client::ChangeGroup;
use proto::codes::Code;
use proto::friends::FriendAction;
use proto::group::{LogEntry, Place};
use proto::ids::{DeviceId, GroupId, Identity, LogEpoch, UserId};
use proto::server::Carbon;

use crate::model::To;

/// Names one process of one device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    /// Of the world's clients.
    pub client: usize,
    /// Which start.
    pub start: u32,
}

/// Something happened that a promise is about.
#[derive(Debug)]
pub enum Observed<'a> {
    /// A person wrote a message.
    Written {
        /// On which device.
        process: Process,
        /// The message.
        identity: &'a Identity,
        /// To whom.
        to: &'a To,
        /// What it says.
        body: &'a [u8],
    },
    /// A client wrote a message to its gateway.
    Sends {
        /// On which connection.
        connection: u64,
        /// The message.
        identity: &'a Identity,
    },
    /// A gateway wrote an answer to a message to a client.
    Left {
        /// On which connection.
        connection: u64,
        /// The message.
        identity: &'a Identity,
        /// What it says.
        verdict: Verdict<'a>,
    },
    /// A copy of a message reached a client.
    Got {
        /// On which connection.
        connection: u64,
        /// The message.
        identity: &'a Identity,
    },
    /// A client showed a message to its person.
    Showed {
        /// On which device.
        process: Process,
        /// The ids that it has shown outlive its process.
        keeps_ids: bool,
        /// The message.
        identity: &'a Identity,
        /// What it says.
        body: &'a [u8],
    },
    /// A client was told that its message is not safe, or may not be.
    NotSafe {
        /// The message.
        identity: &'a Identity,
        /// It was refused for good.
        refused: bool,
        /// Why.
        code: Code,
    },
    /// A user asks for a change of the friend graph.
    Asks {
        /// Who.
        actor: &'a UserId,
        /// With whom.
        peer: &'a UserId,
        /// What.
        action: FriendAction,
    },
    /// A user was told that a change is done.
    Done {
        /// Who.
        actor: &'a UserId,
        /// With whom.
        peer: &'a UserId,
        /// What.
        action: FriendAction,
    },
    /// A gateway told a client that its log-in is accepted.
    Greeted {
        /// On which connection.
        connection: u64,
        /// Of the world's clients.
        client: usize,
    },
    /// A gateway told a client that another one took its place.
    Replaced {
        /// On which connection.
        connection: u64,
        /// Of the world's clients.
        client: usize,
    },
    /// A gateway told a client what another device of its user did.
    Carbon {
        /// Of the world's clients.
        client: usize,
        /// What.
        carbon: &'a Carbon,
    },
    /// A client asks for the end of a device.
    EndsDevice {
        /// Of the world's clients.
        client: usize,
        /// Its number of it.
        request: u32,
        /// Which device of the same user.
        device: &'a DeviceId,
    },
    /// A gateway told a client that a device was ended.
    DeviceResult {
        /// Of the world's clients.
        client: usize,
        /// Its number of it.
        request: u32,
    },
    /// A gateway told a client that its device was ended.
    EndedDevice {
        /// Of the world's clients.
        client: usize,
    },
    /// A gateway asked a client to move.
    Asked {
        /// On which connection.
        connection: u64,
    },
    /// A client heard of that.
    Goes {
        /// On which connection.
        connection: u64,
        /// It has left by then.
        until: Time,
    },
    /// A gateway told a client that it stops, who is still there.
    Stopped {
        /// On which connection.
        connection: u64,
        /// After its clients were asked to move.
        is_left: bool,
    },
    /// An entry of a group's log is durable.
    Logged {
        /// Of which group.
        group: &'a GroupId,
        /// Of which of its logs.
        epoch: LogEpoch,
        /// What it says.
        entry: &'a LogEntry,
    },
    /// A client asks for a change of a group.
    AsksGroup {
        /// Of the world's clients.
        client: usize,
        /// What.
        change: &'a ChangeGroup,
    },
    /// A gateway told a client that what it asked for of a group is done.
    GroupDone {
        /// Of the world's clients.
        client: usize,
        /// Its number of it.
        request: u32,
    },
    /// A gateway gave a client an entry of a group's log.
    Given {
        /// Of the world's clients.
        client: usize,
        /// Of which group.
        group: &'a GroupId,
        /// Of which of its logs.
        epoch: LogEpoch,
        /// What it says.
        entry: &'a LogEntry,
    },
    /// A client begins with a log, behind this place.
    Begins {
        /// On which device.
        process: Process,
        /// What it has shown outlives its process.
        keeps: bool,
        /// Of which group.
        group: &'a GroupId,
        /// Where.
        place: Place,
    },
    /// A client showed an entry of a group's log to its person.
    ShowedEntry {
        /// On which device.
        process: Process,
        /// What it has shown outlives its process.
        keeps: bool,
        /// Of which group.
        group: &'a GroupId,
        /// Of which of its logs.
        epoch: LogEpoch,
        /// The entry's number.
        seq: u64,
    },
    /// A connection begins.
    Opened {
        /// Which.
        connection: u64,
        /// Of the world's clients.
        client: usize,
    },
    /// A client has left a connection; its gateway may not know yet.
    Abandoned {
        /// Which.
        connection: u64,
    },
    /// A gateway has closed a connection, or died with it.
    Ended {
        /// Which.
        connection: u64,
        /// Of the world's clients.
        client: usize,
    },
    /// A shard says something to a gateway.
    Speaks {
        /// Which incarnation.
        life: u64,
    },
    /// A shard has lost its lease.
    Fenced {
        /// Which incarnation.
        life: u64,
        /// Whether it had a share of the slots.
        has_slots: bool,
        /// Whether nobody has joined the ring without knowing it yet.
        all_begun: bool,
    },
    /// A slot that it has not given up was granted to another.
    Overtaken {
        /// Which incarnation had it.
        life: u64,
        /// Which has it now.
        by: u64,
    },
    /// A part failed.
    Failure,
    /// No more trouble from now on.
    Quiet,
}

/// What an answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// A device took it.
    Delivered(&'a DeviceId),
    /// It is in the mailbox.
    Stored,
    /// It is in the group's log.
    Logged(Place),
    /// It is refused.
    Rejected(Code),
    /// Its fate is unknown.
    Unknown(Code),
}
