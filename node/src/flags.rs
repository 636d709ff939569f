//! The flags that every daemon has.
//!
//! Owns their names. Must not know a service's own.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

use crate::telemetry::Format;

/// Where the settings are, where a daemon is looked at, and what it says.
#[derive(Debug, Clone, Args)]
pub struct DaemonFlags {
    /// The settings file, in TOML. Environment and flags go over it.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Checks all settings, shows those in force and what memory they allow,
    /// and starts nothing.
    #[arg(long)]
    pub check: bool,
    /// Where /metrics, /healthz and /readyz are; a loopback address, unless it
    /// has an --admin-public. Default: 127.0.0.1:7190.
    #[arg(long, value_name = "IP:PORT")]
    pub admin: Option<SocketAddr>,
    /// What is logged: a level, or one per part, as in info,msgd=debug.
    /// Default: info.
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// How a line of the log looks. Default: text.
    #[arg(long, value_enum)]
    pub log_format: Option<Format>,
}
