//! Whether the wall clock can be trusted with what cannot be undone.
//!
//! Owns how long it has run evenly with the monotonic one. A machine may start
//! with a clock that is wrong by weeks until it hears of the time. Must not
//! know what is done by it.

use std::time::Duration;

use proto::clock::{Moment, Now};

/// For so long it must have run evenly.
const STEADY: Duration = Duration::from_secs(3_600);

/// By so much it may differ from one look to the next.
const SLACK: Duration = Duration::from_secs(2);

/// Looks at the clock now and then.
#[derive(Debug, Default)]
pub struct Steady {
    last: Option<Now>,
    even_since: Moment,
}

impl Steady {
    /// Whether the wall clock has run evenly for an hour, as far as looks tell.
    pub fn look(&mut self, now: Now) -> bool {
        let is_even = self.last.is_some_and(|last| {
            let run_us = now.moment.since(last.moment).as_micros() as u64;
            let expected = last.wall.0.saturating_add(run_us);
            u128::from(now.wall.0.abs_diff(expected)) <= SLACK.as_micros()
        });
        if !is_even {
            self.even_since = now.moment;
        }
        self.last = Some(now);
        now.moment.since(self.even_since) >= STEADY
    }
}

#[cfg(test)]
mod tests {
    use proto::ids::Stamp;

    use super::*;

    const WEEKS_US: u64 = 31 * 24 * 3_600 * 1_000_000;

    fn at(minute: u64, ahead_us: u64) -> Now {
        let us = minute * 60_000_000;
        Now {
            moment: Moment(5 + us),
            wall: Stamp(1_795_000_000_000_000 + us + ahead_us),
        }
    }

    #[test]
    fn a_clock_is_trusted_after_an_even_hour() {
        let mut steady = Steady::default();
        for minute in 0..60 {
            assert!(!steady.look(at(minute, minute * 1_000)), "{minute}");
        }
        assert!(steady.look(at(60, 60_000)));
    }

    #[test]
    fn a_step_begins_the_hour_anew() {
        let mut steady = Steady::default();
        for minute in 0..50 {
            assert!(!steady.look(at(minute, WEEKS_US)));
        }
        // Set right, backwards.
        for minute in 50..110 {
            assert!(!steady.look(at(minute, 0)), "{minute}");
        }
        assert!(steady.look(at(110, 0)));
        assert!(!steady.look(at(111, WEEKS_US)));
    }
}
