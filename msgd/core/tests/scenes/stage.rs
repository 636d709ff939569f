//! A shard with a store that grants every claim and knows everybody alike.
//!
//! Owns what the shard says and asks, in its order. Must not know what a scene
//! makes of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use msgd_core::store::{Claim, Mailbox, Outcome, Position, Request};
use msgd_core::{Effect, Event, GraphTicket, Settings, Shard};
use proto::clock::{Moment, Now};
use proto::graph::GraphRequest;
use proto::ids::{
    DeviceId, Epoch, GatewayId, Incarnation, SessionId, ShardId, Stamp, Token, UserId,
};
use proto::link::{Announce, Batch, Down, Up};
use proto::ring::{Member, Ring};
use proto::slot::Slot;
use proto::status::Status;

/// By which most comes.
pub const GATEWAY: GatewayId = GatewayId(7_001);

const EPOCH: Epoch = Epoch(1);

pub struct Stage {
    pub shard: Shard,
    /// Of the newest claim; each has a higher one.
    token: u64,
    tokens: HashMap<Slot, Token>,
    ring: Arc<Ring>,
    pub now: Now,
    /// What the store says of each user.
    pub mailbox: Mailbox,
    /// What it was asked besides, and has not answered.
    pub requests: Vec<Request>,
    /// What the friend service was asked, and has not answered.
    pub asked: Vec<(GraphTicket, GraphRequest)>,
    pub sent: Vec<(GatewayId, Down)>,
}

impl Stage {
    /// The shard has all slots, or shares them with others.
    pub fn serving(settings: Settings, others: &[&str]) -> Self {
        let name = ShardId::new("m1").unwrap();
        let member = |name: &str| Member {
            shard: ShardId::new(name).unwrap(),
            weight: 1,
        };
        let members = others.iter().copied().chain(["m1"]).map(member);
        let ring = Arc::new(Ring::build(EPOCH, members.collect()).unwrap());
        let mut stage = Self {
            shard: Shard::new(settings, name, Incarnation(4_004), ring.clone(), None),
            token: 0,
            tokens: HashMap::new(),
            ring,
            now: Now {
                moment: Moment(1_000_000),
                wall: Stamp(1_700_000_000_000_000),
            },
            mailbox: Mailbox {
                cursor: Position::default(),
                end: Position::default(),
                latest: Vec::new(),
                notes: false,
                last_seen: None,
                groups: Vec::new(),
            },
            requests: Vec::new(),
            asked: Vec::new(),
            sent: Vec::new(),
        };
        let mut effects = Vec::new();
        stage.shard.start(stage.now, &mut effects);
        stage.carry_out(effects);
        stage.handle(Event::GatewayUp { gateway: GATEWAY });
        stage
    }

    pub fn handle(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.shard.handle(self.now, event, &mut effects);
        self.shard.check_invariants();
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store(Request::Claim { slots, .. }) => {
                    for slot in slots {
                        self.token += 1;
                        let token = Token(self.token);
                        self.tokens.insert(slot, token);
                        let claim = Claim { slot, token };
                        let recent = Vec::new();
                        self.handle(Event::Store(Outcome::Claimed { claim, recent }));
                    }
                }
                Effect::Store(Request::Open { claim, user, .. }) => {
                    let mailbox = Some(self.mailbox.clone());
                    self.handle(Event::Store(Outcome::Opened {
                        claim,
                        user,
                        mailbox,
                    }));
                }
                Effect::Store(request) => self.requests.push(request),
                Effect::AskGraph { ticket, request } => self.asked.push((ticket, request)),
                Effect::Send { gateway, envelope } => self.sent.push((gateway, envelope)),
                Effect::Fenced | Effect::Pledged { .. } => {}
            }
        }
    }

    pub fn comes(&mut self, gateway: GatewayId, envelope: Up) {
        let batch = Batch {
            epoch: self.ring.epoch(),
            envelopes: vec![envelope],
        };
        self.handle(Event::Arrived { gateway, batch });
    }

    /// Ticks as often as it is due.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.moment + time;
        while let Some(next) = self.shard.next_deadline().filter(|next| *next <= end) {
            self.now.moment = next.max(self.now.moment);
            self.handle(Event::Tick);
        }
        self.now.moment = end;
    }

    /// Of the newest claim of a slot.
    pub fn newest(&self, slot: Slot) -> Token {
        self.tokens[&slot]
    }

    /// Whether the shard has a slot by the ring.
    pub fn owns(&self, slot: Slot) -> bool {
        self.ring.owner(slot).as_str() == "m1"
    }

    /// The slot is the shard's and then another's, or the other way round, or as
    /// before: there is a newer ring of these.
    pub fn ring_of(&mut self, members: &[&str]) {
        let member = |name: &&str| Member {
            shard: ShardId::new(*name).unwrap(),
            weight: 1,
        };
        let epoch = Epoch(self.ring.epoch().0 + 1);
        let members = members.iter().map(member).collect();
        self.ring = Arc::new(Ring::build(epoch, members).unwrap());
        self.handle(Event::RingChanged(self.ring.clone()));
    }

    /// A session, as its gateway announces it.
    pub fn session(&self, session: SessionId, user: &UserId, device: &str) -> Announce {
        Announce {
            session,
            user: user.clone(),
            device: DeviceId::new(device).unwrap(),
            window_messages: 8,
            window_bytes: 4_096,
            friends_hash: None,
            status: Status::online(),
            status_since: self.now.wall,
            order: None,
            since: self.now.wall,
            again: false,
        }
    }
}

pub fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}
