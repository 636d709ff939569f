//! A rate in eight bytes: how gateways and shards count what is allowed.
//!
//! The generic cell rate algorithm (ITU-T I.371): one theoretical arrival time
//! says how much of the allowance is used.

use std::time::Duration;

use crate::clock::Moment;

/// How many, and how many at once.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    interval: Duration,
    burst: Duration,
}

impl Allowance {
    /// `per_second` in the long run, `at_once` after a pause. Zeros count as
    /// one.
    pub fn new(per_second: u32, at_once: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self {
            interval,
            burst: interval * at_once.max(1),
        }
    }
}

/// What of an [`Allowance`] is used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    empty_at: Moment,
}

impl Usage {
    /// Takes one, or says after how long one may be taken.
    pub fn take(&mut self, now: Moment, allowance: &Allowance) -> Result<(), Duration> {
        let after = self.empty_at.max(now) + allowance.interval;
        let limit = now + allowance.burst;
        if after > limit {
            return Err(after.since(limit));
        }
        self.empty_at = after;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_the_rate() {
        let allowance = Allowance::new(10, 3);
        let mut usage = Usage::default();
        let start = Moment(5_000_000);
        for _ in 0..3 {
            assert_eq!(usage.take(start, &allowance), Ok(()));
        }
        let wait = usage.take(start, &allowance).unwrap_err();
        assert_eq!(wait, Duration::from_millis(100));
        assert_eq!(usage.take(start + wait, &allowance), Ok(()));
        assert!(usage.take(start + wait, &allowance).is_err());
    }
}
