//! Runs any number of seeds, or replays one.

use std::process::ExitCode;

use clap::Parser;

/// Runs the simulated cluster.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many seeds to run.
    #[arg(long, default_value_t = 2_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only this one.
    #[arg(long)]
    seed: Option<u64>,
    /// Print what happens.
    #[arg(long)]
    trace: bool,
    /// Go on after a broken promise, and count.
    #[arg(long)]
    all: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let seeds = match arguments.seed {
        Some(seed) => seed..seed + 1,
        None => arguments.from..arguments.from + arguments.seeds,
    };
    println!("seeds {} to {}", seeds.start, seeds.end - 1);
    sim::run::many(seeds, arguments.trace, arguments.all)
}
