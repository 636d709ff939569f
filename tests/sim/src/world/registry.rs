//! The registry: who is on the ring, and whose lease lives.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use proto::clock::Moment;
use proto::ids::{Epoch, Incarnation, ShardId};
use proto::ring::{Member, Ring};

use super::{SharedRing, Step, World};
use crate::agenda::{MS, SECOND, Time};
use crate::plan::LEASE;

/// Rings and leases.
#[derive(Debug)]
pub struct Registry {
    epoch: Epoch,
    members: BTreeMap<ShardId, u16>,
    /// By life: when it is over.
    leases: BTreeMap<u64, Time>,
    lives: u64,
}

/// Rings cost more to build than a world has time for; the same ones come
/// again in many worlds.
static RINGS: LazyLock<Mutex<HashMap<Named, SharedRing>>> = LazyLock::new(Mutex::default);

type Named = (u64, Vec<(ShardId, u16)>);

impl Registry {
    pub(super) fn new(names: &[ShardId]) -> Self {
        Self {
            epoch: Epoch(1),
            members: names.iter().map(|name| (name.clone(), 1)).collect(),
            leases: BTreeMap::new(),
            lives: 0,
        }
    }

    pub(super) fn next_life(&mut self) -> u64 {
        self.lives += 1;
        self.lives
    }

    /// Whether a shard is on the ring.
    pub fn is_member(&self, name: &ShardId) -> bool {
        self.members.contains_key(name)
    }

    /// The ring in force.
    pub(super) fn ring(&self) -> SharedRing {
        let members: Vec<_> = self.members.iter().map(|(n, w)| (n.clone(), *w)).collect();
        let named = (self.epoch.0, members);
        let mut rings = RINGS.lock().unwrap_or_else(PoisonError::into_inner);
        let ring = rings.entry(named).or_insert_with_key(|(epoch, members)| {
            let member = |(shard, weight): &(ShardId, u16)| Member {
                shard: shard.clone(),
                weight: *weight,
            };
            let members = members.iter().map(member).collect();
            let ring = Ring::build(Epoch(*epoch), members);
            Arc::new(ring.expect("the world has one to five shards of good names"))
        });
        Arc::clone(ring)
    }
}

impl World {
    /// A shard's process has a lease from now on, and a place on the ring.
    pub(super) fn registry_join(&mut self, shard: usize, life: u64) {
        self.registry.leases.insert(life, self.now + LEASE);
        self.plan_in(LEASE..LEASE + 1, Step::LeaseEnd(shard, life));
        let name = self.shards[shard].name.clone();
        if !self.registry.is_member(&name) {
            self.registry.members.insert(name, 1);
            self.publish();
        }
    }

    /// A renewal reaches the registry: too late is too late.
    pub(super) fn renewed(&mut self, shard: usize, life: u64, until: Moment) {
        let now = self.now;
        let Some(lease) = self.registry.leases.get_mut(&life) else {
            return;
        };
        if *lease <= now {
            return;
        }
        *lease = now + LEASE;
        self.plan_in(LEASE..LEASE + 1, Step::LeaseEnd(shard, life));
        let event = msgd_core::Event::Lease { until };
        self.plan_in(MS..20 * MS, Step::Shard(shard, life, event));
    }

    pub(super) fn lease_end(&mut self, shard: usize, life: u64) {
        let lease = self.registry.leases.get(&life);
        if lease.is_none_or(|until| *until > self.now) {
            return;
        }
        self.lease_over(shard, life);
        let newer = self.shards[shard].life > life;
        if self.plan.fail_over && !newer {
            self.registry_leave(shard);
        }
    }

    pub(super) fn lease_over(&mut self, shard: usize, life: u64) {
        self.registry.leases.remove(&life);
        self.trace.say(self.now, || {
            format!("the lease of s{shard} life {life} is over")
        });
        self.store.store_mut().incarnation_died(Incarnation(life));
    }

    /// A shard's slots go to the others, if there are any.
    pub(super) fn registry_leave(&mut self, shard: usize) {
        let name = &self.shards[shard].name;
        let others = self.registry.members.len() > 1;
        if others && self.registry.members.remove(name).is_some() {
            self.publish();
        }
    }

    /// Another ring: everybody learns of it, each in their time.
    pub(super) fn publish(&mut self) {
        self.registry.epoch.0 += 1;
        self.tell_ring();
    }

    /// Tells everybody the ring in force.
    pub(super) fn tell_ring(&mut self) {
        let ring = self.registry.ring();
        self.trace.say(self.now, || {
            format!("ring {} of {:?}", ring.epoch(), self.registry.members)
        });
        for shard in 0..self.shards.len() {
            let late = self.learns_within();
            self.shard_learns(shard, Arc::clone(&ring), late);
        }
        for gateway in 0..self.gateways.len() {
            let late = self.learns_within();
            let boot = self.gateways[gateway].boot;
            let event = connd_core::Event::RingChanged(Arc::clone(&ring));
            self.plan_in(0..late, Step::Gateway(gateway, boot, event));
            self.dial_members(gateway);
        }
    }

    fn learns_within(&mut self) -> Time {
        if self.dice.percent(15) {
            2 * SECOND
        } else {
            200 * MS
        }
    }

    /// One change by an operator: a shard more, one less, or other weights.
    pub(super) fn change_ring(&mut self) {
        let shard = self.dice.index(self.shards.len());
        let name = self.shards[shard].name.clone();
        let lives = self.shards[shard].core.is_some();
        if !self.registry.is_member(&name) {
            if lives {
                self.registry.members.insert(name, 1);
                self.publish();
            } else {
                self.plan_in(0..1, Step::ShardStart(shard));
            }
            return;
        }
        if self.registry.members.len() > 1 && self.dice.percent(60) {
            self.registry.members.remove(&name);
        } else {
            let weight = self.registry.members.entry(name).or_insert(1);
            *weight = if *weight == 1 { 2 } else { 1 };
        }
        self.publish();
    }

    /// A member that has no process gets one; a ring of nobody alive gets
    /// somebody.
    pub(super) fn start_members(&mut self) {
        for shard in 0..self.shards.len() {
            let node = &self.shards[shard];
            if self.registry.is_member(&node.name) && node.core.is_none() {
                self.plan_in(0..500 * MS, Step::ShardStart(shard));
            }
        }
    }
}
