//! The shards' store: in order per shard, sometimes slow, sometimes failing.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use msgd_core::store::{Outcome, Request, StoreSettings};
use proto::ids::Incarnation;
use registry_core::dead::Unknown;

use super::{Step, World};
use crate::agenda::{MS, SECOND, Time};
use crate::brief;
use crate::observed::Observed;
use crate::plan::LEASE;
use crate::store::Store;

/// The store, and what is on its way to it.
#[derive(Debug)]
pub struct StoreNode {
    store: Store,
    /// By the number of the asking process.
    lanes: BTreeMap<u64, Lane>,
    mood: Mood,
}

/// How the store does at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mood {
    /// Everything is done, soon.
    Well,
    /// Everything is done, late.
    Slow,
    /// Nothing is done before this.
    Stalled(Time),
    /// So many of a hundred requests fail; some of them are done all the same.
    Failing(u32),
}

/// The requests of one process, in order.
#[derive(Debug)]
struct Lane {
    shard: usize,
    asked: VecDeque<Request>,
    is_planned: bool,
    /// When the last outcomes are told.
    last_told: Time,
    /// Nobody hears any more.
    is_abandoned: bool,
    /// Holders of which the registry has forgotten everything.
    unknown: Unknown,
}

/// Requests that are carried out together.
const GROUP_MAX: usize = 4_096;

impl StoreNode {
    pub(super) fn new(settings: StoreSettings) -> Self {
        Self {
            store: Store::new(settings),
            lanes: BTreeMap::new(),
            mood: Mood::Well,
        }
    }

    /// What is durable.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether a process waits for something that it asked for.
    pub(super) fn is_asked(&self, life: u64) -> bool {
        self.lanes
            .get(&life)
            .is_some_and(|lane| !lane.asked.is_empty())
    }

    pub(super) fn store_mut(&mut self) -> &mut Store {
        &mut self.store
    }
}

impl World {
    /// A shard asks.
    pub(super) fn store_ask(&mut self, shard: usize, life: u64, requests: Vec<Request>) {
        if requests.is_empty() {
            return;
        }
        let lane = self.store.lanes.entry(life).or_insert_with(|| Lane {
            shard,
            asked: VecDeque::new(),
            is_planned: false,
            last_told: 0,
            is_abandoned: false,
            unknown: Unknown::new(Duration::from_micros(LEASE)),
        });
        self.trace.say(self.now, || {
            format!(
                "s{shard} -> store {}",
                brief::all(&requests, brief::request)
            )
        });
        lane.asked.extend(requests);
        self.store_turn_soon(life);
    }

    fn store_turn_soon(&mut self, life: u64) {
        let Some(lane) = self.store.lanes.get_mut(&life) else {
            return;
        };
        if lane.asked.is_empty() || lane.is_planned {
            return;
        }
        lane.is_planned = true;
        let mut delay = self.dice.within(self.plan.store_delay.clone());
        match self.store.mood {
            Mood::Well | Mood::Failing(_) => {}
            Mood::Slow => delay += self.dice.within(20 * MS..800 * MS),
            Mood::Stalled(until) => delay += until.saturating_sub(self.now),
        }
        self.agenda.plan(self.now + delay, Step::StoreTurn(life));
    }

    pub(super) fn store_turn(&mut self, life: u64) {
        let failing = match self.store.mood {
            Mood::Failing(percent) => percent,
            Mood::Well | Mood::Slow | Mood::Stalled(_) => 0,
        };
        let Some(lane) = self.store.lanes.get_mut(&life) else {
            return;
        };
        lane.is_planned = false;
        let count = lane.asked.len().min(GROUP_MAX);
        let mut outcomes = Vec::with_capacity(count);
        let mut failures = 0;
        let requests: Vec<Request> = lane.asked.drain(..count).collect();
        for request in requests {
            if failing > 0 && self.dice.percent(failing) {
                failures += 1;
                outcomes.extend(request.failed());
                if self.dice.percent(50) {
                    self.store_executes(life, request);
                }
            } else {
                outcomes.extend(self.store_executes(life, request));
            }
        }
        let delay = self.dice.within(100..2 * MS);
        let Some(lane) = self.store.lanes.get_mut(&life) else {
            return;
        };
        lane.last_told = lane.last_told.max(self.now + delay);
        let (shard, at) = (lane.shard, lane.last_told);
        if !lane.is_abandoned && !outcomes.is_empty() {
            self.agenda.plan(at, Step::StoreTold(shard, life, outcomes));
        }
        if failures > 0 {
            self.failed();
        }
        self.store_turn_soon(life);
    }

    /// A claim is granted if the holder is dead, as the registry says.
    fn store_executes(&mut self, life: u64, request: Request) -> Vec<Outcome> {
        let slots = match &request {
            Request::Claim { slots, .. } => slots.clone(),
            _ => Vec::new(),
        };
        let store = &self.store.store;
        let holders = slots.iter().filter_map(|slot| store.holder(*slot));
        let holders: BTreeSet<Incarnation> = holders.filter(|held| held.0 != life).collect();
        if let Some(lane) = self.store.lanes.get_mut(&life) {
            let now = self.shards[lane.shard].clock.now(self.now).moment;
            for holder in &holders {
                let sign = self.registry.sign(*holder);
                if self.plan.leased && lane.unknown.is_dead(now, *holder, sign) {
                    self.store.store.incarnation_died(*holder);
                }
            }
        }
        let written = match &request {
            Request::WriteGroup { group, write, .. } => {
                Some((group.clone(), write.epoch, write.entries.clone()))
            }
            _ => None,
        };
        let outcomes = self.store.store.execute(request);
        let is_done =
            |outcome: &Outcome| matches!(outcome, Outcome::GroupWritten { done, .. } if *done);
        if let Some((group, epoch, entries)) = written
            && outcomes.iter().any(is_done)
        {
            for (entry, _) in &entries {
                let group = &group;
                self.observe(Observed::Logged {
                    group,
                    epoch,
                    entry,
                });
            }
        }
        for holder in holders {
            if self.store.store.is_dead(holder) {
                let (life, by) = (holder.0, life);
                self.observe(Observed::Overtaken { life, by });
            }
        }
        outcomes
    }

    pub(super) fn store_told(&mut self, shard: usize, life: u64, outcomes: Vec<Outcome>) {
        if self.shards[shard].life == life {
            self.shard_outcomes(shard, outcomes);
        }
    }

    /// The process died. What it had asked for may arrive all the same, all of
    /// it or the first part.
    pub(super) fn store_abandoned(&mut self, life: u64) {
        let Some(lane) = self.store.lanes.get_mut(&life) else {
            return;
        };
        lane.is_abandoned = true;
        let keeps = self.dice.index(lane.asked.len() + 1);
        lane.asked.truncate(keeps);
    }

    /// The store is well from now on, and no lane waits for a stall's end.
    pub(super) fn store_recovers(&mut self) {
        self.store.mood = Mood::Well;
    }

    /// A spell of trouble with the store.
    pub(super) fn store_spell(&mut self, mood: Mood, length: Time) {
        self.trace.say(self.now, || format!("store: {mood:?}"));
        self.store.mood = mood;
        let end = super::Trouble::Store;
        self.plan_in(length..length + SECOND / 100, Step::Over(end));
    }
}
