//! The log: to stderr, as text or JSON, with a filter that can change.
//!
//! Must not know: what is logged.

use std::io::{self, IsTerminal};

use clap::ValueEnum;
use serde::Deserialize;
use thiserror::Error;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt, reload};

use crate::settings::sheet::{Reload, Sheet};

/// How the log looks and what is in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// What is logged: a level (`error`, `warn`, `info`, `debug`, `trace`),
    /// or one per part, as in `info,msgd=debug`. Default `info`.
    pub filter: String,
    /// How a line looks. Default `text`.
    pub format: Format,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// For people; coloured on a terminal.
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            filter: "info".to_owned(),
            format: Format::Text,
        }
    }
}

/// What a filter may be.
const FILTER_ALLOWED: &str =
    "a level (error, warn, info, debug, trace) or part=level, separated by commas";

impl TelemetrySettings {
    /// Puts its keys on the sheet.
    pub fn describe(&self, sheet: &mut Sheet) {
        sheet.section("log");
        sheet.words("filter", &self.filter, FILTER_ALLOWED, Reload::Yes);
        if parse(&self.filter).is_err() {
            sheet.wrong("filter", &self.filter, FILTER_ALLOWED);
        }
        let format = match self.format {
            Format::Text => "text",
            Format::Json => "json",
        };
        sheet.words("format", format, "text or json", Reload::No);
    }

    /// Takes what SIGHUP may change.
    pub fn take_over(&mut self, new: &Self) {
        self.filter.clone_from(&new.filter);
    }
}

/// A log that cannot be as asked.
#[derive(Debug, Error)]
pub enum TelemetryError {
    /// The filter does not parse. The operator must act.
    #[error("log filter {filter:?}: {source}; allowed is {FILTER_ALLOWED}")]
    Filter {
        /// As given.
        filter: String,
        /// What is wrong with it.
        source: tracing_subscriber::filter::ParseError,
    },
    /// The process has a log already: a defect of the daemon.
    #[error("the log was started twice")]
    Twice,
}

/// The running log. Dropping it changes nothing.
#[derive(Debug, Clone)]
pub struct Telemetry {
    filter: reload::Handle<EnvFilter, Registry>,
}

/// Starts the log of this process. Called once, by `main`.
///
/// # Errors
/// The filter does not parse, or the log was started before.
pub fn init(settings: &TelemetrySettings) -> Result<Telemetry, TelemetryError> {
    let (filter, handle) = reload::Layer::new(parse(&settings.filter)?);
    let lines = fmt::layer().with_writer(io::stderr);
    let lines = match settings.format {
        Format::Text => lines.with_ansi(io::stderr().is_terminal()).boxed(),
        Format::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry()
        .with(filter)
        .with(lines)
        .try_init()
        .map_err(|_| TelemetryError::Twice)?;
    Ok(Telemetry { filter: handle })
}

impl Telemetry {
    /// Logs by another filter from now on.
    ///
    /// # Errors
    /// The filter does not parse; the former one stays.
    pub fn set_filter(&self, filter: &str) -> Result<(), TelemetryError> {
        let filter = parse(filter)?;
        // Fails only if the log is gone or a thread panicked inside it; then
        // nobody would read of it either.
        let _ = self.filter.reload(filter);
        Ok(())
    }
}

fn parse(filter: &str) -> Result<EnvFilter, TelemetryError> {
    EnvFilter::builder()
        .parse(filter)
        .map_err(|source| TelemetryError::Filter {
            filter: filter.to_owned(),
            source,
        })
}
