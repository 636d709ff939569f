//! Clients: their connections, and what their people do.

use bytes::Bytes;
use proto::client::{ClientPacket, EndDevice, Read, TRANSIENT_TYPING, Transient};
use proto::friends::{FriendAction, Relation};
use proto::ids::{DeviceId, Identity, MessageId, Stamp, UserId};
use proto::server::ServerPacket;
use proto::status::{Availability, Status};
use smol_str::SmolStr;

use super::clock::WALL;
use super::{Step, World};
use crate::agenda::{MS, SECOND, Time};
use crate::brief;
use crate::client::{Client, Connection, Does, Reply, Waking};
use crate::model::To;
use crate::observed::{Observed, Process};

const DEVICES: [&str; 2] = ["phone-7f3a", "laptop"];

impl World {
    pub(super) fn begin_clients(&mut self, users: Vec<UserId>) {
        for user in &users[..self.plan.users] {
            let devices = if self.dice.percent(35) { 2 } else { 1 };
            for device in &DEVICES[..devices] {
                let device = DeviceId::new(device).expect("a good name");
                let keeps_ids = self.dice.percent(50);
                let mut client = Client::new(user.clone(), device, keeps_ids);
                client.inbox.pause = self.dice.within(0..3 * MS);
                if self.plan.troubles.slow_readers && self.dice.percent(30) {
                    client.inbox.pause = self.dice.within(100 * MS..2 * SECOND);
                }
                if self.plan.troubles.slow_readers && self.dice.percent(15) {
                    client.reads_every = self.dice.within(MS..60 * MS);
                }
                let name = (client.user.clone(), client.device.clone());
                self.model.devices.push(name);
                self.clients.push(client);
            }
        }
        self.users = users;
        // Shards come one after the other; that is no change yet.
        let begin = if self.plan.leased { SECOND } else { 0 };
        for client in 0..self.clients.len() {
            self.plan_in(begin + 10 * MS..begin + SECOND, Step::Connect(client, 1));
            let first = begin + 100 * MS..begin + SECOND + self.plan.act_pause.end;
            self.plan_in(first, Step::Woke(client, 1, Waking::Act));
        }
    }

    pub(super) fn connect(&mut self, client: usize, start: u32) {
        let who = &self.clients[client];
        if who.process != start || who.connection().is_some() || !who.wants {
            return;
        }
        let gateway = self.dice.index(self.gateways.len());
        let Some(number) = self.open_socket(gateway, client) else {
            return self.plan_in(50 * MS..400 * MS, Step::Connect(client, start));
        };
        self.trace.say(self.now, || {
            let who = &self.clients[client];
            format!(
                "c{client} {}/{} opens #{number} to g{gateway}",
                who.user, who.device
            )
        });
        let connection = Connection { number, gateway };
        let mut does = Vec::new();
        self.clients[client].connected(self.now, connection, &mut does);
        self.client_does(client, does);
    }

    pub(super) fn client_gets(&mut self, client: usize, connection: u64, packet: ServerPacket) {
        let who = &mut self.clients[client];
        if who.connection().is_none_or(|c| c.number != connection) {
            return;
        }
        self.packet_left(connection);
        let mut does = Vec::new();
        self.clients[client].received(self.now, packet, &mut does);
        self.client_does(client, does);
    }

    pub(super) fn client_notices(&mut self, client: usize, connection: u64) {
        let who = &mut self.clients[client];
        if who.connection().is_some_and(|c| c.number == connection) {
            who.lost();
            let start = who.process;
            self.plan_in(20 * MS..500 * MS, Step::Connect(client, start));
        }
    }

    pub(super) fn woke(&mut self, client: usize, start: u32, waking: Waking) {
        if self.clients[client].process != start {
            return;
        }
        match waking {
            Waking::Act => return self.act(client),
            Waking::Probe => return self.probe(client),
            _ => {}
        }
        let mut does = Vec::new();
        self.clients[client].woke(self.now, waking, &mut does);
        self.client_does(client, does);
    }

    pub(super) fn client_does(&mut self, client: usize, does: Vec<Does>) {
        let start = self.clients[client].process;
        let process = Process { client, start };
        for done in does {
            match done {
                Does::Write(packet) => {
                    if let Some(connection) = self.clients[client].connection() {
                        let Connection { number, gateway } = connection;
                        self.observe_send(client, number, &packet);
                        self.client_sends(gateway, number, packet);
                    }
                }
                Does::Leave(pause) => self.leave(client, Some(50 * MS), pause),
                Does::SentAway(goaway) => self.client_sent_away(client, goaway),
                Does::Wake(at, waking) => {
                    self.agenda.plan(at, Step::Woke(client, start, waking));
                }
                Does::Showed(identity, body) => {
                    let keeps_ids = self.clients[client].keeps_ids;
                    self.trace.say(self.now, || {
                        let id = brief::id(&identity.id);
                        format!("c{client} shows {id} from {}", identity.from)
                    });
                    self.observe(Observed::Showed {
                        process,
                        keeps_ids,
                        identity: &identity,
                        body: &body,
                    });
                }
                Does::Got(identity) => {
                    if let Some(connection) = self.clients[client].connection() {
                        let connection = connection.number;
                        let identity = &identity;
                        self.observe(Observed::Got {
                            connection,
                            identity,
                        });
                    }
                }
                Does::Answered(id, reply) => self.client_answered(client, id, reply),
                Does::Invited(group) => self.invited(client, group),
                Does::Applied(group, user) => self.applied(client, group, user),
                Does::Begins(group, place) => {
                    let keeps = self.clients[client].keeps_ids;
                    self.observe(Observed::Begins {
                        process,
                        keeps,
                        group: &group,
                        place,
                    });
                }
                Does::ShowedEntry(group, epoch, entry) => {
                    let keeps = self.clients[client].keeps_ids;
                    self.trace.say(self.now, || {
                        format!("c{client} shows {group} {}", brief::entry(&entry))
                    });
                    self.observe(Observed::ShowedEntry {
                        process,
                        keeps,
                        group: &group,
                        epoch,
                        seq: entry.seq,
                    });
                }
                Does::Changed(action, peer) => {
                    let actor = &self.clients[client].user.clone();
                    let peer = &peer;
                    self.observe(Observed::Done {
                        actor,
                        peer,
                        action,
                    });
                }
            }
        }
    }

    fn observe_send(&mut self, client: usize, connection: u64, packet: &ClientPacket) {
        let user = self.clients[client].user.clone();
        let sends = match packet {
            ClientPacket::Send(send) => Some(send.id),
            ClientPacket::GroupSend(send) => Some(send.id),
            _ => None,
        };
        if let Some(id) = sends {
            let identity = &Identity { from: user, id };
            self.observe(Observed::Sends {
                connection,
                identity,
            });
        }
        match packet {
            ClientPacket::ChangeGroup(change) => {
                self.observe(Observed::AsksGroup { client, change });
            }
            ClientPacket::EndDevice(EndDevice { request, device }) => {
                let request = *request;
                self.observe(Observed::EndsDevice {
                    client,
                    request,
                    device,
                });
            }
            _ => {}
        }
    }

    fn client_answered(&mut self, client: usize, id: MessageId, reply: Reply) {
        let (refused, code) = match reply {
            Reply::Sent => return,
            Reply::Rejected(code) => (true, code),
            Reply::Unknown(code) => (false, code),
        };
        let from = self.clients[client].user.clone();
        let identity = &Identity { from, id };
        self.observe(Observed::NotSafe {
            identity,
            refused,
            code,
        });
    }

    /// A client leaves its connection and comes again after a pause. The
    /// gateway notices after so long, or not by itself.
    pub(super) fn leave(&mut self, client: usize, noticed: Option<Time>, pause: Time) {
        let who = &mut self.clients[client];
        let Some(connection) = who.connection() else {
            return;
        };
        who.lost();
        let start = who.process;
        self.trace.say(self.now, || {
            format!("c{client} leaves #{}", connection.number)
        });
        self.socket_left(connection.gateway, connection.number, noticed);
        let at = self.now + pause + 1;
        self.agenda.plan(at, Step::Connect(client, start));
    }

    /// What a person does of their own accord.
    fn act(&mut self, client: usize) {
        if self.is_quiet {
            return;
        }
        let start = self.clients[client].process;
        self.plan_in(
            self.plan.act_pause.clone(),
            Step::Woke(client, start, Waking::Act),
        );
        if self.plan.groups > 0 && self.dice.percent(45) {
            return self.act_in_group(client);
        }
        let roll = self.dice.within(0..100);
        match roll {
            0..70 => {
                let burst = if self.dice.percent(12) { 10 } else { 3 };
                for _ in 0..self.dice.within(1..burst) {
                    let to = To::User(self.peer_of(client));
                    self.write_message(client, to);
                }
            }
            70..76 => self.set_status(client),
            76..84 => self.change_friends(client),
            84..90 => self.send_twice(client),
            90..94 => self.small_talk(client),
            94..97 if self.plan.troubles.slow_readers => {
                let away = self.dice.within(200 * MS..4 * SECOND);
                self.clients[client].inbox.away_until = self.now + away;
            }
            97..98 => self.end_device(client),
            _ => {}
        }
    }

    /// A device ends one of its user's, maybe itself, or one that is not
    /// there.
    fn end_device(&mut self, client: usize) {
        let device = DeviceId::new(*self.dice.pick(&DEVICES)).expect("a good name");
        if self.clients[client].is_live() {
            self.ends += 1;
            let request = self.ends;
            let end = EndDevice { request, device };
            self.client_does(client, vec![Does::Write(ClientPacket::EndDevice(end))]);
        }
    }

    /// In peace a device writes, and later asks who else is there.
    fn probe(&mut self, client: usize) {
        if !self.clients[client].is_live() {
            return;
        }
        let to = To::User(self.peer_of(client));
        if let Some(id) = self.write_message(client, to) {
            self.probes.push((client, id));
        }
        self.probe_groups(client);
    }

    fn peer_of(&mut self, client: usize) -> UserId {
        let next = (client + 1) % self.clients.len();
        if self.dice.percent(50) {
            return self.clients[next].user.clone();
        }
        self.dice.pick(&self.users).clone()
    }

    pub(super) fn write_message(&mut self, client: usize, to: To) -> Option<MessageId> {
        // A person waits when too much has no answer.
        if self.clients[client].outbox.len() >= 40 {
            return None;
        }
        let wall_ms = (WALL as u64 + self.now) / 1000;
        let id = MessageId::mint(wall_ms, self.dice.bytes());
        let length = self.dice.within(8..120) as usize;
        let names_list = self.dice.percent(30);
        let mut body = format!("{client}:{}:", self.now).into_bytes();
        body.resize(length.max(body.len()), b'.');
        let who = &mut self.clients[client];
        let identity = &Identity {
            from: who.user.clone(),
            id,
        };
        let start = who.process;
        let process = Process { client, start };
        self.trace.say(self.now, || {
            let id = brief::id(&id);
            format!("c{client} writes {id} to {to}")
        });
        self.observe(Observed::Written {
            process,
            identity,
            to: &to,
            body: &body,
        });
        let who = &mut self.clients[client];
        who.outbox.write(id, to, Bytes::from(body), names_list);
        if who.is_live() {
            let mut does = Vec::new();
            who.outbox.transmit(who.changes.hash(), &mut does);
            self.client_does(client, does);
        }
        Some(id)
    }

    /// The same packet goes out once more.
    fn send_twice(&mut self, client: usize) {
        let number = self.dice.within(0..64) as usize;
        let who = &self.clients[client];
        if who.is_live()
            && let Some(message) = who.outbox.wired(number)
        {
            let packet = message.packet(who.changes.hash());
            self.client_does(client, vec![Does::Write(packet)]);
        }
    }

    fn set_status(&mut self, client: usize) {
        let availability = *self.dice.pick(&[
            Availability::Online,
            Availability::Away,
            Availability::Busy,
            Availability::Invisible,
        ]);
        let text = SmolStr::new(format!("since {}", self.now / MS));
        let status = Status { availability, text };
        let mut does = Vec::new();
        self.clients[client].show(status, &mut does);
        self.client_does(client, does);
    }

    fn small_talk(&mut self, client: usize) {
        let peer = self.peer_of(client);
        let packet = if self.dice.percent(50) {
            ClientPacket::Transient(Transient {
                to: peer,
                kind: TRANSIENT_TYPING,
                body: Bytes::new(),
            })
        } else {
            let up_to = Stamp(WALL as u64 + self.now);
            ClientPacket::Read(Read { peer, up_to })
        };
        if self.clients[client].is_live() {
            self.client_does(client, vec![Does::Write(packet)]);
        }
    }

    fn change_friends(&mut self, client: usize) {
        let who = &self.clients[client];
        if !self.plan.troubles.friend_changes || !who.is_live() || who.changes.is_open() {
            return;
        }
        let peer = self.peer_of(client);
        let who = &self.clients[client];
        let entry = who.changes.list().and_then(|list| list.find(&peer));
        let blocked = entry.is_some_and(|entry| entry.blocked);
        let relation = entry.map_or(Relation::None, |entry| entry.relation);
        let actions: &[FriendAction] = match relation {
            _ if blocked => &[FriendAction::Unblock],
            Relation::None => &[FriendAction::Request, FriendAction::Block],
            Relation::Requested => &[FriendAction::Remove, FriendAction::Request],
            Relation::Invited => &[FriendAction::Accept, FriendAction::Decline],
            Relation::Friend => &[
                FriendAction::Block,
                FriendAction::Block,
                FriendAction::Remove,
            ],
        };
        let action = *self.dice.pick(actions);
        let who = &mut self.clients[client];
        if peer == who.user {
            return;
        }
        let mut does = Vec::new();
        who.changes.begin(self.now, action, peer.clone(), &mut does);
        let actor = &who.user.clone();
        self.trace
            .say(self.now, || format!("c{client} {actor}: {action:?} {peer}"));
        let peer = &peer;
        self.observe(Observed::Asks {
            actor,
            peer,
            action,
        });
        self.client_does(client, does);
    }
}
