//! What can be asked of `failover`.
//!
//! Owns its flags. Must not know how it is done.

use std::num::{NonZeroU32, NonZeroUsize};

use clap::{Args, ValueEnum};

use super::Cluster;

/// `failover`
#[derive(Debug, Args)]
pub struct Failover {
    /// What happens.
    #[arg(long, value_enum, default_value = "msgd")]
    pub of: Change,
    /// Sessions at the connd that is killed.
    #[arg(long, default_value = "10000")]
    pub n: NonZeroUsize,
    /// Pairs of users; both write, while a shard goes.
    #[arg(long, default_value = "100")]
    pub pairs: NonZeroUsize,
    /// Their messages per second.
    #[arg(long, default_value = "5000")]
    pub rate: NonZeroU32,
    /// Messages that each user keeps unanswered.
    #[arg(long, default_value = "32")]
    pub window: NonZeroUsize,
    /// How long they write before the change, and after it, in seconds.
    #[arg(long, default_value = "10")]
    pub secs: NonZeroU32,
    /// The body of a message, in bytes.
    #[arg(long, default_value_t = 100)]
    pub size: usize,
    #[command(flatten)]
    #[allow(missing_docs)]
    pub cluster: Cluster,
    /// Measure so often, each time with new processes.
    #[arg(long, default_value = "1")]
    pub runs: NonZeroUsize,
}

/// What happens to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Change {
    /// The first connd is killed; all sessions are there.
    Connd,
    /// The first msgd is killed.
    Msgd,
    /// The first msgd is drained by an operator.
    Drain,
}

impl Change {
    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connd => "connd",
            Self::Msgd => "msgd",
            Self::Drain => "drain",
        }
    }
}
