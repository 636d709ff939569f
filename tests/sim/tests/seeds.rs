//! The promises hold in every one of a fixed range of worlds.

use std::ops::Range;

use sim::run::{self, Ran};

/// Worlds share nothing but what rings they have built.
fn hold(seeds: Range<u64>) {
    println!("seeds {} to {}", seeds.start, seeds.end - 1);
    let run = |seed| Some((seed, run::run(seed, false))).filter(|(_, r)| r.broken.is_some());
    let broken: Vec<(u64, Ran)> = seeds.filter_map(run).collect();
    for (seed, ran) in &broken {
        println!("seed {seed}: {:?}", ran.broken);
        println!("replay: cargo run -p sim -- --seed {seed} --trace");
    }
    assert!(broken.is_empty(), "{} seeds break a promise", broken.len());
}

#[test]
fn the_promises_hold_in_the_first_thousand_worlds() {
    hold(0..1_000);
}

#[test]
fn the_promises_hold_in_the_second_thousand_worlds() {
    hold(1_000..2_000);
}

#[test]
fn the_promises_hold_in_the_third_thousand_worlds() {
    hold(2_000..3_000);
}

#[test]
fn the_promises_hold_in_the_fourth_thousand_worlds() {
    hold(3_000..4_000);
}

#[test]
fn the_promises_hold_in_the_fifth_thousand_worlds() {
    hold(4_000..5_000);
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
