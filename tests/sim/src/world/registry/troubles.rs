//! The registry's own troubles, and what operators do there.

use super::{Mood, Place, Registry};
use crate::agenda::{MS, SECOND, Time};
use crate::plan::LEASE;
use crate::registry::{Refused, Server};
use crate::world::{SHARDS_AT_FIRST, Step, Trouble, World};

impl World {
    /// An operator's word gets through in any case.
    pub(in crate::world) fn operate(
        &mut self,
        verb: impl FnOnce(&mut Server, u64) -> Result<(), Refused>,
    ) {
        let ms = self.registry.clock.now(self.now).wall.0 / MS;
        self.registry.remember(self.now);
        let epoch = self.registry.look().epoch;
        let done = verb(&mut self.registry.server, ms);
        if done.is_ok() && self.registry.look().epoch != epoch {
            let look = self.registry.look();
            self.trace.say(self.now, || format!("operator: {look:?}"));
            self.tell_news();
        }
    }

    /// In so much time at most, or nearly at once.
    pub(super) fn soon(&self, most: Time) -> Time {
        match self.plan.slow_shard {
            Some(_) => MS,
            None => most,
        }
    }

    /// The registry's own troubles.
    pub(in crate::world) fn registry_trouble(&mut self) {
        let short = 100 * MS..LEASE;
        let long = LEASE..4 * LEASE;
        let range = self.dice.pick(&[short, long]).clone();
        let long = self.dice.within(range);
        let until = self.now + long;
        match self.dice.within(0..15) {
            0..2 => self.registry.mood = Mood::Away(until),
            2..4 => self.registry.mood = Mood::Stalled(until),
            4..6 => self.registry_takes_nothing(until),
            6..10 => self.registry_bars(long),
            10..13 => self.registry_is_parted(),
            _ => {
                let gateway = self.dice.index(self.gateways.len());
                self.registry.barred.insert(Place::Gateway(gateway), until);
            }
        }
        self.trace.say(self.now, || {
            let Registry { mood, barred, .. } = &self.registry;
            format!("registry: {mood:?}, barred {barred:?}, until {until}")
        });
    }

    /// One shard does not get through: it counts on its lease as long as it can.
    fn registry_bars(&mut self, long: Time) {
        let any = self.dice.index(self.shards.len());
        let shard = self.plan.slow_shard.unwrap_or(any);
        let place = Place::Shard(shard);
        if self.dice.percent(70) {
            self.registry.barring.insert(place, LEASE + long);
        } else {
            self.registry.barred.insert(place, self.now + long);
        }
    }

    /// The slow one does not get through for longer than its lease, from a
    /// renewal on. Or one that watches it stands still, for somewhat less, after
    /// it has looked and before it has the answer.
    pub(in crate::world) fn registry_cuts_off(&mut self) {
        let Some(slow) = self.plan.slow_shard else {
            return;
        };
        let other = self.dice.index(SHARDS_AT_FIRST);
        if other != slow {
            let long = LEASE * 4 / 5 + self.dice.within(0..LEASE / 8);
            self.shards[other].seat.pauses = Some(long);
            return;
        }
        let long = LEASE + self.dice.within(0..LEASE);
        self.registry.barring.insert(Place::Shard(slow), long);
    }

    /// The server can be read: nobody is renewed. Some get through even later.
    fn registry_takes_nothing(&mut self, until: Time) {
        self.registry.mood = Mood::ReadOnly(until);
        for shard in 0..self.shards.len() {
            if self.dice.percent(40) {
                let until = until + self.dice.within(0..2 * LEASE);
                self.registry.barred.insert(Place::Shard(shard), until);
            }
        }
    }

    /// Some shards do not get through, or all that there are; then another one
    /// comes, which does.
    fn registry_is_parted(&mut self) {
        let all = self.dice.percent(50);
        for shard in 0..self.shards.len() {
            if self.shards[shard].process == 0 {
                let start = Step::ShardStart(shard);
                self.plan_in(0..LEASE, start);
            } else if all || self.dice.percent(60) {
                let until = self.now + self.dice.within(LEASE..6 * LEASE);
                self.registry.barred.insert(Place::Shard(shard), until);
            }
        }
    }

    /// Nobody gets through for several leases.
    pub(in crate::world) fn registry_outage(&mut self) {
        let until = self.now + self.dice.within(LEASE..10 * LEASE);
        self.trace
            .say(self.now, || format!("registry: away until {until}"));
        self.registry.mood = if self.dice.percent(50) {
            Mood::Away(until)
        } else {
            Mood::Stalled(until)
        };
    }

    /// Another server takes over. Some shards may see nothing of the last moments
    /// before.
    pub(in crate::world) fn registry_forgets(&mut self) {
        if self.dice.percent(50) {
            let away = self.dice.within(0..2 * LEASE);
            return self.registry_fails_over(away);
        }
        let pause = self.dice.within(700 * MS..SECOND);
        for shard in 0..self.shards.len() {
            if self.dice.percent(50) {
                let until = self.now + pause;
                self.registry.barred.insert(Place::Shard(shard), until);
            }
        }
        let then = Step::Over(Trouble::RegistryForgets);
        self.plan_in(pause..pause + 1, then);
    }

    /// They see what comes now, and the others do not.
    pub(in crate::world) fn registry_forgets_parted(&mut self) {
        self.registry_fails_over(0);
        for shard in 0..self.shards.len() {
            let place = Place::Shard(shard);
            if self.registry.barred.get(&place) != Some(&self.now) {
                let until = self.now + self.dice.within(LEASE..3 * LEASE);
                self.registry.barred.insert(place, until);
            }
        }
    }

    /// Another server takes over, which lags behind, or has nothing.
    fn registry_fails_over(&mut self, away: Time) {
        self.registry.mood = Mood::Away(self.now + away);
        self.registry.term += 1;
        if self.dice.percent(25) {
            self.registry.server = Server::default();
        } else if let Some((_, former)) = self.registry.former.front() {
            self.registry.server = former.clone();
        }
        self.registry.former.clear();
        let look = self.registry.look();
        self.trace
            .say(self.now, || format!("registry: another server, {look:?}"));
    }

    /// Its wall clock steps.
    pub(in crate::world) fn registry_clock_steps(&mut self, shift: i64) {
        self.registry.clock.shift += shift;
    }

    pub(in crate::world) fn registry_recovers(&mut self) {
        self.registry.mood = Mood::Well;
        self.registry.barred.clear();
        self.registry.barring.clear();
    }
}
