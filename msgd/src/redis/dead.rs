//! Which holders of slots are dead.
//!
//! Owns since when some are unknown. Must not know how the registry is asked.

use std::time::Duration;

use node::clock::Clock;
use proto::clock::Moment;
use proto::ids::Incarnation;
use registry::dead::Unknown;
use registry::look::Sign;

/// Those that the registry has forgotten, by the clock of this process.
#[derive(Debug)]
pub(super) struct Dead {
    unknown: Unknown,
    clock: Clock,
}

impl Dead {
    /// Where leases are as long as this; zero: where there are none.
    pub(super) fn new(lease: Duration) -> Self {
        Self {
            unknown: Unknown::new(lease),
            clock: Clock::start(),
        }
    }

    /// To be read before the registry is asked.
    pub(super) fn now(&self) -> Moment {
        self.clock.now().moment
    }

    /// Whether a holder is, of which the registry says this.
    pub(super) fn is_dead(&mut self, now: Moment, holder: Incarnation, sign: Sign) -> bool {
        self.unknown.is_dead(now, holder, sign)
    }
}
