//! What is said on a connection, in both directions.
//!
//! Owns which packet goes where. Must not know how a connection comes about.

use proto::client::{self, ClientPacket};
use proto::clock::Moment;
use proto::ids::{MessageId, UserId};
use proto::server::{Carbon, Deliver, Did, Outcome, Sent, ServerPacket};
use smol_str::SmolStr;

use super::connection::{Phase, changed};
use super::event::{Event, Fate, Message};
use super::friends::Friends;
use super::inbox::Arrival;
use super::outbox::{To, Unanswered};
use super::{Effect, Session};

impl Session {
    /// A packet came. `known`: it is a delivery, and the application's own
    /// store has its identity.
    pub(crate) fn received(
        &mut self,
        now: Moment,
        packet: ServerPacket,
        known: bool,
        out: &mut Vec<Effect>,
    ) {
        match &mut self.phase {
            Phase::Live(live) => {
                live.heard = now;
                live.pinged = false;
                self.spoken_to(now, packet, known, out);
            }
            Phase::Greeting { .. } => match packet {
                ServerPacket::LoginOk(ok) => self.greeted(now, *ok),
                ServerPacket::Closing(closing) => self.closing(now, closing, out),
                _ => self.lost(now, "a packet before the log-in answer".into(), out),
            },
            // Bytes of a connection that was just left.
            Phase::Resting { .. } | Phase::Dialing | Phase::Tokenless | Phase::Over => {}
        }
    }

    fn spoken_to(&mut self, now: Moment, packet: ServerPacket, known: bool, out: &mut Vec<Effect>) {
        match packet {
            ServerPacket::Deliver(deliver) => self.delivered(now, deliver, known, out),
            ServerPacket::Sent { id, sent } => {
                let Sent { stamp, outcome } = sent;
                let fate = match outcome {
                    Outcome::Delivered { device } => Fate::Delivered { device, stamp },
                    Outcome::Stored => Fate::Stored { stamp },
                    Outcome::Logged(place) => Fate::Logged { place, stamp },
                };
                self.settle(id, fate, out);
            }
            ServerPacket::Rejected { id, code, text } => {
                self.settle(id, Fate::Rejected { code, text }, out);
            }
            ServerPacket::Unknown { id, code } => self.settle(id, Fate::Unknown { code }, out),
            ServerPacket::Pong => {}
            ServerPacket::Receipt(receipt) => self.news.receipt(receipt),
            ServerPacket::Transient(transient) => self.news.transient(transient),
            ServerPacket::Presence { peers, snapshot } => {
                let mut changed: Vec<UserId> = Vec::new();
                self.presence.heard(peers, snapshot, &mut changed);
                changed
                    .into_iter()
                    .for_each(|user| self.news.presence(user));
            }
            ServerPacket::Friends(list) => {
                if let Some(gone) = self.friends.take(now, list) {
                    gone.iter().for_each(|user| self.presence.forget(user));
                    self.news.friends();
                }
            }
            ServerPacket::FriendsChanged { version, hash }
            | ServerPacket::FriendsStale { version, hash } => {
                self.friends.announced(now, version, hash);
            }
            ServerPacket::FriendResult { request, code }
            | ServerPacket::DeviceResult { request, code } => {
                let answered = self.requests.answered(request, code);
                changed(answered.into_iter().collect(), out);
            }
            ServerPacket::Closing(closing) => self.closing(now, closing, out),
            ServerPacket::Carbon(carbon) => self.done_elsewhere(*carbon),
            ServerPacket::Devices(devices) => {
                self.requests.devices_came();
                out.push(Effect::Devices(Ok(devices)));
            }
            ServerPacket::Goaway(goaway) => self.sent_away(now, goaway),
            ServerPacket::LoginOk(_) => self.lost(now, "a second log-in answer".into(), out),
            ServerPacket::GroupDeliver(_)
            | ServerPacket::GroupTransient(_)
            | ServerPacket::GroupState(_)
            | ServerPacket::GroupHead { .. }
            | ServerPacket::GroupLeft { .. }
            | ServerPacket::GroupInvited { .. }
            | ServerPacket::GroupApplied { .. }
            | ServerPacket::GroupResult { .. }
            | ServerPacket::Groups(_)
            | ServerPacket::Members(_)
            | ServerPacket::History(_) => self.told_of_groups(now, packet, out),
        }
    }

    fn done_elsewhere(&mut self, carbon: Carbon) {
        let is_new = match &carbon.did {
            Did::Sent(sent) => self.carbons.remember(sent.id),
            Did::Read(_) | Did::Transient(_) => true,
            Did::GroupRead(read) => self.group_read_elsewhere(read),
        };
        if is_new {
            self.news.carbon(carbon);
        }
    }

    fn delivered(&mut self, now: Moment, deliver: Deliver, known: bool, out: &mut Vec<Effect>) {
        let Phase::Live(live) = &mut self.phase else {
            return;
        };
        let seq = deliver.seq;
        let message = Message {
            from: deliver.from,
            id: deliver.id,
            stamp: deliver.stamp,
            body: deliver.body,
        };
        let (identity, bytes) = (message.identity(), message.body.len());
        let arrival = self
            .inbox
            .arrive(&mut live.ledger, seq, identity, bytes, known);
        match arrival {
            Ok(Arrival::New) => self.news.message(message),
            Ok(Arrival::Repeated | Arrival::NoRoom) => {}
            Err(_) => self.lost(now, "a delivery out of its number".into(), out),
        }
    }

    /// The first answer finds the message in the outbox.
    fn settle(&mut self, id: MessageId, fate: Fate, out: &mut Vec<Effect>) {
        if self.outbox.answered(id) {
            out.push(Effect::Settle { id, fate });
        }
    }

    /// The next packet to send; `None` until something happens or a deadline
    /// passes.
    pub(crate) fn transmit(&mut self, now: Moment) -> Option<ClientPacket> {
        if let Phase::Greeting { asked, .. } = &mut self.phase {
            if std::mem::replace(asked, true) {
                return None;
            }
            self.token_is_fresh = false;
            self.requests.connected();
            let login = self.account.login(self.friends.hash());
            return Some(ClientPacket::Login(Box::new(login)));
        }
        let packet = self.next_packet(now)?;
        if matches!(packet, ClientPacket::Logout) {
            // All was flushed before: nothing is left to settle.
            self.phase = Phase::Over;
            let (code, text) = (None, SmolStr::default());
            self.news.state(Event::Closed { code, text });
        } else if let Phase::Live(live) = &mut self.phase {
            live.spoke = now;
            live.pinged |= matches!(packet, ClientPacket::Ping);
        }
        Some(packet)
    }

    /// Acknowledgements first: they make room at the server. Then messages, in
    /// order, then the rest; the log-out when nothing else is left.
    fn next_packet(&mut self, now: Moment) -> Option<ClientPacket> {
        let (Phase::Live(live), Some(granted)) = (&mut self.phase, &self.granted) else {
            return None;
        };
        if let Some(seq) = live.ledger.acknowledge() {
            return Some(ClientPacket::Ack { seq });
        }
        if let Some(message) = self.outbox.transmit(granted.window) {
            return Some(packet_of(message, &self.friends));
        }
        if let Some(request) = self.requests.transmit(now) {
            return Some(request);
        }
        if self.friends.ask(now) {
            return Some(ClientPacket::GetFriends);
        }
        if let Some(packet) = self.next_of_groups(now) {
            return Some(packet);
        }
        if self.farewell.is_some() && self.is_flushed() {
            return Some(ClientPacket::Logout);
        }
        let Phase::Live(live) = &self.phase else {
            return None;
        };
        let ping_due = live.ping_at() <= now;
        ping_due.then_some(ClientPacket::Ping)
    }
}

fn packet_of(message: &Unanswered, friends: &Friends) -> ClientPacket {
    let Unanswered {
        id,
        to,
        body,
        again,
    } = message;
    match to {
        To::User(to) => ClientPacket::Send(client::Send {
            id: *id,
            to: to.clone(),
            body: body.clone(),
            friends_hash: friends.hash(),
            again: *again,
        }),
        To::Group(group, mentions) => ClientPacket::GroupSend(client::GroupSend {
            id: *id,
            group: group.clone(),
            body: body.clone(),
            mentions: mentions.clone(),
            again: *again,
        }),
    }
}
