//! What tests of the registry share.

use std::time::Duration;

use proto::ids::{Epoch, Incarnation};
use registry::client::Place;
use registry::look::{Berth, Record};
use tokio::time::{Instant, sleep};

/// What must come comes within this.
const PATIENCE: Duration = Duration::from_secs(30);

/// A lease that a test has time to wait for.
pub const LEASE: Duration = Duration::from_millis(600);

/// A registry there, with a lease of [`LEASE`].
pub fn place(url: &str) -> Place {
    Place {
        address: url.parse().unwrap(),
        trust: registry::Trust::default(),
        lease: LEASE,
    }
}

/// Looks again and again until there is something.
pub async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = look().await {
            return value;
        }
        assert!(Instant::now() < deadline, "waited in vain for {what}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// A shard of weight 1 that is this process, at a place of its own.
pub fn record(incarnation: u64) -> Record {
    Record {
        weight: 1,
        since: Epoch(0),
        incarnation: Incarnation(incarnation),
        berth: Berth(incarnation),
        address: format!("127.0.0.1:{incarnation}"),
    }
}
