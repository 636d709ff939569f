//! Clocks: each process has its own, and none is right.

use proto::clock::{Moment, Now};
use proto::ids::Stamp;

use super::World;
use crate::agenda::{MS, SECOND, Time};
use crate::dice::Dice;

/// Microseconds since 1970 when the world begins.
pub(super) const WALL: i64 = 1_795_000_000_000_000;

/// By how much a clock may run too fast or too slowly, in parts of a million.
const RATE_MAX: i64 = 24_000;

const MILLION: i128 = 1_000_000;

/// A process's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    /// Of the monotonic clock.
    start: u64,
    /// By how much that is too fast, in parts of a million.
    rate: i64,
    /// Of the wall clock, in microseconds.
    pub(super) shift: i64,
}

impl Clock {
    pub(super) fn new(dice: &mut Dice, is_skewed: bool) -> Self {
        // Mostly the worst.
        let rate = match dice.within(0..3) {
            0 => RATE_MAX,
            1 => -RATE_MAX,
            _ => dice.within(0..2 * RATE_MAX as u64) as i64 - RATE_MAX,
        };
        Self {
            start: dice.within(SECOND..900 * SECOND),
            rate: if is_skewed { rate } else { 0 },
            shift: dice.within(0..200 * MS) as i64 - 100 * MS as i64,
        }
    }

    pub(super) fn now(self, at: Time) -> Now {
        let passed = i128::from(at) * (MILLION + i128::from(self.rate)) / MILLION;
        Now {
            moment: Moment(self.start + passed as u64),
            wall: Stamp((WALL + at as i64 + self.shift) as u64),
        }
    }

    /// When a moment of this clock has come.
    pub(super) fn time_of(self, moment: Moment) -> Time {
        let passed = i128::from(moment.0.saturating_sub(self.start)) * MILLION;
        let rate = MILLION + i128::from(self.rate);
        ((passed + rate - 1) / rate) as Time
    }
}

impl World {
    pub(super) fn new_clock(&mut self) -> Clock {
        Clock::new(&mut self.dice, self.plan.clock_skew)
    }

    pub(super) fn shard_clock(&mut self, shard: usize) -> Clock {
        let mut clock = self.new_clock();
        if let Some(slow) = self.plan.slow_shard {
            clock.rate = if slow == shard { -RATE_MAX } else { RATE_MAX };
        }
        clock
    }
}
