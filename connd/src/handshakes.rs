//! How many TLS handshakes a gateway has per second: each costs as much as
//! dozens of messages, and who floods must not take that from others.
//!
//! Owns the line in which they wait. Must not know TLS.

use std::cell::Cell;

use node::clock::Clock;
use proto::rate::{Allowance, Usage};
use tokio::sync::Mutex;

/// The line before handshakes. Whoever is gone when its turn comes takes none,
/// so those who are there wait for each other only.
#[derive(Debug)]
pub struct Handshakes {
    allowance: Cell<Allowance>,
    usage: Cell<Usage>,
    /// Held by the first in line, who watches the clock; it is fair.
    first: Mutex<()>,
}

impl Handshakes {
    /// So many per second, and as many at once.
    pub fn new(per_second: u32) -> Self {
        Self {
            allowance: Cell::new(allowance(per_second)),
            usage: Cell::new(Usage::default()),
            first: Mutex::new(()),
        }
    }

    /// So many from now on.
    pub fn set_rate(&self, per_second: u32) {
        self.allowance.set(allowance(per_second));
    }

    /// Waits for a turn; whether that took any time. Who has gone when it comes
    /// takes none.
    pub async fn admit(&self, clock: &Clock, is_there: impl AsyncFn() -> bool) -> bool {
        let (mut waited, _turn) = match self.first.try_lock() {
            Ok(turn) => (false, turn),
            Err(_) => (true, self.first.lock().await),
        };
        while is_there().await {
            let mut usage = self.usage.get();
            let taken = usage.take(clock.now().moment, &self.allowance.get());
            self.usage.set(usage);
            match taken {
                Ok(()) => return waited,
                Err(pause) => tokio::time::sleep(pause).await,
            }
            waited = true;
        }
        waited
    }
}

fn allowance(per_second: u32) -> Allowance {
    Allowance::new(per_second, per_second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, Instant};

    #[tokio::test]
    async fn beyond_the_rate_they_come_in_line() {
        let handshakes = Handshakes::new(100);
        let clock = Clock::start();
        let start = Instant::now();
        for _ in 0..100 {
            handshakes.admit(&clock, async || true).await;
        }
        let mut waited = 0;
        for _ in 0..20 {
            waited += u32::from(handshakes.admit(&clock, async || true).await);
        }
        assert!(waited > 0);
        // 120 at 100 per second, of which 100 came at once.
        assert!(start.elapsed() >= Duration::from_millis(190));
    }
}
