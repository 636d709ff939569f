//! Processor time of a stretch of a run.
//!
//! Owns its beginning and end. Must not know what is done in it.

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::cpu;
use crate::report;
use crate::steady;
use crate::target::{CpuSamples, CpuSpent, Target};

/// The servers are at rest when they do less than this in a second.
const NS_TOLERANCE: u64 = 20_000_000;
const PATIENCE: Duration = Duration::from_secs(10);

/// A stretch that has begun.
pub struct Meter {
    servers: CpuSamples,
    own: cpu::Sample,
    began: Instant,
}

/// What was spent in a stretch.
pub struct Spent {
    /// By those that are measured.
    pub servers: CpuSpent,
    /// By this process.
    pub generator_ns: u64,
    /// How long it was.
    pub took: Duration,
}

impl Meter {
    /// Begins.
    pub fn start(target: &Target) -> Result<Self> {
        Ok(Self {
            servers: target.cpu()?,
            own: cpu::Sample::take(std::process::id())?,
            began: Instant::now(),
        })
    }

    /// Ends.
    pub fn stop(self, target: &Target) -> Result<Spent> {
        let took = self.began.elapsed();
        let servers = target.cpu_spent(&self.servers, &target.cpu()?);
        let own = cpu::Sample::take(std::process::id())?;
        Ok(Spent {
            servers,
            generator_ns: own.since(&self.own).total_ns(),
            took,
        })
    }
}

impl Spent {
    /// The servers' processor time, in microseconds per what was done.
    pub fn us_per(&self, done: u64) -> Option<f64> {
        report::us_per(self.servers.by_part.values().sum(), done)
    }

    /// What was done, per second.
    pub fn per_s(&self, done: u64) -> Option<f64> {
        report::ratio(done as f64, self.took.as_secs_f64())
    }
}

/// Waits until the servers are at rest; says so if they are not.
pub fn settle(target: &Target) -> Result<()> {
    let settled = steady::wait(|| Ok(target.cpu()?.total_ns()), NS_TOLERANCE, PATIENCE)?;
    if !settled.steady {
        eprintln!("bench: the servers are busy without a load; their work counts");
    }
    Ok(())
}
