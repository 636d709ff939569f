//! The end of a wait, and what is looked at while it lasts.
//!
//! Owns when to give up. Must not know what is waited for.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::interrupt;
use crate::target::Target;

/// How often the servers are looked after.
const LOOK_AROUND: Duration = Duration::from_millis(50);

/// A wait that ends.
pub struct Deadline {
    what: &'static str,
    at: Instant,
    look_at: Instant,
}

impl Deadline {
    /// For `what`, so long from now.
    pub fn new(what: &'static str, patience: Duration) -> Self {
        let now = Instant::now();
        Self {
            what,
            at: now + patience,
            look_at: now,
        }
    }

    /// An error if time is over, the wish to stop was heard, or a process has
    /// ended.
    pub fn check(&mut self, target: &mut Target) -> Result<()> {
        let now = Instant::now();
        if now < self.look_at {
            return Ok(());
        }
        self.look_at = now + LOOK_AROUND;
        interrupt::check()?;
        target.check()?;
        ensure!(now < self.at, "{} took too long", self.what);
        Ok(())
    }
}
