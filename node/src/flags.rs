//! The flags that every daemon has.
//!
//! Owns their names. Must not know a service's own.

use std::net::SocketAddr;

use clap::{Args, ValueEnum};

use crate::telemetry::{self, Format, Telemetry, TelemetryError, TelemetrySettings};

/// Where a daemon is looked at, and what it says.
#[derive(Debug, Clone, Args)]
pub struct DaemonFlags {
    /// Where /metrics, /healthz and /readyz are; a loopback address.
    #[arg(long, default_value = "127.0.0.1:7190")]
    pub admin: SocketAddr,
    /// What is logged: a level, or one per part, as in info,msgd=debug.
    #[arg(long, default_value = "info")]
    pub log: String,
    /// How a line of the log looks.
    #[arg(long, value_enum, default_value = "text")]
    pub log_format: LogFormat,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl DaemonFlags {
    /// Starts the log.
    ///
    /// # Errors
    /// The filter cannot be read.
    pub fn telemetry(&self) -> Result<Telemetry, TelemetryError> {
        telemetry::init(&TelemetrySettings {
            filter: self.log.clone(),
            format: match self.log_format {
                LogFormat::Text => Format::Text,
                LogFormat::Json => Format::Json,
            },
        })
    }
}
