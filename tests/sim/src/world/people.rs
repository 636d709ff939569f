//! What people do on their clients.

use bytes::Bytes;
use proto::client::{ClientPacket, EndDevice, Read, TRANSIENT_TYPING, Transient};
use proto::friends::{FriendAction, Relation};
use proto::ids::{DeviceId, Identity, MessageId, Stamp, UserId};
use proto::status::{Availability, Status};
use smol_str::SmolStr;

use super::clock::WALL;
use super::{Step, World};
use crate::agenda::{MS, SECOND};
use crate::brief;
use crate::client::{Does, Waking};
use crate::model::To;
use crate::observed::{Observed, Process};

const DEVICES: [&str; 2] = ["phone-7f3a", "laptop"];

impl World {
    /// What a person does of their own accord.
    pub(super) fn act(&mut self, client: usize) {
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
    pub(super) fn probe(&mut self, client: usize) {
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
