//! Of which daemons the measured cluster consists.
//!
//! Owns what can be asked of them. Must not know how they are started.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// What is measured.
#[derive(Debug, Clone, Args)]
pub struct Cluster {
    /// Separate connd, msgd and friendd instead of imd.
    #[arg(long)]
    pub processes: bool,
    /// How many connds.
    #[arg(long, default_value = "1", requires = "processes")]
    pub connds: NonZeroUsize,
    /// How many msgds.
    #[arg(long, default_value = "1", requires = "processes")]
    pub msgds: NonZeroUsize,
    /// Mailboxes and leases in a Redis that syncs its log so often; it is one of
    /// the processes that are measured.
    #[arg(long, value_enum, value_name = "SYNC", requires = "processes")]
    pub redis: Option<Sync>,
    /// Take the daemons from this directory, and build nothing.
    #[arg(long)]
    pub binaries: Option<PathBuf>,
}

/// When a Redis syncs what it has logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Sync {
    /// Before it answers.
    Always,
    /// Each second.
    Everysec,
    /// There is no log.
    No,
}

impl Sync {
    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Everysec => "everysec",
            Self::No => "no",
        }
    }
}
