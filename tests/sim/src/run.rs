//! Runs of seeds.
//!
//! Owns how a seed is run and how its failure is told. Must not know worlds.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::time::Instant;

use crate::check::Broken;
use crate::world::World;

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    /// The hash of its trace.
    pub hash: u64,
    /// How many steps it took.
    pub steps: u64,
    /// How many messages were written.
    pub messages: usize,
    /// The promise that it broke, if it broke one.
    pub broken: Option<Broken>,
}

/// Runs the world of a seed. A panic in a core is a broken promise too.
pub fn run(seed: u64, spoken: bool) -> Ran {
    let mut world = World::new(seed, spoken);
    if spoken {
        println!("{:#?}", world.plan);
    }
    let ended = panic::catch_unwind(AssertUnwindSafe(|| world.run()));
    let broken = match ended {
        Ok(Ok(())) => None,
        Ok(Err(broken)) => Some(broken),
        Err(panic) => Some(Broken::new("every bound holds", text(&*panic))),
    };
    Ran {
        hash: world.trace.hash(),
        steps: world.steps,
        messages: world.model.letters.len(),
        broken,
    }
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let plain = || panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(plain).unwrap_or_else(|| "a panic".to_owned())
}

/// Runs these seeds and tells how they ended; stops at the first that breaks a
/// promise, unless all are asked for.
pub fn many(seeds: Range<u64>, spoken: bool, all: bool) -> ExitCode {
    if !spoken {
        // What a panic says stands in the account of its seed.
        panic::set_hook(Box::new(|_| {}));
    }
    let started = Instant::now();
    let (mut count, mut messages, mut steps) = (0_u64, 0, 0);
    let mut promises: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for seed in seeds {
        let ran = run(seed, spoken);
        count += 1;
        messages += ran.messages;
        steps += ran.steps;
        if let Some(broken) = ran.broken {
            println!("seed {seed} breaks '{}': {}", broken.promise, broken.what);
            promises.entry(broken.promise).or_default().push(seed);
            if !all {
                println!("replay: cargo run -p sim -- --seed {seed} --trace");
                break;
            }
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let each = 1_000.0 * seconds / count as f64;
    println!("{count} seeds, {messages} messages, {steps} steps, {each:.1} ms each");
    for (promise, seeds) in &promises {
        println!("{:5} break '{promise}', first {}", seeds.len(), seeds[0]);
    }
    if promises.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
