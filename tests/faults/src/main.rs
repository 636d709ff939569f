//! The fault suite by one command: `cargo run -p faults -- --seed N --minutes
//! M`, and loss of power by another: `cargo run -p faults -- power`. Its daemons
//! must be built in the same profile.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use faults::{Fsync, Orders, Outages, What, power, run};

/// Faults from a seed, under a load; then the ledger.
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
struct Flags {
    #[command(subcommand)]
    other: Option<Other>,
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

/// What else there is.
#[derive(Debug, Subcommand)]
enum Other {
    /// The power goes, and what was acknowledged is looked for.
    Power(Power),
}

#[derive(Debug, Args)]
struct Power {
    /// Of the moments at which it goes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often it goes.
    #[arg(long, default_value_t = 10)]
    rounds: u32,
    /// When Redis writes to the disk.
    #[arg(long, value_enum, default_value = "everysec")]
    fsync: Fsync,
    /// Each sync takes so many milliseconds longer than the disk does.
    #[arg(long, default_value_t = 0)]
    slower_ms: u64,
}

fn main() -> Result<ExitCode> {
    let flags = Flags::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let is_clean = match flags.other {
        Some(Other::Power(flags)) => {
            let losses = runtime.block_on(power(&Outages {
                seed: flags.seed,
                rounds: flags.rounds,
                fsync: flags.fsync,
                slower: Duration::from_millis(flags.slower_ms),
            }))?;
            eprintln!("{}", losses.sum());
            println!("{}", losses.line()?);
            losses.is_clean()
        }
        None => {
            let report = runtime.block_on(run(&orders(flags)))?;
            eprintln!("{}", report.table());
            println!("{}", report.line()?);
            report.is_clean()
        }
    };
    Ok(match is_clean {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

fn orders(flags: Flags) -> Orders {
    Orders {
        seed: flags.seed,
        time: Duration::from_secs_f64(flags.minutes * 60.0),
        rate: flags.rate,
        only: flags.only,
        fsync: flags.fsync,
        logs: flags.logs,
    }
}
