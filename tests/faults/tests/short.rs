//! The fault suite in its short form.

use std::time::Duration;

use faults::{Fsync, Orders, What, run};

/// What tells most in a short time.
const KINDS: [What; 6] = [
    What::ShardKilled,
    What::ShardFrozen,
    What::ShardDrained,
    What::LinksCut,
    What::GatewayKilled,
    What::RedisKilled,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_in_a_minute_of_faults() {
    let orders = Orders {
        seed: 1,
        time: Duration::from_secs(50),
        rate: 300,
        only: KINDS.to_vec(),
        fsync: Fsync::Always,
        logs: None,
    };
    let report = run(&orders).await.expect("a run");
    println!("{}", report.table());
    assert!(report.is_clean(), "{:#?}", report.faults);
    assert!(report.faults.len() >= 4, "{:#?}", report.faults);
}
