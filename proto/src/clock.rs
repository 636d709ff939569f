//! Time as cores see it: given with every event, never read.
//!
//! Owns the two kinds of time. Must not know a clock.

use std::ops::Add;
use std::time::Duration;

use crate::ids::Stamp;

/// A point on the monotonic clock of one process, in microseconds since some
/// start. Never sent to another process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Moment(pub u64);

impl Moment {
    /// How long ago `earlier` was; zero if it was not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Moment {
    type Output = Self;

    /// Saturates far beyond the life of a process.
    fn add(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

/// The time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// For deadlines.
    pub moment: Moment,
    /// For stamps: the wall clock, which may step.
    pub wall: Stamp,
}
