//! What one who watches the registry concludes from what it reads.
//!
//! Owns when a ring is newer, when somebody is dead, when the server has
//! forgotten, and when to look again. Must not know servers or clocks.
//!
//! Everybody watches, gateways and shards, so fail-over needs no leader: who
//! sees a lease gone says so to the registry, which looks itself, once more,
//! before it takes the shard off the ring.
//!
//! Nobody is said to be dead by who has just come, or has not heard of the
//! registry for longer than a lease, or finds that nobody lives: then the
//! registry was away, and shards that lost their leases for that come back as
//! soon as they can. They get the time of a lease; else the first that comes
//! back would be given all slots, and the others take them from it again.

use std::time::Duration;

use proto::clock::Moment;
use proto::ids::{Epoch, Incarnation, ShardId};

use crate::look::{Look, Record};

/// The longest pause between two looks: news may be lost. With short leases it
/// is a third of one.
pub const POLL: Duration = Duration::from_secs(1);

/// The shortest pause between two looks.
const AGAIN: Duration = Duration::from_millis(10);

/// What the registry is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// Leases of these are gone.
    Expire(Vec<(ShardId, Incarnation)>),
    /// It has forgotten a ring: its number is to rise above the one seen.
    Raise,
}

/// What follows from a look.
#[derive(Debug, PartialEq, Eq)]
pub struct Concluded {
    /// The ring is newer than any seen before.
    pub is_newer: bool,
    /// What the registry is to be told; then it is looked at again at once.
    pub errand: Option<Errand>,
    /// The next look is due after this, if no news come before.
    pub next: Duration,
}

/// The newest ring, and what was heard when.
#[derive(Debug)]
pub struct Watcher {
    /// How long a lease is.
    lease: Duration,
    last_look: Option<Moment>,
    /// Nobody is said to be dead before.
    calm_until: Moment,
    epoch: Epoch,
    shards: Vec<(ShardId, Record)>,
}

impl Watcher {
    /// One who has seen nothing yet.
    pub fn new(lease: Duration) -> Self {
        Self {
            lease,
            last_look: None,
            calm_until: Moment::default(),
            epoch: Epoch(0),
            shards: Vec::new(),
        }
    }

    /// The number of the newest ring seen; 0: none.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The registry was read: asked at this moment, it answered so.
    pub fn looked(&mut self, asked: Moment, look: &Look) -> Concluded {
        let has_slots = look.found.iter().any(|found| found.record.weight > 0);
        let is_newer = has_slots && look.epoch > self.epoch;
        let errand = if self.is_forgotten(look) {
            Some(Errand::Raise)
        } else {
            self.dead(asked, look)
        };
        if is_newer {
            self.epoch = look.epoch;
            self.shards = shards(look);
        }
        let next = if errand.is_some() {
            AGAIN
        } else {
            self.next(asked, look)
        };
        Concluded {
            is_newer,
            errand,
            next,
        }
    }

    /// Rings only go forward, and no two have the same number.
    fn is_forgotten(&self, look: &Look) -> bool {
        look.epoch < self.epoch
            || look.epoch == self.epoch && self.epoch > Epoch(0) && shards(look) != self.shards
    }

    fn dead(&mut self, asked: Moment, look: &Look) -> Option<Errand> {
        let heard = |last: Moment| asked.since(last) <= self.lease;
        let living = |found: &crate::look::Found| found.record.weight > 0 && found.lease.is_some();
        let some_live = look.found.iter().any(living);
        if !self.last_look.is_some_and(heard) || !some_live {
            self.calm_until = asked + self.lease;
        }
        self.last_look = Some(asked);
        if asked < self.calm_until {
            return None;
        }
        let dead = look.found.iter().filter(|found| found.lease.is_none());
        let dead: Vec<_> = dead
            .map(|found| (found.name.clone(), found.record.incarnation))
            .collect();
        (!dead.is_empty()).then_some(Errand::Expire(dead))
    }

    /// A lease that is not renewed is looked at again when it ends.
    fn next(&self, asked: Moment, look: &Look) -> Duration {
        let leases = look.found.iter().filter_map(|found| found.lease);
        let ends = leases.map(|left| left + Duration::from_millis(1));
        let is_dead = look.found.iter().any(|found| found.lease.is_none());
        let calm = is_dead.then(|| self.calm_until.since(asked));
        let poll = POLL.min(self.lease / 3);
        let next = ends.chain(calm).min().map_or(poll, |next| next.min(poll));
        next.max(AGAIN)
    }
}

fn shards(look: &Look) -> Vec<(ShardId, Record)> {
    let mut shards: Vec<_> = look
        .found
        .iter()
        .map(|found| (found.name.clone(), found.record.clone()))
        .collect();
    shards.sort_by(|a, b| a.0.cmp(&b.0));
    shards
}

#[cfg(test)]
mod tests;
