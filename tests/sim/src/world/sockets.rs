//! The sockets of simulated gateways: packets on their way to and from clients.
//!
//! Owns how long they take, and what of them checkers see.

use std::net::{IpAddr, Ipv4Addr};

use connd_core::Event;
use proto::client::ClientPacket;
use proto::codes::Code;
use proto::group::Conversation;
use proto::ids::{Identity, SessionId};
use proto::server::{Outcome, ServerPacket};

use super::{MS, Step, World};
use crate::agenda::Time;
use crate::brief;
use crate::observed::{Observed, Verdict};

/// A connection, as the gateway's kernel has it.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) client: usize,
    pub(super) connection: u64,
    /// The latest arrival of what is under way, in each direction.
    pub(super) last_in: Time,
    pub(super) last_out: Time,
    /// Packets on their way to the client.
    pub(super) under_way: usize,
    /// What the gateway writes before long.
    pub(super) gathered: Vec<ServerPacket>,
    /// Something was left out that many get.
    left_out: bool,
}

impl Socket {
    /// Whether so much is on its way that what can be left out is.
    pub(super) fn lags(&self, lag_max: usize) -> bool {
        self.under_way > lag_max
    }
}

impl World {
    /// A gateway writes a packet for many; who lags goes without, and the gateway
    /// hears when they read again.
    pub(super) fn spread(
        &mut self,
        gateway: usize,
        sessions: &[SessionId],
        packet: &ServerPacket,
        later: bool,
    ) {
        let lag_max = self.plan.lag_max;
        for session in sessions {
            let sockets = &mut self.gateways[gateway].sockets;
            let Some(socket) = sockets.get_mut(session) else {
                continue;
            };
            if socket.lags(lag_max) {
                socket.left_out = true;
            } else if later {
                self.gather(gateway, *session, packet.clone());
            } else {
                self.write(gateway, *session, packet.clone());
            }
        }
    }

    /// A gateway writes a packet, and what it gathered before it.
    pub(super) fn write(&mut self, gateway: usize, session: SessionId, packet: ServerPacket) {
        self.write_gathered(gateway, session);
        self.write_one(gateway, session, packet);
    }

    pub(super) fn write_gathered(&mut self, gateway: usize, session: SessionId) {
        let Some(socket) = self.gateways[gateway].sockets.get_mut(&session) else {
            return;
        };
        for packet in std::mem::take(&mut socket.gathered) {
            self.write_one(gateway, session, packet);
        }
    }

    /// A gateway writes a packet before long.
    pub(super) fn gather(&mut self, gateway: usize, session: SessionId, packet: ServerPacket) {
        let node = &mut self.gateways[gateway];
        let boot = node.boot;
        let Some(socket) = node.sockets.get_mut(&session) else {
            return;
        };
        socket.gathered.push(packet);
        if socket.gathered.len() == 1 {
            self.plan_in(0..20 * MS, Step::Gathered(gateway, boot, session));
        }
    }

    fn write_one(&mut self, gateway: usize, session: SessionId, packet: ServerPacket) {
        let Some(socket) = self.gateways[gateway].sockets.get(&session) else {
            return;
        };
        let (client, connection) = (socket.client, socket.connection);
        let is_left = self.gateways[gateway].is_leaving;
        self.observe_write(client, connection, is_left, &packet);
        let delay = self.dice.within(self.plan.client_delay.clone());
        let socket_max = self.plan.socket_max;
        let boot = self.gateways[gateway].boot;
        let Some(socket) = self.gateways[gateway].sockets.get_mut(&session) else {
            return;
        };
        let reads_at = socket.last_out + self.clients[client].reads_every;
        socket.last_out = reads_at.max(self.now + delay);
        socket.under_way += 1;
        let clogged = socket.under_way == socket_max;
        let (at, packet) = (socket.last_out, Box::new(packet));
        self.trace.say(self.now, || {
            let packet = brief::server_packet(&packet);
            format!("g{gateway} -> c{client}#{connection} {packet}")
        });
        self.agenda
            .plan(at, Step::ToClient(client, connection, packet));
        if clogged {
            self.failed();
            let event = Event::Clogged { session };
            self.agenda
                .plan(self.now, Step::Gateway(gateway, boot, event));
        }
    }

    fn observe_write(
        &mut self,
        client: usize,
        connection: u64,
        is_left: bool,
        packet: &ServerPacket,
    ) {
        let (id, verdict) = match packet {
            ServerPacket::Sent { id, sent } => match &sent.outcome {
                Outcome::Delivered { device } => (*id, Verdict::Delivered(device)),
                Outcome::Stored => (*id, Verdict::Stored),
                Outcome::Logged(place) => (*id, Verdict::Logged(*place)),
            },
            ServerPacket::Rejected { id, code, .. } => (*id, Verdict::Rejected(*code)),
            ServerPacket::Unknown { id, code } => (*id, Verdict::Unknown(*code)),
            ServerPacket::LoginOk(_) => {
                return self.observe(Observed::Greeted { connection, client });
            }
            ServerPacket::Closing(closing) if closing.code == Code::Replaced => {
                return self.observe(Observed::Replaced { connection, client });
            }
            ServerPacket::Goaway(_) => return self.observe(Observed::Asked { connection }),
            // Who has left already may not have been noticed.
            ServerPacket::Closing(closing)
                if closing.code == Code::Stopping && self.is_at(client, connection) =>
            {
                return self.observe(Observed::Stopped {
                    connection,
                    is_left,
                });
            }
            ServerPacket::Closing(closing) if closing.code == Code::Ended => {
                return self.observe(Observed::EndedDevice { client });
            }
            ServerPacket::DeviceResult {
                request,
                code: None,
            } => {
                let request = *request;
                return self.observe(Observed::DeviceResult { client, request });
            }
            ServerPacket::Carbon(carbon) => {
                return self.observe(Observed::Carbon { client, carbon });
            }
            of_group => return self.observe_given(client, of_group),
        };
        self.trace
            .mark(self.now, 2, &[client as u64, id.minted_ms()]);
        let from = self.clients[client].user.clone();
        let identity = &Identity { from, id };
        self.observe(Observed::Left {
            connection,
            identity,
            verdict,
        });
    }

    fn observe_given(&mut self, client: usize, packet: &ServerPacket) {
        match packet {
            ServerPacket::GroupDeliver(deliver) => self.observe(Observed::Given {
                client,
                group: &deliver.group,
                epoch: deliver.epoch,
                entry: &deliver.entry,
            }),
            ServerPacket::History(history) => {
                let Conversation::Group(group) = &history.of else {
                    return;
                };
                for entry in &history.entries {
                    self.observe(Observed::Given {
                        client,
                        group,
                        epoch: history.epoch,
                        entry,
                    });
                }
            }
            ServerPacket::GroupResult {
                request,
                code: None,
            } => {
                let request = *request;
                self.observe(Observed::GroupDone { client, request });
            }
            _ => {}
        }
    }

    fn is_at(&self, client: usize, connection: u64) -> bool {
        let open = self.clients[client].connection();
        open.is_some_and(|open| open.number == connection)
    }

    pub(super) fn close_socket(&mut self, gateway: usize, session: SessionId) {
        let Some(socket) = self.gateways[gateway].sockets.remove(&session) else {
            return;
        };
        let (client, connection) = (socket.client, socket.connection);
        let at = socket.last_out.max(self.now) + 1;
        self.agenda
            .plan(at, Step::ClientNotices(client, connection));
        self.observe(Observed::Ended { connection, client });
    }

    /// Opens a connection; `None` if nobody answers there.
    pub(super) fn open_socket(&mut self, gateway: usize, client: usize) -> Option<u64> {
        let node = &mut self.gateways[gateway];
        if node.core.is_none() || node.is_leaving {
            return None;
        }
        self.connections += 1;
        let connection = self.connections;
        node.next_session += 1;
        let session = SessionId(node.next_session);
        let socket = Socket {
            client,
            connection,
            last_in: self.now,
            last_out: self.now,
            under_way: 0,
            gathered: Vec::new(),
            left_out: false,
        };
        node.sockets.insert(session, socket);
        self.observe(Observed::Opened { connection, client });
        let address = IpAddr::V4(Ipv4Addr::new(192, 0, 2, client as u8 + 1));
        self.gateway_event(gateway, Event::Opened { session, address });
        Some(connection)
    }

    /// A client writes to its gateway.
    pub(super) fn client_sends(&mut self, gateway: usize, connection: u64, packet: ClientPacket) {
        let delay = self.dice.within(self.plan.client_delay.clone());
        let node = &mut self.gateways[gateway];
        let boot = node.boot;
        let found = node.sockets.iter_mut();
        let Some((session, socket)) = { found }.find(|(_, s)| s.connection == connection) else {
            return;
        };
        let session = *session;
        socket.last_in = socket.last_in.max(self.now + delay);
        let at = socket.last_in;
        let packet = Ok(packet);
        let event = Event::Received { session, packet };
        self.agenda.plan(at, Step::Gateway(gateway, boot, event));
    }

    /// A client's end of a connection is closed; the gateway notices after
    /// this long, or not at all.
    pub(super) fn socket_left(&mut self, gateway: usize, connection: u64, after: Option<Time>) {
        self.observe(Observed::Abandoned { connection });
        let node = &mut self.gateways[gateway];
        let boot = node.boot;
        let found = node.sockets.iter();
        let Some((session, socket)) = { found }.find(|(_, s)| s.connection == connection) else {
            return;
        };
        if let Some(after) = after {
            let session = *session;
            let at = socket.last_in.max(self.now + after);
            let event = Event::Closed { session };
            self.agenda.plan(at, Step::Gateway(gateway, boot, event));
        }
    }

    /// A packet has left the gateway's buffers.
    pub(super) fn packet_left(&mut self, connection: u64) {
        let lag_max = self.plan.lag_max;
        for gateway in 0..self.gateways.len() {
            let node = &mut self.gateways[gateway];
            let boot = node.boot;
            let mut sockets = node.sockets.iter_mut();
            let Some((session, socket)) = sockets.find(|(_, of)| of.connection == connection)
            else {
                continue;
            };
            socket.under_way -= 1;
            if socket.left_out && !socket.lags(lag_max) {
                socket.left_out = false;
                let session = *session;
                let drained = Step::Gateway(gateway, boot, Event::Drained { session });
                self.plan_in(0..100 * MS, drained);
            }
            return;
        }
    }
}
