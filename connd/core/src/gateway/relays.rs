//! From one shard to another, by way of this gateway.

use proto::clock::Now;
use proto::link::{Relay, Up};

use super::{Gateway, forward};
use crate::effect::Effect;
use crate::router::Route;

impl Gateway {
    pub(super) fn relay(&mut self, now: Now, relay: Relay, out: &mut Vec<Effect>) {
        if let Some((session, _, generation)) = relay.relayed.of_window() {
            // Rule 8: what was checked under an older generation is sent again
            // under the newer one; passing it on now could overtake.
            let current = self
                .live(session)
                .is_some_and(|live| live.sends.generation() == generation);
            if !current {
                self.counters.relays_dropped += 1;
                return;
            }
        }
        match self.router.route(relay.slot) {
            Route::Link(link) => {
                self.counters.relayed += 1;
                forward(link, self.router.epoch(), Up::Relay(relay), out);
            }
            Route::Down(_) => self.relay_lost(now, relay),
        }
    }

    /// An envelope between shards finds no way. A message goes back to its
    /// window; who sent anything else asks again or can do without.
    pub(super) fn relay_lost(&mut self, now: Now, relay: Relay) {
        self.counters.relays_dropped += 1;
        if let Some((session, _, generation)) = relay.relayed.of_window() {
            self.returned(now, session, generation);
        }
    }
}
