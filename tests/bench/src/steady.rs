//! Waits until a figure does not move any more.
//!
//! Owns when that is so. Must not know the figure.

use std::collections::VecDeque;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::interrupt;

/// The pause between two looks.
const PERIOD: Duration = Duration::from_millis(200);
/// How many looks in a row must agree.
const SAMPLES: usize = 6;

/// What the wait ended with.
#[derive(Debug, Clone, Copy)]
pub struct Settled {
    /// The last value.
    pub value: u64,
    /// Whether it held still, rather than time ran out.
    pub steady: bool,
}

/// Looks until the last values differ by at most `tolerance`, or `patience` is
/// over.
pub fn wait(
    mut look: impl FnMut() -> Result<u64>,
    tolerance: u64,
    patience: Duration,
) -> Result<Settled> {
    let began = Instant::now();
    let mut recent = Recent::default();
    loop {
        let value = look()?;
        let steady = recent.is_steady_with(value, tolerance);
        if steady || began.elapsed() > patience {
            return Ok(Settled { value, steady });
        }
        interrupt::check()?;
        thread::sleep(PERIOD);
    }
}

/// The last [`SAMPLES`] values.
#[derive(Default)]
struct Recent(VecDeque<u64>);

impl Recent {
    fn is_steady_with(&mut self, value: u64, tolerance: u64) -> bool {
        if self.0.len() == SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back(value);
        let lowest = self.0.iter().min().unwrap_or(&value);
        let highest = self.0.iter().max().unwrap_or(&value);
        self.0.len() == SAMPLES && highest - lowest <= tolerance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steady_is_a_run_of_values_close_to_each_other() {
        let mut recent = Recent::default();
        let values = [10, 500, 500, 505, 503, 501, 500, 506, 600];
        let steady: Vec<bool> = values
            .into_iter()
            .map(|value| recent.is_steady_with(value, 5))
            .collect();
        let expected = [false, false, false, false, false, false, true, false, false];
        assert_eq!(steady, expected);
    }
}
