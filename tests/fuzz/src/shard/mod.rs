//! The shard's core under any events, over a store that keeps its contract.
//!
//! Owns what happens to it and in which order. What must hold afterwards is
//! `promises`' to say; what gateways say is `said`'s, what it stands on
//! `around`'s, what friendd answers `friends`'.

mod around;
mod friends;
mod promises;
mod said;

use std::collections::VecDeque;
use std::time::Duration;

use msgd_core::filter::{Filter, WordList};
use msgd_core::store::Request as StoreRequest;
use msgd_core::{Blocks, Effect, Event, Policy, Settings, Shard};
use proto::ids::{Epoch, GatewayId, Identity, Incarnation, SessionRef, Stamp, UserId};
use proto::link::{Batch, Down, Relay, Up};
use sim::store::Store;

use crate::cast::{RINGS, SHARDS, USERS};
use crate::script::{Clock, Script};
use friends::Friends;
use promises::Promises;

pub(crate) const BODY_BYTES_MAX: usize = 24;

/// An input has at most so many events.
const EVENTS_MAX: usize = 400;

/// Senders whose answers a user remembers.
const SENDERS_MAX: usize = 2;

/// What is kept of what the shard sent lately.
const LATELY_MAX: usize = 16;

/// What has to end by itself has by then.
const ROUNDS_MAX: usize = 5_000;

/// Runs one script against a shard.
pub fn shard(bytes: &[u8]) {
    let mut world = World::new(Script::new(bytes));
    for _ in 0..EVENTS_MAX {
        if world.script.is_over() {
            break;
        }
        world.step();
    }
    world.end();
}

struct World<'a> {
    script: Script<'a>,
    clock: Clock,
    settings: Settings,
    shard: Shard,
    incarnation: u64,
    rivals: u64,
    /// It was told to stop, or its lease is over: it says nothing any more.
    is_over: bool,
    ring: usize,
    store: Store,
    /// What the store was asked and has not answered.
    asked: VecDeque<StoreRequest>,
    friends: Friends,
    promises: Promises,
    /// What left for other shards lately.
    relays: VecDeque<Relay>,
    /// What left for sessions lately.
    deliveries: VecDeque<(SessionRef, UserId, Identity)>,
}

/// Small bounds, so that they are met.
fn settings(script: &mut Script<'_>) -> Settings {
    let choices = script.byte();
    Settings {
        policy: if choices & 1 == 0 {
            Policy::Open
        } else {
            Policy::Friends
        },
        blocks: if choices & 2 == 0 {
            Blocks::Told
        } else {
            Blocks::Hidden
        },
        recent_per_sender_max: 64,
        recent_senders_max: SENDERS_MAX,
        pending_max: 4,
        pending_bytes_max: 4 * BODY_BYTES_MAX,
        deferred_max: 3,
        waiting_max: 4,
        users_max: if choices & 4 == 0 { 4 } else { 6 },
        sessions_per_user_max: 2,
        session_messages_per_second: 4,
        user_messages_per_second: 6,
        tells_max: 4,
        acts_max: 2,
        ..Settings::default()
    }
}

fn new_shard(settings: &Settings, incarnation: u64, ring: usize) -> Shard {
    // Bodies of ones hold it.
    let words: Box<dyn Filter> = Box::new(WordList::new(["\u{1}\u{1}\u{1}\u{1}"]));
    Shard::new(
        settings.clone(),
        SHARDS[0].clone(),
        Incarnation(incarnation),
        RINGS[ring].clone(),
        Some(words),
    )
}

impl<'a> World<'a> {
    fn new(mut script: Script<'a>) -> Self {
        let settings = settings(&mut script);
        let friends = Friends::new(script.once_in(2));
        let ring = script.pick(RINGS.len());
        let mut world = Self {
            script,
            clock: Clock::default(),
            shard: new_shard(&settings, 1, ring),
            settings,
            incarnation: 1,
            rivals: 1_000,
            is_over: false,
            ring,
            store: Store::new(around::bounds()),
            asked: VecDeque::new(),
            friends,
            promises: Promises::default(),
            relays: VecDeque::new(),
            deliveries: VecDeque::new(),
        };
        world.start();
        world
    }

    fn start(&mut self) {
        let mut effects = Vec::new();
        self.shard.start(self.clock.now(), &mut effects);
        self.carry_out(effects);
        for gateway in [GatewayId(0), GatewayId(1)] {
            self.happens(Event::GatewayUp { gateway });
        }
    }

    fn step(&mut self) {
        match self.script.pick(20) {
            0 => {
                let announce = said::announce(&mut self.script);
                self.arrives(announce);
            }
            1 | 2 => {
                let submit = said::submit(&mut self.script, self.clock.now().wall);
                self.arrives(submit);
            }
            3 | 4 => {
                let forward = said::forward(&mut self.script, self.clock.now().wall);
                self.arrives(forward);
            }
            5 | 6 => self.acknowledge(),
            7 => {
                let request = said::request(&mut self.script);
                self.arrives(request);
            }
            8 => self.relay(),
            9 => {
                let gone = said::gone(&mut self.script);
                self.arrives(gone);
            }
            10..=12 => self.store_acts(),
            13 => self.friendd_answers(),
            14 => self.pass_time(),
            15 => self.everybody_answers(),
            16 => self.gateway_changes(),
            17 => self.ring_changes(),
            18 => self.rival(),
            _ => self.rare(),
        }
    }

    /// Mostly by the ring in force, sometimes by one before or after it.
    fn arrives(&mut self, (gateway, envelope): (GatewayId, Up)) {
        let epoch = match self.script.pick(16) {
            0 => Epoch(self.ring as u64),
            1 => Epoch(RINGS.len().min(self.ring + 2) as u64),
            _ => RINGS[self.ring].epoch(),
        };
        let envelopes = vec![envelope];
        let batch = Batch { epoch, envelopes };
        self.happens(Event::Arrived { gateway, batch });
    }

    /// Of what was delivered, by this incarnation or one before: a gateway
    /// never says it of anything else.
    fn acknowledge(&mut self) {
        if self.deliveries.is_empty() {
            return;
        }
        let at = self.script.pick(self.deliveries.len());
        let Some((at, user, identity)) = self.deliveries.remove(at) else {
            return;
        };
        let envelope = Up::Acknowledge {
            session: at.session,
            user,
            identities: std::iter::once(identity).collect(),
        };
        self.arrives((at.gateway, envelope));
    }

    /// What a shard sent comes back to it, or another shard says something.
    fn relay(&mut self) {
        let gateway = said::gateway(&mut self.script);
        let count = self.relays.len();
        let relay = if count > 0 && !self.script.once_in(3) {
            let at = self.script.pick(count);
            self.relays.remove(at).expect("it is there")
        } else {
            said::relay(&mut self.script)
        };
        self.arrives((gateway, Up::Relay(relay)));
    }

    fn pass_time(&mut self) {
        if self.script.once_in(2) {
            if let Some(deadline) = self.shard.next_deadline() {
                self.clock.go_on_to(deadline);
            }
            self.tick();
        } else {
            self.clock.pass(&mut self.script);
        }
    }

    fn tick(&mut self) {
        self.happens(Event::Tick);
        let now = self.clock.now().moment;
        let next = self.shard.next_deadline();
        assert!(
            next.is_none_or(|next| next > now),
            "a tick leaves nothing that is due"
        );
    }

    fn gateway_changes(&mut self) {
        let gateway = said::gateway(&mut self.script);
        if self.script.once_in(2) {
            self.happens(Event::GatewayLost { gateway });
        } else {
            self.happens(Event::GatewayUp { gateway });
        }
    }

    fn ring_changes(&mut self) {
        let ring = self.script.pick(RINGS.len());
        self.ring = self.ring.max(ring);
        self.happens(Event::RingChanged(RINGS[ring].clone()));
    }

    fn rare(&mut self) {
        match self.script.pick(4) {
            0 => {
                self.happens(Event::Stopping);
                self.is_over = true;
            }
            1 => {
                let time = Duration::from_secs(self.script.byte().into());
                let until = self.clock.now().moment + time;
                self.happens(Event::Lease { until });
            }
            2 => {
                let policies = [Policy::Open, Policy::Friends];
                self.settings.policy = *self.script.choose(&policies);
                self.settings.delivery_patience = Duration::from_millis(self.script.byte().into());
                self.shard.set_settings(self.settings.clone());
            }
            _ => self.restart(),
        }
    }

    /// One event, and what must hold after it.
    fn happens(&mut self, event: Event) {
        self.promises.before(&event);
        let mut effects = Vec::new();
        self.shard.handle(self.clock.now(), event, &mut effects);
        assert!(
            effects.is_empty() || !self.is_over,
            "it is over: {effects:?}"
        );
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        self.shard.check_invariants();
        self.promises.after(&effects, &self.store);
        for effect in effects {
            match effect {
                Effect::Send { gateway, envelope } => self.sent(gateway, envelope),
                Effect::Store(request) => self.asked.extend(around::of_the_cast(request)),
                Effect::AskGraph { ticket, request } => self.friends.ask(ticket, request),
                // It changes nothing here.
                Effect::Pledged { .. } => {}
                Effect::Fenced => self.is_over = true,
            }
        }
    }

    fn sent(&mut self, gateway: GatewayId, envelope: Down) {
        match envelope {
            Down::Relay(relay) => {
                self.relays.push_back(relay);
                if self.relays.len() > LATELY_MAX {
                    self.relays.pop_front();
                }
            }
            Down::Deliver(deliver) => {
                let session = deliver.session;
                let at = SessionRef { gateway, session };
                let identity = deliver.message.identity();
                self.deliveries
                    .push_back((at, deliver.message.to, identity));
                if self.deliveries.len() > LATELY_MAX {
                    self.deliveries.pop_front();
                }
            }
            _ => {}
        }
    }

    /// When nothing fails any more, nothing waits for ever.
    fn end(&mut self) {
        self.ring = RINGS.len() - 1;
        self.happens(Event::RingChanged(RINGS[self.ring].clone()));
        for _ in 0..12 {
            self.everybody_answers();
            if let Some(deadline) = self.shard.next_deadline() {
                self.clock.go_on_to(deadline);
                self.tick();
            }
        }
        self.everybody_answers();
        if !self.is_over {
            assert_eq!(self.shard.waiting(), 0, "something waits for ever");
            assert_eq!(self.shard.slots_held(), self.promises.slots_held());
        }
    }
}

/// Of whom a session is, everywhere and always.
fn owner(at: SessionRef) -> UserId {
    // There are ten sessions.
    let number = at.session.0 as usize;
    USERS[number % USERS.len()].clone()
}

/// Something a little before or behind this.
fn about(script: &mut Script<'_>, wall: Stamp) -> Stamp {
    Stamp(wall.0 - 1_000 + u64::from(script.byte()) * 8)
}
