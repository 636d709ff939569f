//! A lease is kept as long as the registry renews it.
//!
//! Owns when a renewal is asked for and what it is worth. Must not know what a
//! shard does with its lease.

use std::time::Duration;

use proto::ids::{Incarnation, ShardId};
use tokio::time::{Instant, sleep, sleep_until, timeout};
use tracing::{error, warn};

use crate::client::{Place, Registry};

/// The pause before a renewal is asked for again that had no answer.
const AGAIN: Duration = Duration::from_millis(100);

/// How long a holder counts on a lease, from before it asked for it: a
/// twentieth less than the server, whose clock may run faster.
pub fn counted(lease: Duration) -> Duration {
    lease - lease / 20
}

/// How often a lease is renewed, and how long an answer may take.
pub fn every(lease: Duration) -> Duration {
    lease / 3
}

/// Renews a lease that was asked for at `asked`; tells each time until when it
/// may be counted on. Ends when it is over, and nothing brings it back.
///
/// It runs on the thread of who holds the lease, so that one that stands still
/// loses it.
pub async fn keep(
    place: &Place,
    name: &ShardId,
    incarnation: Incarnation,
    asked: Instant,
    mut tell: impl FnMut(Instant),
) {
    let patience = every(place.lease);
    let mut registry = Registry::new(place, patience);
    let mut last = asked;
    let mut told = false;
    loop {
        sleep_until(last + patience).await;
        let asked = Instant::now();
        match timeout(patience, registry.renew(name, incarnation)).await {
            Ok(Ok(true)) => {
                last = asked;
                told = false;
                tell(asked + counted(place.lease));
            }
            Ok(Ok(false)) => {
                error!(%name, %incarnation, "the lease is over");
                return;
            }
            Ok(Err(error)) => {
                if !std::mem::replace(&mut told, true) {
                    warn!(%error, "the lease is not renewed");
                }
                sleep(AGAIN).await;
                // A new way has no pause behind it: there is no time for one.
                registry = Registry::new(place, patience);
            }
            Err(_) => warn!("the lease is not renewed: the registry is silent"),
        }
    }
}
