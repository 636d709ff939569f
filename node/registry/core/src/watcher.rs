//! What one who watches the registry concludes from what it reads.
//!
//! Owns when a ring is newer, when somebody is dead, when the server has
//! forgotten, and when to look again. Must not know servers or clocks.
//!
//! Gateways watch for the ring alone. Shards that are on it also watch each
//! other, so fail-over needs no leader: who has seen no renewal for long enough
//! says so to the registry, which does it if none has come since.
//!
//! How long is enough depends on who watches whom. A holder that does not reach
//! the registry may go on beyond its lease if all members that it knows promise
//! to leave it alone. So one that it knows, as it said in its last renewal,
//! counts a lease, from its last promise on. Any other counts until the holder
//! must have ended in any case. A former life at one's own berth is no more:
//! that port has one process. Who has no slots is asked for no promise, and
//! calls nobody else dead; when it is given some, it is as one who has just
//! come.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::clock::Moment;
use proto::ids::{Epoch, Incarnation, ShardId};

use crate::lease::orphaned;
use crate::look::{Found, Look, Record, Sign};

/// The longest pause between two looks: news may be lost. With short leases it
/// is a third of one.
pub const POLL: Duration = Duration::from_secs(1);

/// The shortest pause between two looks.
const AGAIN: Duration = Duration::from_millis(10);

/// So many of the shards, the first by name, look more often, to know soon when
/// one is dead. The others are there in case that these are.
const WARDENS: usize = 3;

/// Looks of those in the time of a lease.
const LOOKS: u32 = 12;

/// A shard on the ring, as it knows itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Its name.
    pub name: ShardId,
    /// Its life.
    pub incarnation: Incarnation,
}

/// Who is to be called dead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// Under which name.
    pub name: ShardId,
    /// Which process.
    pub incarnation: Incarnation,
    /// Unless more was heard of it than this.
    pub sign: Sign,
}

/// What the registry is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// A member has heard nothing of these for too long.
    Expire {
        /// The member.
        by: Own,
        /// Since when it has slots. If that is so no more, only a former life of
        /// its own is dead.
        since: Epoch,
        /// These.
        dead: Vec<Dead>,
    },
    /// It has forgotten a ring: its number is to rise above the one seen.
    Raise,
}

/// What follows from a look.
#[derive(Debug, PartialEq, Eq)]
pub struct Concluded {
    /// The ring is newer than any seen before.
    pub is_newer: bool,
    /// What the registry is to be told.
    pub errand: Option<Errand>,
    /// The next look is due after this, if no news come before.
    pub next: Duration,
}

/// What was seen of a holder.
#[derive(Debug, Clone, Copy)]
struct Seen {
    sign: Sign,
    /// From when its silence counts.
    since: Moment,
    /// It was called dead after this sign. Since that may be carried out at any
    /// time, it is promised nothing more.
    is_condemned: bool,
}

/// The newest ring, and what was heard when.
#[derive(Debug)]
pub struct Watcher {
    /// How long a lease is.
    lease: Duration,
    /// The shard that watches, while it is on the ring.
    own: Option<Own>,
    /// When the last answer came, if nothing has failed since.
    heard: Option<Moment>,
    /// When the own renewal was asked for that was answered last.
    reached: Option<Moment>,
    epoch: Epoch,
    shards: Vec<(ShardId, Record)>,
    seen: BTreeMap<Incarnation, Seen>,
    /// What followed from the last look.
    said: Option<Errand>,
}

impl Watcher {
    /// One who has seen nothing yet.
    pub fn new(lease: Duration) -> Self {
        Self {
            lease,
            own: None,
            heard: None,
            reached: None,
            epoch: Epoch(0),
            shards: Vec::new(),
            seen: BTreeMap::new(),
            said: None,
        }
    }

    /// The watcher is on the ring from now on, or is nobody.
    pub fn sits(&mut self, own: Option<Own>) {
        self.own = own;
    }

    /// Whether it is on the ring.
    pub fn sits_somewhere(&self) -> bool {
        self.own.is_some()
    }

    /// The number of the newest ring seen; 0: none.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The registry did not answer. What happened meanwhile is not known.
    pub fn silent(&mut self) {
        self.heard = None;
    }

    /// The registry renewed the own lease, as it was asked at this moment.
    pub fn reached(&mut self, asked: Moment) {
        self.reached = self.reached.max(Some(asked));
    }

    /// A holder whose lease the registry does not renew asks whether it may go
    /// on for one from now. Not if this one's is renewed, and not if the holder
    /// has been called dead.
    pub fn promises(&mut self, now: Moment, holder: Incarnation) -> bool {
        let recent = |asked: Moment| now.since(asked) < self.lease * 2 / 5;
        if self.own.is_none() || self.reached.is_some_and(recent) {
            return false;
        }
        match self.seen.get_mut(&holder) {
            Some(seen) if seen.is_condemned => false,
            Some(seen) => {
                seen.since = seen.since.max(now);
                true
            }
            // It is not known, or was called dead.
            None => false,
        }
    }

    /// The registry was read, and had answered at this moment.
    pub fn looked(&mut self, answered: Moment, look: &Look) -> Concluded {
        let has_slots = look.found.iter().any(|found| found.record.weight > 0);
        let is_newer = has_slots && look.epoch > self.epoch;
        self.see(answered, look);
        let errand = if self.is_forgotten(look) {
            Some(Errand::Raise)
        } else {
            self.dead(answered, look)
        };
        if is_newer {
            self.epoch = look.epoch;
            self.shards = shards(look);
        }
        let next = self.next(answered, look, &errand);
        self.said.clone_from(&errand);
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

    /// Silence counts from the answer that shows it first: who renewed before
    /// that asked before it. Over a gap it counts anew.
    fn see(&mut self, answered: Moment, look: &Look) {
        let is_whole = |heard: Moment| answered.since(heard) <= self.lease;
        let is_gap = !self.heard.is_some_and(is_whole);
        self.heard = Some(answered);
        let former = std::mem::take(&mut self.seen);
        for (incarnation, sign) in signs(look) {
            let same = former.get(&incarnation).filter(|seen| seen.sign == sign);
            let since = match same {
                Some(seen) if is_gap => seen.since.max(answered),
                Some(seen) => seen.since,
                None => answered,
            };
            let seen = Seen {
                sign,
                since,
                is_condemned: same.is_some_and(|seen| seen.is_condemned),
            };
            self.seen.insert(incarnation, seen);
        }
    }

    fn dead(&mut self, answered: Moment, look: &Look) -> Option<Errand> {
        let by = self.own.clone()?;
        let own = record(&by, look)?;
        let mut dead = Vec::new();
        for (name, incarnation) in holders(look) {
            let due = self.due(own, incarnation, look);
            if let Some(seen) = self.seen.get_mut(&incarnation)
                && due.is_some_and(|due| due <= answered)
            {
                seen.is_condemned = true;
                dead.push(Dead {
                    name: name.clone(),
                    incarnation,
                    sign: seen.sign,
                });
            }
        }
        let since = own.since;
        (!dead.is_empty()).then_some(Errand::Expire { by, since, dead })
    }

    /// When a holder is dead that stays silent; never, while nobody lives who
    /// could have its place on the ring.
    fn due(&self, own: &Record, holder: Incarnation, look: &Look) -> Option<Moment> {
        let seen = self.seen.get(&holder)?;
        let leaver = look.leavers.iter().find(|l| l.incarnation == holder);
        let lives = |found: &Found| found.record.weight > 0 && found.lease.is_some();
        let has_heirs = look.found.iter().any(lives);
        if holder == own.incarnation || leaver.is_none() && !has_heirs {
            return None;
        }
        let is_former = leaver.is_some_and(|leaver| leaver.berth == own.berth);
        let length = match seen.sign {
            _ if own.weight == 0 && !is_former => return None,
            Sign::Over => Duration::ZERO,
            Sign::Renewed { known, .. } if known >= own.since => self.lease,
            _ if is_former => self.lease,
            Sign::Renewed { .. } | Sign::Lost => orphaned(self.lease),
        };
        Some(seen.since + length)
    }

    /// A shard that is not renewed is looked at again when it is dead; at once
    /// where that was just said for the first time.
    fn next(&self, answered: Moment, look: &Look, errand: &Option<Errand>) -> Duration {
        let poll = POLL.min(self.lease / 3);
        if errand
            .as_ref()
            .is_some_and(|errand| self.said.as_ref() != Some(errand))
        {
            return AGAIN;
        }
        let Some(by) = &self.own else {
            return poll;
        };
        let before = |other: &&Found| other.name < by.name;
        let rank = look.found.iter().filter(before).count();
        let poll = if rank < WARDENS {
            poll.min(self.lease / LOOKS)
        } else {
            poll
        };
        let is_open = |holder| !self.seen.get(&holder).is_some_and(|seen| seen.is_condemned);
        let open = holders(look).filter(|(_, holder)| is_open(*holder));
        let own = record(by, look);
        let dues = open.filter_map(|(_, holder)| self.due(own?, holder, look));
        let next = dues.map(|due| due.since(answered)).min();
        next.map_or(poll, |next| next.min(poll)).max(AGAIN)
    }
}

/// What is written down of a member.
fn record<'a>(own: &Own, look: &'a Look) -> Option<&'a Record> {
    let mut records = look.found.iter().map(|found| &found.record);
    records.find(|record| record.incarnation == own.incarnation)
}

/// All that may hold slots.
fn holders(look: &Look) -> impl Iterator<Item = (&ShardId, Incarnation)> {
    let found = look.found.iter();
    let found = found.map(|found| (&found.name, found.record.incarnation));
    let leavers = look.leavers.iter();
    found.chain(leavers.map(|leaver| (&leaver.name, leaver.incarnation)))
}

fn signs(look: &Look) -> impl Iterator<Item = (Incarnation, Sign)> {
    let found = look.found.iter();
    let found = found.map(|found| (found.record.incarnation, found.sign));
    let leavers = look.leavers.iter();
    found.chain(leavers.map(|leaver| (leaver.incarnation, leaver.sign)))
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
