//! A client, small and naive: what any client of the public protocol does.
//!
//! Owns one device's process: its connection, its unanswered messages, what it
//! has shown, whom it sees online. Must not know what is behind the gateway.

mod changes;
mod devices;
mod does;
mod groups;
mod inbox;
mod outbox;
mod presence;

use std::collections::BTreeSet;
use std::sync::Arc;

use proto::client::{ClientPacket, Login};
use proto::codes::Next;
use proto::friends::FriendList;
use proto::ids::{DeviceId, Identity, MessageId, UserId};
use proto::limits::VERSION;
use proto::server::ServerPacket;
use proto::status::Status;

use crate::agenda::{MS, SECOND, Time};

pub use changes::Changes;
pub use devices::Devices;
pub use does::{Does, Reply, Waking};
pub use groups::Groups;
pub use inbox::Inbox;
pub use outbox::Outbox;
pub use presence::Presence;

/// One device of one user.
#[derive(Debug)]
pub struct Client {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub device: DeviceId,
    /// Counts its starts.
    pub process: u32,
    /// The ids that it has shown outlive its process (rule 12).
    pub keeps_ids: bool,
    /// It is to be logged in; else it stays away.
    pub wants: bool,
    /// It reads a packet this often at the most.
    pub reads_every: Time,
    /// Where it is with its connection.
    pub link: Link,
    /// Messages without an answer.
    pub outbox: Outbox,
    /// Messages for it.
    pub inbox: Inbox,
    /// Whom it sees.
    pub presence: Presence,
    /// Its friend list and what it asked to change.
    pub changes: Changes,
    /// What it knows of the other devices of its user.
    pub devices: Devices,
    /// The groups that it is in.
    pub groups: Groups,
    /// What it shows.
    status: Status,
    /// What it has told the cluster, the latest last.
    told: Vec<Status>,
    /// When anything came last.
    pub heard: Time,
    /// Ids that it has shown, if they outlive the process.
    pub kept: BTreeSet<Identity>,
}

/// Where a client is with its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It has none.
    Away,
    /// It waits for the answer to its log-in.
    Greeting(Connection),
    /// It is logged in.
    Live(Connection),
}

/// A connection of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// Of all connections of the world.
    pub number: u64,
    /// To which gateway.
    pub gateway: usize,
}

/// Between two signs of life.
const PING_PAUSE: Time = 2 * SECOND;

/// After this long without a word a client leaves.
const SILENCE: Time = 5 * SECOND;

/// What it names as its heartbeat.
const HEARTBEAT_MS: u32 = 3_000;

impl Client {
    /// A device that was never there.
    pub fn new(user: UserId, device: DeviceId, keeps_ids: bool) -> Self {
        Self {
            user,
            device,
            process: 1,
            keeps_ids,
            wants: true,
            reads_every: 0,
            link: Link::Away,
            outbox: Outbox::default(),
            inbox: Inbox::default(),
            presence: Presence::default(),
            changes: Changes::default(),
            devices: Devices::default(),
            groups: Groups::default(),
            status: Status::online(),
            told: Vec::new(),
            heard: 0,
            kept: BTreeSet::new(),
        }
    }

    /// Its connection, logged in or not.
    pub fn connection(&self) -> Option<Connection> {
        match self.link {
            Link::Away => None,
            Link::Greeting(connection) | Link::Live(connection) => Some(connection),
        }
    }

    /// Whether it is logged in.
    pub fn is_live(&self) -> bool {
        matches!(self.link, Link::Live(_))
    }

    /// The process died and comes again: what it had in memory is gone.
    pub fn restart(&mut self) {
        self.process += 1;
        self.link = Link::Away;
        self.outbox = Outbox::default();
        self.inbox = Inbox::default();
        self.presence = Presence::default();
        self.changes = Changes::default();
        self.devices = Devices::default();
        self.groups.restart(self.keeps_ids);
        if self.keeps_ids {
            self.inbox.remember(self.kept.iter().cloned());
        }
    }

    /// A connection stands: it says who it is.
    pub fn connected(&mut self, now: Time, connection: Connection, out: &mut Vec<Does>) {
        self.link = Link::Greeting(connection);
        self.heard = now;
        self.inbox.connected();
        self.presence.connected();
        self.outbox.connected();
        let login = Login {
            version_min: VERSION,
            version_max: VERSION,
            features: 0,
            token: String::new(),
            user: Some(self.user.clone()),
            device: Some(self.device.clone()),
            friends_hash: self.changes.hash(),
            heartbeat_ms: HEARTBEAT_MS,
            status: Some(self.status.clone()),
        };
        self.told.push(self.status.clone());
        out.push(Does::Write(ClientPacket::Login(Box::new(login))));
        out.push(Does::Wake(
            now + PING_PAUSE,
            Waking::Ping(connection.number),
        ));
    }

    /// The connection is gone.
    pub fn lost(&mut self) {
        self.link = Link::Away;
        self.changes.lost();
        self.groups.lost();
    }

    /// A packet came.
    pub fn received(&mut self, now: Time, packet: ServerPacket, out: &mut Vec<Does>) {
        self.heard = now;
        let opens = matches!(packet, ServerPacket::LoginOk(_) | ServerPacket::Closing(_));
        assert!(
            opens || !matches!(self.link, Link::Greeting(_)),
            "a client hangs up on {packet:?} before the log-in answer"
        );
        match packet {
            ServerPacket::LoginOk(granted) => {
                if let Link::Greeting(connection) = self.link {
                    self.link = Link::Live(connection);
                }
                self.changes.connected(now, out);
                self.groups.connected(now, &granted.groups, out);
                self.outbox
                    .granted(granted.window_messages, granted.window_bytes);
                self.outbox.transmit(self.changes.hash(), out);
                self.tell_status(out);
            }
            ServerPacket::Deliver(deliver) => self.inbox.arrived(now, deliver, out),
            ServerPacket::Sent { id, .. } => self.answered(now, id, Reply::Sent, out),
            ServerPacket::Rejected { id, code, .. } => {
                self.answered(now, id, Reply::Rejected(code), out);
            }
            ServerPacket::Unknown { id, code } => {
                self.answered(now, id, Reply::Unknown(code), out);
            }
            ServerPacket::Presence { peers, snapshot } => self.presence.heard(peers, snapshot),
            ServerPacket::Friends(list) => self.list_came(now, list, out),
            ServerPacket::FriendsChanged { version, hash }
            | ServerPacket::FriendsStale { version, hash } => {
                self.changes.announced(now, version, hash, out);
            }
            ServerPacket::FriendResult { request, code } => {
                self.changes.answered(now, request, code, out);
            }
            ServerPacket::Closing(closing) => {
                let pause = match closing.code.next() {
                    Next::StayAway | Next::FreshToken => 2 * SECOND,
                    _ => 100 * MS,
                };
                let asked = Time::from(closing.come_back_after_ms) * MS;
                out.push(Does::Leave(pause.max(asked)));
            }
            ServerPacket::Pong
            | ServerPacket::Receipt(_)
            | ServerPacket::Transient(_)
            | ServerPacket::DeviceResult { .. } => {}
            ServerPacket::Goaway(goaway) => out.push(Does::SentAway(goaway)),
            ServerPacket::Carbon(carbon) => self.devices.heard(*carbon),
            ServerPacket::Devices(told) => self.devices.told = Some(told),
            of_group => self.of_group(now, of_group, out),
        }
    }

    fn of_group(&mut self, now: Time, packet: ServerPacket, out: &mut Vec<Does>) {
        match packet {
            ServerPacket::GroupState(state) => self.groups.told(now, state, out),
            ServerPacket::GroupDeliver(deliver) => self.groups.came(now, deliver, out),
            ServerPacket::GroupHead { group, head } => {
                self.groups.heard(now, &group, head.place, out);
            }
            ServerPacket::GroupLeft { group, .. } => self.groups.left(&group),
            ServerPacket::GroupInvited { group, .. } => out.push(Does::Invited(group)),
            ServerPacket::GroupApplied { group, user } => out.push(Does::Applied(group, user)),
            ServerPacket::GroupResult { request, code } => {
                self.groups.answered(now, request, code, out);
            }
            ServerPacket::Members(members) => {
                self.groups.answered(now, members.request, None, out);
            }
            ServerPacket::History(history) => self.groups.history(now, *history, out),
            _ => {}
        }
    }

    fn answered(&mut self, now: Time, id: MessageId, reply: Reply, out: &mut Vec<Does>) {
        self.outbox.answered(now, id, &reply, out);
        out.push(Does::Answered(id, reply));
        if self.is_live() {
            self.outbox.transmit(self.changes.hash(), out);
        }
    }

    fn list_came(&mut self, now: Time, list: Arc<FriendList>, out: &mut Vec<Does>) {
        for gone in self.changes.take(now, list, out) {
            self.presence.forget(&gone);
        }
    }

    /// It comes to itself, for anything but an act of its own.
    pub fn woke(&mut self, now: Time, waking: Waking, out: &mut Vec<Does>) {
        match waking {
            // The world knows what there is to do.
            Waking::Act | Waking::Probe => {}
            Waking::AskDevices => {
                if self.is_live() {
                    out.push(Does::Write(ClientPacket::GetDevices));
                }
            }
            Waking::Ping(number) => {
                if self.connection().is_none_or(|open| open.number != number) {
                    return;
                }
                if self.heard + SILENCE <= now {
                    out.push(Does::Leave(50 * MS));
                    return;
                }
                if self.is_live() {
                    out.push(Does::Write(ClientPacket::Ping));
                }
                out.push(Does::Wake(now + PING_PAUSE, Waking::Ping(number)));
            }
            Waking::Move(number) => {
                if self.connection().is_some_and(|open| open.number == number) {
                    out.push(Does::Leave(0));
                }
            }
            Waking::Take => {
                self.inbox.take(now, out);
                if self.keeps_ids {
                    self.kept.extend(self.inbox.shown().cloned());
                }
                if self.is_live() {
                    self.inbox.acknowledge(out);
                }
            }
            Waking::SendAgain(id) => {
                self.outbox.again(id);
                if self.is_live() {
                    self.outbox.transmit(self.changes.hash(), out);
                }
            }
            Waking::AskList => {
                if self.is_live() {
                    self.changes.ask_again(now, out);
                }
            }
            Waking::Group(request) => {
                if self.is_live() {
                    self.groups.ask_again(now, request, out);
                }
            }
            Waking::Change(request) => {
                if self.is_live() {
                    self.changes.ask_change_again(now, request, out);
                }
            }
        }
    }

    /// What it may be taken to show: its last word, and if it has gone, any
    /// that it had under way before that. The log-in of a connection that it
    /// left long ago may wait for its shard, and come about last.
    pub fn words(&self) -> &[Status] {
        if self.is_live() {
            std::slice::from_ref(&self.status)
        } else {
            &self.told
        }
    }

    /// It shows another status.
    pub fn show(&mut self, status: Status, out: &mut Vec<Does>) {
        self.status = status;
        self.tell_status(out);
    }

    fn tell_status(&mut self, out: &mut Vec<Does>) {
        if self.is_live() && self.told.last() != Some(&self.status) {
            self.told.push(self.status.clone());
            out.push(Does::Write(ClientPacket::SetStatus(self.status.clone())));
        }
    }
}
