//! How long to wait before the next connection.
//!
//! Owns the pauses. Must not know why a connection ended.

use std::time::Duration;

use super::dice::Dice;

/// The ceiling of the first pause.
pub(super) const FIRST: Duration = Duration::from_millis(500);

/// The ceiling of every later pause.
pub(super) const LONGEST: Duration = Duration::from_secs(30);

/// A connection that held this long was a good one: the pauses start anew.
pub(super) const GOOD: Duration = Duration::from_secs(10);

/// Exponential pauses with jitter: the ceiling doubles with each failure in a
/// row, and a pause is at least half of its ceiling.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure, not shorter than what the server
    /// asked for.
    pub(super) fn next(&mut self, not_before: Duration, dice: &mut Dice) -> Duration {
        let doubled = FIRST.saturating_mul(1 << self.failures.min(16));
        let ceiling = doubled.min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        let half = ceiling / 2;
        // At most 15 seconds, in milliseconds.
        let jitter = Duration::from_millis(dice.up_to(half.as_millis() as u64));
        half.max(not_before) + jitter
    }

    /// A connection lasted `lasted`.
    pub(super) fn held(&mut self, lasted: Duration) {
        if lasted >= GOOD {
            self.failures = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_within_bounds_and_differ() {
        let mut dice = Dice::new(7);
        for seed_run in 0..50 {
            let mut backoff = Backoff::default();
            let mut ceiling = FIRST;
            for failure in 0..40 {
                let pause = backoff.next(Duration::ZERO, &mut dice);
                assert!(
                    pause >= ceiling / 2 && pause <= ceiling,
                    "run {seed_run}, failure {failure}: {pause:?} for {ceiling:?}"
                );
                ceiling = (ceiling * 2).min(LONGEST);
            }
        }
        let mut first = || Backoff::default().next(Duration::ZERO, &mut dice);
        let pauses: Vec<Duration> = (0..20).map(|_| first()).collect();
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }

    #[test]
    fn the_servers_wish_is_the_least() {
        let mut dice = Dice::new(1);
        let wish = Duration::from_secs(5);
        for _ in 0..20 {
            let pause = Backoff::default().next(wish, &mut dice);
            assert!(pause >= wish && pause <= wish + FIRST);
        }
    }

    #[test]
    fn only_a_connection_that_held_starts_anew() {
        let mut dice = Dice::new(1);
        let mut backoff = Backoff::default();
        for _ in 0..10 {
            backoff.next(Duration::ZERO, &mut dice);
            backoff.held(GOOD / 2);
        }
        assert!(backoff.next(Duration::ZERO, &mut dice) >= LONGEST / 2);
        backoff.held(GOOD);
        assert!(backoff.next(Duration::ZERO, &mut dice) <= FIRST);
    }
}
