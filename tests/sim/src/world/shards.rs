//! Shards: the real core, its lease, and its restarts.

use msgd_core::{Effect, Event, Shard};
use proto::ids::{Epoch, GatewayId, Incarnation, ShardId};
use proto::limits::BATCH_ENVELOPES_MAX;
use proto::link::{Batch, Down};
use registry_core::look::Berth;

use super::pauses::Pause;
use super::{Clock, Seat, SharedRing, Step, World};
use crate::agenda::{MS, SECOND, Time};
use crate::brief;
use crate::observed::Observed;

/// The first berth that is nobody's at home.
const ELSEWHERE: u64 = 1_000;

/// A shard's place, and its process if there is one.
#[derive(Debug)]
pub struct ShardNode {
    /// Its place on the ring.
    pub name: ShardId,
    /// The number of its process; 0 without one.
    pub process: u64,
    /// What that knows of the registry.
    pub(super) seat: Seat,
    /// The shard, once it has a place on the ring.
    pub core: Option<Shard>,
    /// Which incarnation that is; 0 without one.
    pub life: u64,
    /// Which incarnation was here last.
    last_life: u64,
    epoch: Epoch,
    pub(super) clock: Clock,
    tick_at: Option<Time>,
    pub(super) pause: Pause,
}

impl ShardNode {
    pub(super) fn new(name: ShardId) -> Self {
        Self {
            process: 0,
            seat: Seat::new(&name, String::new(), Berth(0)),
            name,
            core: None,
            life: 0,
            last_life: 0,
            epoch: Epoch(0),
            clock: Clock::default(),
            tick_at: None,
            pause: Pause::No,
        }
    }

    /// Whether it stands still.
    pub fn is_paused(&self) -> bool {
        matches!(self.pause, Pause::Now { .. })
    }

    pub(super) fn shift_wall(&mut self, shift: i64) {
        self.clock.shift += shift;
    }
}

impl World {
    pub(super) fn shard_start(&mut self, shard: usize) {
        if self.shards[shard].process != 0 {
            return;
        }
        let process = self.registry.number();
        let clock = self.shard_clock(shard);
        // To another machine, under the same address or another.
        let moves = self.plan.moves_house && self.dice.percent(30);
        let at = if moves && self.dice.percent(50) {
            process
        } else {
            0
        };
        let at_home = shard as u64;
        let berth = Berth(if moves { ELSEWHERE + process } else { at_home });
        let node = &mut self.shards[shard];
        node.process = process;
        node.seat = Seat::new(&node.name, format!("{}:{at}", node.name), berth);
        node.clock = clock;
        node.tick_at = None;
        node.pause = Pause::No;
        self.trace.say(self.now, || format!("s{shard} starts"));
        match self.registry.fixed() {
            Some(ring) => {
                // The former process is gone, with its data's lock.
                let former = Incarnation(self.shards[shard].last_life);
                self.store.store_mut().incarnation_died(former);
                self.shard_begins(shard, process, ring);
            }
            None => self.seat_begins(shard),
        }
    }

    /// It has its place on the ring.
    pub(super) fn shard_begins(&mut self, shard: usize, life: u64, ring: SharedRing) {
        let node = &mut self.shards[shard];
        let epoch = ring.epoch();
        let mut core = Shard::new(
            self.plan.shard.clone(),
            node.name.clone(),
            Incarnation(life),
            ring,
            None,
        );
        let now = node.clock.now(self.now);
        let mut effects = Vec::new();
        if let Some(until) = node.seat.until() {
            core.handle(now, Event::Lease { until }, &mut effects);
        }
        core.start(now, &mut effects);
        node.core = Some(core);
        node.life = life;
        node.last_life = life;
        node.epoch = epoch;
        self.trace
            .say(self.now, || format!("s{shard} begins as life {life}"));
        self.shard_effects(shard, effects);
        self.shard_tick_soon(shard);
        for gateway in 0..self.gateways.len() {
            self.dial_soon(gateway, shard, MS..50 * MS);
        }
    }

    pub(super) fn shard_crash(&mut self, shard: usize) {
        let node = &mut self.shards[shard];
        node.process = 0;
        node.pause = Pause::No;
        if node.core.take().is_none() {
            return;
        }
        let life = node.life;
        node.life = 0;
        self.trace.say(self.now, || format!("s{shard} dies"));
        self.store_abandoned(life);
        self.graph.abandoned(life);
        self.links_of_shard_lost(shard);
    }

    /// Stopped by an operator: it leaves the ring before it gives up its slots.
    pub(super) fn shard_stop(&mut self, shard: usize) {
        let life = self.shards[shard].life;
        if life == 0 || !matches!(self.shards[shard].pause, Pause::No) {
            return;
        }
        self.trace.say(self.now, || format!("s{shard} is stopped"));
        match self.registry.fixed() {
            Some(_) => self.shard_gives_up(shard),
            None => self.seat_leaves(shard),
        }
    }

    /// Its process ends when all that it asked of the store is done.
    pub(super) fn shard_gives_up(&mut self, shard: usize) {
        let life = self.shards[shard].life;
        self.shard_event(shard, Event::Stopping);
        self.plan_in(MS..SECOND, Step::ShardStopped(shard, life));
    }

    pub(super) fn shard_stopped(&mut self, shard: usize, life: u64) {
        if self.shards[shard].life != life {
            return;
        }
        if self.store.is_asked(life) || self.shards[shard].is_paused() {
            return self.plan_in(MS..50 * MS, Step::ShardStopped(shard, life));
        }
        self.failed();
        self.seat_ends(shard, life);
        self.shard_crash(shard);
        self.plan_in(MS..2 * SECOND, Step::ShardStart(shard));
    }

    pub(super) fn shard_tick(&mut self, shard: usize, life: u64) {
        let node = &mut self.shards[shard];
        if node.life != life || node.tick_at.is_none_or(|at| at > self.now) {
            return;
        }
        node.tick_at = None;
        self.shard_event(shard, Event::Tick);
    }

    /// Lets a shard's core know of something.
    pub(super) fn shard_event(&mut self, shard: usize, event: Event) {
        let node = &mut self.shards[shard];
        if let Pause::Now { backlog, .. } = &mut node.pause {
            backlog.push_back(event);
            return;
        }
        let Some(core) = &mut node.core else {
            return;
        };
        self.trace.say(self.now, || {
            format!("s{shard} <- {}", brief::shard_event(&event))
        });
        if let Event::RingChanged(ring) = &event {
            node.epoch = node.epoch.max(ring.epoch());
        }
        let mut effects = Vec::new();
        core.handle(node.clock.now(self.now), event, &mut effects);
        core.check_invariants();
        let count = effects.len() as u64;
        self.trace.mark(self.now, 4, &[shard as u64, count]);
        self.shard_has(shard, effects);
    }

    /// Outcomes of the store are many where slots move.
    pub(super) fn shard_outcomes(
        &mut self,
        shard: usize,
        outcomes: Vec<msgd_core::store::Outcome>,
    ) {
        let node = &mut self.shards[shard];
        if let Pause::Now { backlog, .. } = &mut node.pause {
            backlog.extend(outcomes.into_iter().map(Event::Store));
            return;
        }
        let Some(core) = &mut node.core else {
            return;
        };
        self.trace
            .mark(self.now, 5, &[shard as u64, outcomes.len() as u64]);
        self.trace.say(self.now, || {
            format!(
                "s{shard} <- store {}",
                brief::all(&outcomes, brief::outcome)
            )
        });
        let mut effects = Vec::new();
        let now = node.clock.now(self.now);
        for outcome in outcomes {
            core.handle(now, Event::Store(outcome), &mut effects);
        }
        core.check_invariants();
        self.shard_has(shard, effects);
    }

    fn shard_has(&mut self, shard: usize, effects: Vec<Effect>) {
        let Some(effects) = self.shard_may_act(shard, effects) else {
            return;
        };
        self.shard_tick_soon(shard);
        self.shard_effects(shard, effects);
    }

    fn shard_tick_soon(&mut self, shard: usize) {
        let node = &mut self.shards[shard];
        let due = node.core.as_ref().and_then(Shard::next_deadline);
        if let Some(due) = due {
            let at = node.clock.time_of(due).max(self.now);
            if node.tick_at.is_none_or(|planned| at < planned) {
                node.tick_at = Some(at);
                self.agenda.plan(at, Step::ShardTick(shard, node.life));
            }
        }
    }

    fn shard_effects(&mut self, shard: usize, effects: Vec<Effect>) {
        let (life, epoch) = (self.shards[shard].life, self.shards[shard].epoch);
        let mut batches: Vec<(GatewayId, Batch<Down>)> = Vec::new();
        let mut requests = Vec::new();
        let mut fenced = false;
        for effect in effects {
            match effect {
                Effect::Send { gateway, envelope } => {
                    let open = batches
                        .iter_mut()
                        .rev()
                        .find(|(other, _)| *other == gateway);
                    match open {
                        Some((_, batch)) if batch.envelopes.len() < BATCH_ENVELOPES_MAX => {
                            batch.envelopes.push(envelope);
                        }
                        _ => batches.push((
                            gateway,
                            Batch {
                                epoch,
                                envelopes: vec![envelope],
                            },
                        )),
                    }
                }
                Effect::Store(request) => requests.push(request),
                Effect::AskGraph { ticket, request } => {
                    self.graph_ask(shard, life, ticket, request);
                }
                Effect::Pledged { gateway, pledge } => self.seat_pledged(shard, gateway, &pledge),
                Effect::Fenced => fenced = true,
            }
        }
        if !batches.is_empty() {
            self.observe(Observed::Speaks { life });
        }
        for (gateway, batch) in batches {
            self.send_down(shard, gateway, batch);
        }
        self.store_ask(shard, life, requests);
        if fenced {
            self.trace.say(self.now, || format!("s{shard} is fenced"));
            self.failed();
            let has_slots = self.shards[shard].seat.has_slots();
            let begins = |node: &&ShardNode| node.process != 0 && node.core.is_none();
            let mut begins = self.shards.iter().filter(begins);
            let all_begun = !begins.any(|node| self.registry.has_joined(&node.name));
            self.observe(Observed::Fenced {
                life,
                has_slots,
                all_begun,
            });
            if self.dice.percent(70) {
                self.seat_ends(shard, life);
            }
            self.shard_crash(shard);
            self.plan_in(10 * MS..SECOND, Step::ShardStart(shard));
        }
    }
}
