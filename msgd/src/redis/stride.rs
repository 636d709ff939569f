//! How many slots one pipeline claims.
//!
//! Owns the search for it. A claim goes through everybody who has mail in the
//! slot, and the claims of a pipeline are written to the disk together where the
//! server syncs before it answers: where claims take long, users wait for few of
//! them, and where the disk does, few times for it. Must not know what a claim
//! is.

use std::time::Duration;

/// The first pipeline, and the shortest.
const MIN: usize = 32;

/// The longest.
const MAX: usize = 1_024;

/// A pipeline that takes longer is not followed by a longer one: all of it is to
/// be answered within the patience with Redis.
const LONGEST: Duration = Duration::from_millis(500);

/// A longer pipeline is worth its wait where it carries so many times more slots
/// in the same time.
const WORTH: f64 = 1.25;

/// The length of the next pipeline.
#[derive(Debug)]
pub(super) struct Stride {
    slots: usize,
    /// Slots per second, where the length was changed last.
    before: f64,
}

impl Default for Stride {
    fn default() -> Self {
        Self {
            slots: MIN,
            before: 0.0,
        }
    }
}

impl Stride {
    /// So many slots.
    pub(super) fn slots(&self) -> usize {
        self.slots
    }

    /// A pipeline of that length took so long.
    pub(super) fn took(&mut self, elapsed: Duration) {
        let rate = self.slots as f64 / elapsed.as_secs_f64().max(1e-6);
        if elapsed > LONGEST {
            self.slots = (self.slots / 2).max(MIN);
            // Whatever was quicker is not to be tried again at once.
            self.before = rate;
        } else if rate >= self.before * WORTH && self.slots < MAX {
            self.slots *= 2;
            self.before = rate;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lengths of pipelines for 16,384 slots, and how long all take.
    fn claimed(sync: Duration, each: Duration) -> (Vec<usize>, Duration) {
        let (mut stride, mut rest) = (Stride::default(), 16_384);
        let (mut lengths, mut whole) = (Vec::new(), Duration::ZERO);
        while rest > 0 {
            let slots = stride.slots().min(rest);
            let elapsed = sync + each * u32::try_from(slots).unwrap();
            stride.took(elapsed);
            lengths.push(slots);
            whole += elapsed;
            rest -= slots;
        }
        (lengths, whole)
    }

    #[test]
    fn a_slow_disk_is_waited_for_a_few_times() {
        let (lengths, whole) = claimed(Duration::from_millis(200), Duration::from_micros(20));
        assert_eq!(lengths[..6], [32, 64, 128, 256, 512, 1_024]);
        assert!(lengths.iter().all(|slots| *slots <= MAX));
        assert!(whole < Duration::from_secs(5), "{whole:?}");
    }

    #[test]
    fn where_each_claim_takes_long_users_wait_for_few() {
        let (lengths, _) = claimed(Duration::from_micros(100), Duration::from_millis(2));
        assert!(lengths.iter().all(|slots| *slots <= 2 * MIN), "{lengths:?}");
    }

    #[test]
    fn none_is_longer_than_the_patience_allows() {
        let each = Duration::from_millis(2);
        let (lengths, _) = claimed(Duration::from_millis(400), each);
        let longest = *lengths.iter().max().unwrap();
        let longest = u32::try_from(longest).unwrap();
        let took = Duration::from_millis(400) + each * longest;
        // Half of the patience with Redis.
        assert!(took < Duration::from_secs(1), "{took:?}");
    }
}
