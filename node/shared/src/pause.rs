//! The pause between two attempts.

use std::time::Duration;

use tokio::time::Instant;

/// The first pause, and the longest.
const FIRST: Duration = Duration::from_millis(20);
const LONGEST: Duration = Duration::from_secs(1);

/// A pause that grows with every attempt that fails.
#[derive(Debug)]
pub(crate) struct Pause {
    length: Duration,
    until: Option<Instant>,
}

impl Pause {
    pub(crate) fn new() -> Self {
        Self {
            length: FIRST,
            until: None,
        }
    }

    /// Whether it may be tried again.
    pub(crate) fn is_over(&self) -> bool {
        self.until.is_none_or(|until| until <= Instant::now())
    }

    pub(crate) fn failed(&mut self) {
        self.until = Some(Instant::now() + self.length);
        self.length = LONGEST.min(self.length * 2);
    }

    pub(crate) fn succeeded(&mut self) {
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_up_to_a_second() {
        let mut pause = Pause::new();
        assert!(pause.is_over());
        let mut lengths = Vec::new();
        for _ in 0..8 {
            lengths.push(pause.length.as_millis());
            pause.failed();
            assert!(!pause.is_over());
        }
        assert_eq!(lengths, [20, 40, 80, 160, 320, 640, 1_000, 1_000]);
        pause.succeeded();
        assert!(pause.is_over());
        assert_eq!(pause.length, FIRST);
    }
}
