//! The clock that shells read on behalf of cores.
//!
//! Owns where a process's monotonic time begins. Must not know who asks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use proto::clock::{Moment, Now};
use proto::ids::Stamp;

/// Both clocks of this process.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
}

impl Clock {
    /// Monotonic time begins now.
    pub fn start() -> Self {
        Self {
            start: Instant::now(),
        }
    }

    /// The time.
    pub fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH);
        Now {
            moment: Moment(micros(self.start.elapsed())),
            // A clock before 1970 counts as 1970.
            wall: Stamp(micros(wall.unwrap_or_default())),
        }
    }

    /// The moment at this instant; the first one if it was before.
    pub fn moment(&self, instant: Instant) -> Moment {
        Moment(micros(instant.saturating_duration_since(self.start)))
    }

    /// When a moment is, for a timer.
    pub fn instant(&self, moment: Moment) -> Instant {
        self.start + Duration::from_micros(moment.0)
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
