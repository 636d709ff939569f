//! The registry's own troubles, and what operators do there.

use super::{Mood, Place, Registry};
use crate::agenda::MS;
use crate::plan::LEASE;
use crate::registry::{Refused, Server};
use crate::world::World;

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

    /// The registry's own troubles.
    pub(in crate::world) fn registry_trouble(&mut self) {
        let short = 100 * MS..LEASE;
        let long = LEASE..4 * LEASE;
        let range = self.dice.pick(&[short, long]).clone();
        let until = self.now + self.dice.within(range);
        match self.dice.within(0..10) {
            0..3 => self.registry.mood = Mood::Away(until),
            3..5 => self.registry.mood = Mood::Stalled(until),
            5..8 => {
                let shard = self.dice.index(self.shards.len());
                self.registry.barred.insert(Place::Shard(shard), until);
            }
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

    /// Another server takes over, which lags behind, or has nothing.
    pub(in crate::world) fn registry_forgets(&mut self) {
        let away = self.dice.within(0..2 * LEASE);
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
    }
}
