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
    /// Since when.
    since: BTreeMap<Incarnation, Moment>,
}

impl Unknown {
    /// Nobody was looked for yet.
    pub fn new(lease: Duration) -> Self {
        let since = BTreeMap::new();
        Self { lease, since }
    }

    /// Whether a holder is dead, of which the registry says this now. One that
    /// was called dead is. One that is not known any more is when it has been
    /// so for longer than it can count on anything.
    pub fn is_dead(&mut self, now: Moment, holder: Incarnation, sign: Sign) -> bool {
        if sign != Sign::Lost {
            self.since.remove(&holder);
            return sign == Sign::Over;
        }
        let since = *self.since.entry(holder).or_insert(now);
        now.since(since) >= orphaned(self.lease)
    }
}
