//! Which holders of slots are dead, for one who claims what they hold.
//!
//! Owns how long a holder must be unknown. Must not know slots or claims.

use std::collections::BTreeMap;
use std::time::Duration;

use proto::clock::Moment;
use proto::ids::Incarnation;

use crate::lease::orphaned;
use crate::look::Sign;

/// Holders of which the registry has forgotten everything.
#[derive(Debug)]
pub struct Unknown {
    lease: Duration,
    /// Since when, and when that was last found.
    found: BTreeMap<Incarnation, (Moment, Moment)>,
}

impl Unknown {
    /// Nobody was looked for yet.
    pub fn new(lease: Duration) -> Self {
        let found = BTreeMap::new();
        Self { lease, found }
    }

    /// Whether a holder is dead, of which the registry says this now. One that
    /// was called dead is. One that is not known any more is when it has been
    /// so for longer than it can count on anything; over a time in which nobody
    /// asked, which is one longer than a lease, it counts anew.
    pub fn is_dead(&mut self, now: Moment, holder: Incarnation, sign: Sign) -> bool {
        let lease = self.lease;
        self.found.retain(|_, (_, last)| now.since(*last) <= lease);
        if sign != Sign::Lost {
            self.found.remove(&holder);
            return sign == Sign::Over;
        }
        let (since, last) = self.found.entry(holder).or_insert((now, now));
        *last = now;
        now.since(*since) >= orphaned(lease)
    }
}
