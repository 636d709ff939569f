//! The promises hold in every one of a fixed range of worlds.

use std::collections::BTreeMap;
use std::ops::Range;
use std::thread;

use sim::run::{self, Ran};

/// The seeds that every check runs.
const SEEDS: Range<u64> = 0..2_000;

/// Promises that some worlds still break, with how many of [`SEEDS`] may do so
/// until the causes are found: open defects, named in the simulation's README.
/// Every other promise holds in every world.
const OPEN: [(&str, usize); 4] = [
    ("presence converges", 12),
    ("nobody waits for ever", 6),
    ("block", 3),
    ("friend lists converge", 3),
];

/// Worlds share nothing but what rings they have built.
const THREADS: u64 = 2;

#[test]
fn the_promises_hold() {
    println!("seeds {} to {}", SEEDS.start, SEEDS.end - 1);
    let broken: Vec<(u64, Ran)> = thread::scope(|scope| {
        let part = |thread| SEEDS.filter(move |seed| seed % THREADS == thread);
        let run = |seed| Some((seed, run::run(seed, false))).filter(|(_, r)| r.broken.is_some());
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| scope.spawn(move || part(thread).filter_map(run).collect::<Vec<_>>()))
            .collect();
        let ended = threads.into_iter().map(|thread| thread.join().unwrap());
        ended.flatten().collect()
    });
    for (seed, ran) in &broken {
        println!("seed {seed}: {:?}", ran.broken);
        println!("replay: cargo run -p sim -- --seed {seed} --trace");
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for broken in broken.iter().filter_map(|(_, ran)| ran.broken.as_ref()) {
        *counts.entry(broken.promise).or_default() += 1;
    }
    for (promise, count) in counts {
        let open = OPEN.iter().find(|(name, _)| *name == promise);
        let allowed = open.map_or(0, |(_, count)| *count);
        assert!(
            count <= allowed,
            "{count} seeds break '{promise}', {allowed} may"
        );
    }
}

#[test]
fn a_seed_is_the_same_world_each_time() {
    for seed in (0..40).map(|n| n * 49) {
        let (one, two) = (run::run(seed, false), run::run(seed, false));
        assert_eq!(one.hash, two.hash, "seed {seed}");
        assert_eq!(one.steps, two.steps, "seed {seed}");
    }
}

#[test]
fn different_seeds_are_different_worlds() {
    let hashes = |seed| run::run(seed, false).hash;
    assert_ne!(hashes(1), hashes(2));
}
