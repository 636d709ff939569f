//! A shard: all users of its slots.
//!
//! Owns which user is in memory and which slot is served. Each file beside
//! this one is one thing that happens, from top to bottom; this one holds the
//! state and the list of them.
//!
//! 'Sent' is spoken in three places only: where a device's acknowledgement
//! arrives and where the store says that an append is durable, both in
//! `settle.rs`, and where it says so of a group's log, in `groups/written.rs`.
//! Elsewhere an earlier answer is only repeated.

mod acts;
mod arrive;
mod deadlines;
mod delivery;
mod devices;
mod forward;
mod graph;
mod groups;
mod open;
mod operator;
mod question;
mod requests;
mod ring;
mod sessions;
mod settle;
mod status;
mod submit;
mod tells;
mod waits;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use indexmap::{IndexMap, IndexSet};
use proto::clock::{Moment, Now};
use proto::ids::{
    GatewayId, Generation, GroupId, Incarnation, LoginOrder, MessageId, SessionRef, ShardId, Stamp,
    UserId,
};
use proto::link::{Answer, Down};
use proto::rate::Allowance;
use proto::ring::Ring;
use proto::server::ServerPacket;
use proto::slot::Slot;
use smallvec::smallvec;

use crate::effect::{Counters, Effect, GraphTicket};
use crate::event::Event;
use crate::filter::Filter;
use crate::group::Group;
use crate::inbox::Step;
use crate::recent::Bounds;
use crate::settings::Settings;
use crate::slots::Slots;
use crate::span::Span;
use crate::steady::Steady;
use crate::store::{Claim, Remembered};
use crate::timers::Timers;
use crate::user::User;
use crate::waiting::WaitingRoom;

/// The state machine of one shard.
#[derive(Debug)]
pub struct Shard {
    settings: Settings,
    name: ShardId,
    incarnation: Incarnation,
    filter: Option<Box<dyn Filter>>,
    ring: Arc<Ring>,
    slots: Slots,
    /// Slots to be claimed again; whether they may be the shard's already
    /// stands beside.
    unclaimed: Vec<(Slot, bool)>,
    /// Slots that the store did not take back, to be released again; at most
    /// one for each.
    unreleased: Vec<(Claim, Vec<Remembered>)>,
    /// Before the next try; the longer, the longer the ring is the same.
    claim_pause: Duration,
    /// At most `settings.users_max`; a map that keeps an order, so that the
    /// same events give the same effects.
    users: IndexMap<UserId, Box<User>, ahash::RandomState>,
    /// Users that were idle when they were put here; one who left and came back
    /// may stand here twice.
    idle: VecDeque<UserId>,
    /// At most `settings.groups_max`.
    groups: IndexMap<GroupId, Box<Group>, ahash::RandomState>,
    /// Whom they know together: at most `settings.group_rows_max`, and what one
    /// group knows beyond.
    group_rows: usize,
    /// As `idle`.
    idle_groups: VecDeque<GroupId>,
    /// Parts of logs that are being read: at most `settings.acts_max` for askers,
    /// and one for each follower.
    readings: IndexMap<u64, (Slot, groups::Reading)>,
    /// What former holders answered, for users not yet in memory; forgotten
    /// with `settings.recent_window`.
    handed_over: IndexMap<UserId, Vec<Remembered>>,
    gateways: IndexSet<GatewayId>,
    waiting: WaitingRoom,
    /// Sessions whose window goes back, by the generation that does: what came
    /// behind the message that was sent back must not overtake it.
    sent_back: IndexMap<SessionRef, Generation>,
    /// Where the log-ins of sessions stand that were replaced, until they are
    /// gone: their gateways may not have heard it, and announce them without.
    replaced: IndexMap<SessionRef, LoginOrder>,
    /// At most `settings.tells_max`.
    tells: IndexMap<u64, tells::Told>,
    /// At most `settings.acts_max`.
    acts: IndexMap<u64, waits::Act>,
    /// Questions to the friend service: one per user, and one per act.
    questions: IndexMap<GraphTicket, question::Question>,
    next_number: u64,
    timers: Timers,
    session_rate: Allowance,
    user_rate: Allowance,
    member_rate: Allowance,
    group_rate: Allowance,
    last_stamp: Stamp,
    span: Span,
    steady: Steady,
    lease_until: Option<Moment>,
    fenced: bool,
    counters: Counters,
    /// Reused from event to event.
    steps: Vec<Step>,
}

/// Sessions of which it is remembered that their window goes back; beyond
/// this some go, at the cost of order under overload.
const SENT_BACK_MAX: usize = 65_536;

/// Sessions of which it is remembered that they were replaced; beyond this the
/// oldest go. Mostly each is gone a round trip later.
const REPLACED_MAX: usize = 1_024;

impl Shard {
    /// A shard that holds nothing; [`Shard::start`] makes it claim its slots.
    pub fn new(
        settings: Settings,
        name: ShardId,
        incarnation: Incarnation,
        ring: Arc<Ring>,
        filter: Option<Box<dyn Filter>>,
    ) -> Self {
        Self {
            name,
            incarnation,
            filter,
            ring,
            slots: Slots::new(),
            unclaimed: Vec::new(),
            unreleased: Vec::new(),
            claim_pause: ring::CLAIM_PAUSE_MIN,
            users: IndexMap::default(),
            idle: VecDeque::new(),
            groups: IndexMap::default(),
            group_rows: 0,
            idle_groups: VecDeque::new(),
            readings: IndexMap::new(),
            handed_over: IndexMap::new(),
            gateways: IndexSet::new(),
            waiting: WaitingRoom::new(settings.waiting_max),
            sent_back: IndexMap::new(),
            replaced: IndexMap::new(),
            tells: IndexMap::new(),
            acts: IndexMap::new(),
            questions: IndexMap::new(),
            next_number: incarnation.0 << 20,
            timers: Timers::default(),
            session_rate: rate(settings.session_messages_per_second),
            user_rate: rate(settings.user_messages_per_second),
            member_rate: rate(settings.member_messages_per_second),
            group_rate: rate(settings.group_messages_per_second),
            last_stamp: Stamp::default(),
            span: Span::default(),
            steady: Steady::default(),
            lease_until: None,
            fenced: false,
            counters: Counters::default(),
            steps: Vec::new(),
            settings,
        }
    }

    /// Other bounds and times from now on. A lower bound drops nothing that is
    /// there; timers that run, run on.
    pub fn set_settings(&mut self, settings: Settings) {
        self.waiting.set_max(settings.waiting_max);
        self.session_rate = rate(settings.session_messages_per_second);
        self.user_rate = rate(settings.user_messages_per_second);
        self.member_rate = rate(settings.member_messages_per_second);
        self.group_rate = rate(settings.group_messages_per_second);
        self.settings = settings;
    }

    /// Claims the slots of its ring, and says that it is alive.
    pub fn start(&mut self, now: Now, out: &mut Vec<Effect>) {
        self.claim_owned(out);
        self.alive_due(now, out);
    }

    /// Takes what happened, and gives what is to be done about it.
    pub fn handle(&mut self, now: Now, event: Event, out: &mut Vec<Effect>) {
        // Rule 5: the lease is looked at before any input.
        if let Event::Lease { until } = event {
            return self.lease(now, until, out);
        }
        if !self.holds_lease(now, out) {
            return;
        }
        match event {
            Event::GatewayUp { gateway } => self.gateway_up(gateway),
            Event::GatewayLost { gateway } => self.gateway_lost(now, gateway, out),
            Event::Arrived { gateway, batch } => self.arrived(now, gateway, batch, out),
            Event::Store(outcome) => self.stored(now, outcome, out),
            Event::Refused(claims) => self.refused_by_store(now, &claims, out),
            Event::Graph { ticket, answer } => self.graph(now, ticket, answer, out),
            Event::RingChanged(ring) => self.ring_changed(now, ring, out),
            Event::Lease { .. } => {}
            Event::Tick => self.tick(now, out),
            Event::Stopping => self.stopping(now, out),
        }
    }

    /// When [`Event::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Moment> {
        if self.fenced {
            return None;
        }
        let timer = self.timers.next();
        match self.lease_until {
            Some(lease) => Some(timer.map_or(lease, |timer| timer.min(lease))),
            None => timer,
        }
    }

    /// What was counted since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many slots are served.
    pub fn slots_held(&self) -> usize {
        self.slots.held()
    }

    /// How many of the ring's slots are the shard's, served or not yet.
    pub fn slots_owned(&self) -> usize {
        Slot::all().filter(|slot| self.owns(*slot)).count()
    }

    /// How many users are in memory, and how many sessions they have.
    pub fn population(&self) -> (usize, usize) {
        let sessions = self.users.values().map(|user| user.sessions.len()).sum();
        (self.users.len(), sessions)
    }

    /// How many envelopes wait for slots or rings.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What must hold between two events; simulation and fuzzing look.
    ///
    /// # Panics
    /// If something does not hold: a bug of this crate.
    pub fn check_invariants(&self) {
        assert!(self.users.len() <= self.settings.users_max);
        assert!(self.waiting.len() <= self.settings.waiting_max);
        assert!(self.tells.len() <= self.settings.tells_max);
        for (name, user) in &self.users {
            assert!(self.slots.claim(user.slot).is_some(), "{name} is not ours");
            assert_eq!(user.sessions.len(), user.inbox.readers().len());
            for (session, reader) in user.sessions.iter().zip(user.inbox.readers()) {
                assert_eq!(session.at, reader.session);
            }
            assert!(user.sessions.len() <= self.settings.sessions_per_user_max);
            for at in user.friends.waiting() {
                assert!(user.session(at).is_some(), "{at:?} waits and is gone");
            }
            assert!(user.queue.len() <= self.settings.deferred_max);
            user.inbox.check_invariants();
        }
        self.check_groups();
    }

    fn owns(&self, slot: Slot) -> bool {
        *self.ring.owner(slot) == self.name
    }

    fn recent_bounds(&self) -> Bounds {
        Bounds {
            window: self.settings.recent_window,
            per_sender_max: self.settings.recent_per_sender_max,
            senders_max: self.settings.recent_senders_max,
        }
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// A stamp never goes back, whatever the clock does.
    fn stamp(&mut self, now: Now) -> Stamp {
        self.last_stamp = now.wall.max(Stamp(self.last_stamp.0 + 1));
        self.last_stamp
    }
}

/// Four times as many at once.
fn rate(per_second: u32) -> Allowance {
    Allowance::new(per_second, per_second.saturating_mul(4))
}

/// Sends a packet to the session that asked.
fn answer(at: SessionRef, packet: ServerPacket, out: &mut Vec<Effect>) {
    let envelope = Down::Push {
        sessions: smallvec![at.session],
        packet: Box::new(packet),
    };
    send(at.gateway, envelope, out);
}

/// Tells a session what became of its message.
fn tell_fate(at: SessionRef, id: MessageId, answer: Answer, out: &mut Vec<Effect>) {
    let SessionRef { gateway, session } = at;
    let envelope = Down::Answer {
        session,
        id,
        answer,
    };
    send(gateway, envelope, out);
}

fn send(gateway: GatewayId, envelope: Down, out: &mut Vec<Effect>) {
    out.push(Effect::Send { gateway, envelope });
}
