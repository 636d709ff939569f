//! Benchmarks: `chat`, `idle` and `relay`. README.md tells how to run them and
//! what their figures mean.
//!
//! The generator is this process; what it measures are its children.

mod admin;
mod arguments;
mod binaries;
mod connection;
mod cpu;
mod crew;
mod dialect;
mod generator;
mod interrupt;
mod launch;
mod ledger;
mod memory;
mod meter;
mod outcome;
mod ports;
mod process;
mod relay;
mod report;
mod run;
mod schedule;
mod session;
mod steady;
mod target;
mod traffic;

use std::num::NonZeroUsize;

use anyhow::Result;
use clap::Parser;

use crate::arguments::{Arguments, Bench};
use crate::report::Report;

fn main() -> Result<()> {
    match Arguments::parse().bench {
        Bench::RelayServer { listen } => relay::run(listen),
        Bench::Chat(chat) => repeat(chat.load.runs, || run::chat(&chat)),
        Bench::Relay(relay) => repeat(relay.load.runs, || run::relay(&relay)),
        Bench::Idle(idle) => repeat(idle.runs, || run::idle(&idle)),
    }
}

/// Measures, shows each run, and at the end what all come to.
fn repeat(runs: NonZeroUsize, one: impl Fn() -> Result<Report>) -> Result<()> {
    interrupt::listen()?;
    let profile = binaries::profile()?;
    let mut reports = Vec::with_capacity(runs.get());
    for number in 1..=runs.get() {
        eprintln!("bench: run {number} of {runs}");
        let report = Report {
            profile: profile.clone(),
            ..one()?
        };
        eprintln!("{}", serde_json::to_string(&report)?);
        reports.push(report);
    }
    println!("{}", report::summary(&reports)?);
    Ok(())
}
