//! The promises hold in every one of a fixed range of worlds.

use std::ops::Range;
use std::thread;

use sim::run::{self, Ran};

/// The seeds that every check runs.
const SEEDS: Range<u64> = 0..2_000;

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
    assert!(broken.is_empty(), "{} seeds break a promise", broken.len());
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
