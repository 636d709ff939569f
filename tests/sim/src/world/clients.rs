//! Clients: their connections, and what they want done.

use proto::client::{ClientPacket, EndDevice};
use proto::ids::{DeviceId, Identity, MessageId, UserId};
use proto::server::ServerPacket;

use super::{Step, World};
use crate::agenda::{MS, SECOND, Time};
use crate::brief;
use crate::client::{Client, Connection, Does, Reply, Waking};
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
}
