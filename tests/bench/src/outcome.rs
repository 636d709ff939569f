//! What one run showed, of one thread or of all.
//!
//! Owns latencies and sums. Must not know how they came about.

use hdrhistogram::Histogram;

use crate::ledger::Tally;

/// Latencies in microseconds, up to two minutes, to three digits.
pub struct Latencies(Histogram<u64>);

const LATENCY_US_MAX: u64 = 120_000_000;

impl Latencies {
    /// None yet.
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, LATENCY_US_MAX, 3)
            .expect("the bounds are constants that hdrhistogram allows");
        Self(histogram)
    }

    /// One more; two minutes count for what took longer.
    pub fn record_ns(&mut self, nanos: u64) {
        self.0.saturating_record((nanos / 1_000).max(1));
    }

    /// The latency, in microseconds, that this share of all did not exceed;
    /// `None` of nothing.
    pub fn quantile_us(&self, share: f64) -> Option<u64> {
        (!self.0.is_empty()).then(|| self.0.value_at_quantile(share))
    }

    fn add(&mut self, other: &Self) {
        self.0
            .add(&other.0)
            .expect("all have the same bounds, so the sum fits");
    }
}

/// What one run showed.
pub struct Outcome {
    /// The accounts.
    pub tally: Tally,
    /// Delivered before the window's end.
    pub delivered_in_window: u64,
    /// Planned, and not written by the end.
    pub unsent: u64,
    /// Intended send → decoded at the recipient.
    pub delivery: Latencies,
    /// Intended send → `Sent` decoded at the sender.
    pub sent: Latencies,
    /// Intended send → written: the part that is the generator's own, or that
    /// of a full window.
    pub late: Latencies,
}

impl Outcome {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            tally: Tally::default(),
            delivered_in_window: 0,
            unsent: 0,
            delivery: Latencies::new(),
            sent: Latencies::new(),
            late: Latencies::new(),
        }
    }

    /// Adds what another thread saw.
    pub fn add(&mut self, other: &Self) {
        self.tally.add(&other.tally);
        self.delivered_in_window += other.delivered_in_window;
        self.unsent += other.unsent;
        self.delivery.add(&other.delivery);
        self.sent.add(&other.sent);
        self.late.add(&other.late);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn latencies_of_threads_are_summed_up() {
        let mut all = Outcome::new();
        assert_eq!(all.delivery.quantile_us(0.5), None);
        for thread in 0..2 {
            let mut outcome = Outcome::new();
            for at in 1..=50 {
                outcome.delivery.record_ns((thread * 50 + at) * 1_000);
            }
            outcome.delivered_in_window = 50;
            all.add(&outcome);
        }
        assert_eq!(all.delivered_in_window, 100);
        assert_eq!(all.delivery.quantile_us(0.5), Some(50));
        assert_eq!(all.delivery.quantile_us(0.99), Some(99));
        all.delivery.record_ns(u64::MAX);
        assert!(all.delivery.quantile_us(1.0) >= Some(LATENCY_US_MAX));
    }
}
