//! One room with many members, on a cluster or on the bare relay.
//!
//! Owns what can be asked of it. Must not know how it is done.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use clap::Args;

use super::cluster::{Cluster, Sync};

/// `fanout`
#[derive(Debug, Clone, Args)]
pub struct Fanout {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub room: Room,
    /// Members besides who never read what they get.
    #[arg(long, default_value_t = 0)]
    pub deaf: usize,
    /// Separate connd, msgd and friendd instead of imd; more than one of them
    /// means so, too.
    #[arg(long)]
    pub processes: bool,
    /// How many connds.
    #[arg(long, default_value = "1")]
    pub connds: NonZeroUsize,
    /// How many msgds.
    #[arg(long, default_value = "1")]
    pub msgds: NonZeroUsize,
    /// Logs and leases in a Redis that syncs its log so often; it is one of the
    /// processes that are measured.
    #[arg(long, value_enum, value_name = "SYNC", requires = "processes")]
    pub redis: Option<Sync>,
    /// Take the daemons from this directory, and build nothing.
    #[arg(long)]
    pub binaries: Option<PathBuf>,
}

impl Fanout {
    /// What is measured.
    pub fn cluster(&self) -> Cluster {
        Cluster {
            processes: self.processes || self.connds.get() > 1 || self.msgds.get() > 1,
            connds: self.connds,
            msgds: self.msgds,
            redis: self.redis,
            binaries: self.binaries.clone(),
        }
    }
}

/// `relay-fanout`
#[derive(Debug, Clone, Args)]
pub struct RelayFanout {
    #[command(flatten)]
    #[allow(missing_docs)]
    pub room: Room,
}

/// Who is in the room, and what is said in it.
#[derive(Debug, Clone, Args)]
pub struct Room {
    /// Members; one of them writes, and all get it.
    #[arg(long, default_value = "500")]
    pub members: NonZeroUsize,
    /// Messages per second, of which there may be a part: an open loop.
    #[arg(long, default_value_t = 10.0, value_parser = rate)]
    pub rate: f64,
    /// Messages that have not reached all members: a closed loop, the maximum.
    #[arg(long, conflicts_with = "rate")]
    pub closed: Option<NonZeroUsize>,
    /// How long messages are sent, in seconds.
    #[arg(long, default_value = "10")]
    pub secs: NonZeroU32,
    /// The body of a message, in bytes.
    #[arg(long, default_value_t = 100)]
    pub size: usize,
    /// Measure so often, each time with new processes.
    #[arg(long, default_value = "1")]
    pub runs: NonZeroUsize,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("a number above 0 is wanted".to_owned()),
    }
}
