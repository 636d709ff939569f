//! Ghosts: friends who are shown as what they are not.
//!
//! Owns the comparison of what everybody sees with what is so. Must not know
//! how a status travels.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use client::{Availability, UserId};
use tokio::time::sleep;

use crate::device::Device;

/// Far above the linger (3 s) and what a lost word takes to be said again.
const SETTLES: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(100);

/// Who sees whom as what, and what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ghost {
    /// Who looks.
    pub watcher: UserId,
    /// At whom.
    pub friend: UserId,
    /// What is seen.
    pub seen: Availability,
    /// What is so.
    pub truth: Availability,
}

/// The ghosts that do not go away, how many views there are, and how long it
/// took until there were no ghosts.
pub async fn ghosts(
    devices: &[Device],
    friends: &BTreeMap<UserId, Vec<UserId>>,
    truth: &BTreeMap<UserId, Availability>,
) -> (Vec<Ghost>, usize, Duration) {
    let began = Instant::now();
    loop {
        let (ghosts, views) = look(devices, friends, truth);
        let took = began.elapsed();
        if ghosts.is_empty() || took > SETTLES {
            return (ghosts, views, took);
        }
        sleep(LOOK).await;
    }
}

fn look(
    devices: &[Device],
    friends: &BTreeMap<UserId, Vec<UserId>>,
    truth: &BTreeMap<UserId, Availability>,
) -> (Vec<Ghost>, usize) {
    let mut ghosts = Vec::new();
    let mut views = 0;
    for device in devices {
        for friend in friends.get(&device.user).into_iter().flatten() {
            views += 1;
            let seen = device.client.status_of(friend);
            let seen = seen.map_or(Availability::Offline, |peer| peer.status.availability);
            let truth = truth.get(friend).copied().unwrap_or(Availability::Offline);
            if seen != truth {
                ghosts.push(Ghost {
                    watcher: device.user.clone(),
                    friend: friend.clone(),
                    seen,
                    truth,
                });
            }
        }
    }
    (ghosts, views)
}
