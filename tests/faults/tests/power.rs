//! Loss of power, once.

use std::time::Duration;

use faults::{Fsync, Outages, power};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_fsync_always_what_was_acknowledged_outlives_a_loss_of_power() {
    let losses = power(&Outages {
        seed: 1,
        rounds: 1,
        fsync: Fsync::Always,
        slower: Duration::ZERO,
    });
    let losses = losses.await.expect("a round");
    println!("{}", losses.sum());
    assert!(losses.is_clean(), "{losses:#?}");
    let acknowledged: usize = losses.rounds.iter().map(|loss| loss.acknowledged).sum();
    assert!(acknowledged > 100, "only {acknowledged} were at stake");
}
