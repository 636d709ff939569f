//! The fault suite by one command: `cargo run -p faults -- --seed N --minutes
//! M`. Its daemons must be built in the same profile.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use faults::{Fsync, Orders, What, run};

/// Faults from a seed, under a load; then the ledger.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Of the schedule.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// For how long faults are begun.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Messages per second of all together.
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// Only these kinds of faults.
    #[arg(long, value_delimiter = ',')]
    only: Vec<What>,
    /// When Redis writes to the disk. With everysec what is lost is measured.
    #[arg(long, value_enum, default_value = "always")]
    fsync: Fsync,
    /// Where the daemons' logs are put in the end.
    #[arg(long, value_name = "DIRECTORY")]
    logs: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let flags = Flags::parse();
    let orders = Orders {
        seed: flags.seed,
        time: Duration::from_secs_f64(flags.minutes * 60.0),
        rate: flags.rate,
        only: flags.only,
        fsync: flags.fsync,
        logs: flags.logs,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let report = runtime.block_on(run(&orders))?;
    eprintln!("{}", report.table());
    println!("{}", report.line()?);
    Ok(match report.is_clean() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
