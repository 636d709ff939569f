//! Benchmarks of a cluster. README.md tells how to run them and what their
//! figures mean.
//!
//! The generator is this process; what it measures are its children.

mod admin;
mod all;
mod arguments;
mod attack;
mod attacker;
mod befriend;
mod binaries;
mod bound;
mod bustle;
mod connection;
mod correspondent;
mod cpu;
mod crash;
mod crew;
mod crowd;
mod deadline;
mod dialect;
mod dispatch;
mod failover;
mod fanout;
mod generator;
mod goals;
mod growth;
mod interrupt;
mod launch;
mod ledger;
mod letters;
mod login;
mod memory;
mod meter;
mod mob;
mod offline;
mod outcome;
mod pool;
mod ports;
mod post;
mod presence;
mod process;
mod relay;
mod repeats;
mod report;
mod restart;
mod returning;
mod ring;
mod room;
mod run;
mod schedule;
mod seats;
mod session;
mod soak;
mod steady;
mod stream;
mod table;
mod target;
mod token;
mod traffic;
mod unfair;
mod verdict;
mod view;

use anyhow::Result;
use clap::Parser;

use crate::arguments::{Arguments, Bench};

fn main() -> Result<()> {
    match Arguments::parse().bench {
        Bench::RelayServer { listen, all } => relay::run(listen, all),
        Bench::Attack { attack, gateways } => attack::run(attack, &gateways),
        Bench::All(all) => all::run(&all),
        Bench::Unfair(unfair) => unfair::run(&unfair),
        bench => repeat(&bench),
    }
}

/// Measures, shows each run, and at the end what all come to.
fn repeat(bench: &Bench) -> Result<()> {
    interrupt::listen()?;
    let runs = dispatch::runs(bench);
    let mut reports = Vec::with_capacity(runs.get());
    for number in 1..=runs.get() {
        eprintln!("bench: run {number} of {runs}");
        reports.push(dispatch::measure(bench)?);
    }
    println!("{}", report::summary(&reports)?);
    Ok(())
}
