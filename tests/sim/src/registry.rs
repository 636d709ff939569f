//! The simulation's registry: the contract of its scripts, kept in memory.
//!
//! Owns what a server of the registry holds, and what each verb does to it. Too
//! simple to be wrong. Must not know when verbs arrive, or which are lost; that
//! is the world's.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::ids::{Epoch, Incarnation, ShardId};
use registry_core::look::{Berth, Found, Leaver, Look, Record, Sign};
use registry_core::watcher::{Dead, Own};

/// What a server holds. Times are in milliseconds of its own clock.
#[derive(Debug, Clone, Default)]
pub struct Server {
    epoch: u64,
    shards: BTreeMap<ShardId, Record>,
    leavers: BTreeMap<Incarnation, (ShardId, Berth)>,
    leases: BTreeMap<Incarnation, Lease>,
    /// What operators gave.
    weights: BTreeMap<ShardId, u16>,
}

#[derive(Debug, Clone, Copy)]
enum Lease {
    Renewed {
        number: u64,
        known: Epoch,
        until: u64,
    },
    Over,
}

/// Why a verb was not carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// A process elsewhere has the name, and lives.
    Taken,
    /// There is no such shard.
    Unknown,
    /// Nobody else lives who could have its slots.
    Last,
}

impl Server {
    /// What there is.
    pub fn look(&self, now: u64) -> Look {
        let found = self.shards.iter().map(|(name, record)| Found {
            name: name.clone(),
            record: record.clone(),
            lease: self.left(now, record.incarnation),
            sign: self.sign(record.incarnation),
        });
        let leavers = self.leavers.iter();
        let leavers = leavers.map(|(incarnation, (name, berth))| Leaver {
            name: name.clone(),
            incarnation: *incarnation,
            berth: *berth,
            sign: self.sign(*incarnation),
        });
        Look {
            epoch: Epoch(self.epoch),
            found: found.collect(),
            leavers: leavers.collect(),
            gateways: Vec::new(),
        }
    }

    /// Whether a shard is on the ring, with slots.
    pub fn has_joined(&self, name: &ShardId) -> bool {
        self.shards
            .get(name)
            .is_some_and(|record| record.weight > 0)
    }

    /// The last that was heard of an incarnation.
    pub fn sign(&self, incarnation: Incarnation) -> Sign {
        match self.leases.get(&incarnation) {
            None => Sign::Lost,
            Some(Lease::Over) => Sign::Over,
            Some(Lease::Renewed { number, known, .. }) => Sign::Renewed {
                number: *number,
                known: *known,
            },
        }
    }

    /// A shard comes; gives the ring with which it does.
    ///
    /// # Errors
    /// The name is another's.
    pub fn join(
        &mut self,
        now: u64,
        seen: Epoch,
        name: &ShardId,
        mut record: Record,
        lease: u64,
    ) -> Result<Epoch, Refused> {
        if let Some(former) = self.shards.get(name).cloned() {
            if former.address != record.address && self.left(now, former.incarnation).is_some() {
                return Err(Refused::Taken);
            }
            self.retire(name);
        }
        let known = self.moved(seen, false);
        let incarnation = record.incarnation;
        record.since = known;
        if let Some(weight) = self.weights.get(name) {
            record.weight = *weight;
        }
        self.shards.insert(name.clone(), record);
        let (number, until) = (0, now + lease);
        let joined = Lease::Renewed {
            number,
            known,
            until,
        };
        self.leases.insert(incarnation, joined);
        Ok(known)
    }

    /// A lease goes on; `false`: it is over, for ever.
    pub fn renew(
        &mut self,
        now: u64,
        (name, incarnation): (&ShardId, Incarnation),
        (number, known): (u64, Epoch),
        lease: u64,
    ) -> bool {
        let is_known = self.is_at(name, incarnation) || self.leavers.contains_key(&incarnation);
        if !is_known || self.sign(incarnation) == Sign::Over {
            return false;
        }
        if known.0 > self.epoch {
            self.moved(known, false);
        }
        let until = now + lease;
        let renewed = Lease::Renewed {
            number,
            known,
            until,
        };
        self.leases.insert(incarnation, renewed);
        true
    }

    /// A shard leaves the ring.
    ///
    /// # Errors
    /// It is not on it, or is the last.
    pub fn leave(
        &mut self,
        now: u64,
        seen: Epoch,
        name: &ShardId,
        incarnation: Incarnation,
    ) -> Result<(), Refused> {
        if !self.is_at(name, incarnation) {
            return Err(Refused::Unknown);
        }
        self.remove(now, seen, name)
    }

    /// A shard is taken off the ring.
    ///
    /// # Errors
    /// It is not on it, or is the last.
    pub fn remove(&mut self, now: u64, seen: Epoch, name: &ShardId) -> Result<(), Refused> {
        if !self.shards.contains_key(name) {
            self.weights.remove(name);
            return Err(Refused::Unknown);
        }
        if !self.others(now, name) {
            return Err(Refused::Last);
        }
        self.weights.remove(name);
        self.retire(name);
        self.moved(seen, false);
        Ok(())
    }

    /// A shard has another weight.
    ///
    /// # Errors
    /// It is not there, or is the last that has any.
    pub fn weigh(
        &mut self,
        now: u64,
        seen: Epoch,
        name: &ShardId,
        weight: u16,
    ) -> Result<(), Refused> {
        let Some(former) = self.shards.get(name).map(|record| record.weight) else {
            return Err(Refused::Unknown);
        };
        if weight == 0 && former > 0 && !self.others(now, name) {
            return Err(Refused::Last);
        }
        self.weights.insert(name.clone(), weight);
        if former == weight {
            return Ok(());
        }
        let epoch = self.moved(seen, false);
        if let Some(record) = self.shards.get_mut(name) {
            record.weight = weight;
            if former == 0 {
                record.since = epoch;
            }
        }
        Ok(())
    }

    /// An incarnation holds nothing any more.
    pub fn end(&mut self, incarnation: Incarnation) {
        self.leases.insert(incarnation, Lease::Over);
        self.leavers.remove(&incarnation);
    }

    /// A member has heard nothing of these for too long.
    pub fn expire(&mut self, now: u64, seen: Epoch, (by, since): (&Own, Epoch), dead: &[Dead]) {
        let own = self.shards.get(&by.name);
        let Some(own) = own.filter(|own| own.incarnation == by.incarnation) else {
            return;
        };
        let (berth, counts) = (own.berth, own.weight > 0 && own.since == since);
        let mut has_moved = false;
        for Dead {
            name,
            incarnation,
            sign,
        } in dead
        {
            if self.sign(*incarnation) != *sign {
                continue;
            }
            let is_at_home = |(_, was): &(ShardId, Berth)| *was == berth;
            if let Some(leaver) = self.leavers.get(incarnation) {
                if counts || is_at_home(leaver) {
                    self.end(*incarnation);
                }
            } else if counts && self.is_at(name, *incarnation) && self.others(now, name) {
                self.shards.remove(name);
                self.leases.insert(*incarnation, Lease::Over);
                has_moved = true;
            }
        }
        if has_moved {
            self.moved(seen, false);
        }
    }

    /// The server has an older ring than somebody saw.
    pub fn raise(&mut self, seen: Epoch) {
        if self.epoch <= seen.0 {
            self.moved(seen, true);
        }
    }

    fn is_at(&self, name: &ShardId, incarnation: Incarnation) -> bool {
        let record = self.shards.get(name);
        record.is_some_and(|record| record.incarnation == incarnation)
    }

    /// Off the ring; it may hold slots until it has ended.
    fn retire(&mut self, name: &ShardId) {
        if let Some(former) = self.shards.remove(name)
            && self.sign(former.incarnation) != Sign::Over
        {
            let place = (name.clone(), former.berth);
            self.leavers.insert(former.incarnation, place);
        }
    }

    fn left(&self, now: u64, incarnation: Incarnation) -> Option<Duration> {
        match self.leases.get(&incarnation) {
            Some(Lease::Renewed { until, .. }) if *until > now => {
                Some(Duration::from_millis(until - now))
            }
            _ => None,
        }
    }

    /// Whether another shard lives that has slots and may have this one's.
    fn others(&self, now: u64, but: &ShardId) -> bool {
        let mut others = self.shards.iter().filter(|(name, _)| *name != but);
        others.any(|(_, record)| record.weight > 0 && self.left(now, record.incarnation).is_some())
    }

    /// Another ring. Where rings were forgotten, everybody is new to who has not
    /// heard of this one.
    fn moved(&mut self, seen: Epoch, forgotten: bool) -> Epoch {
        let forgotten = forgotten || seen.0 > self.epoch;
        self.epoch = self.epoch.max(seen.0) + 1;
        let epoch = Epoch(self.epoch);
        if forgotten {
            for record in self.shards.values_mut() {
                record.since = epoch;
            }
        }
        epoch
    }
}
