//! Mailboxes that are empty and have a stream still.
//!
//! Owns for how long: who gets mail again soon pays for no new stream, and
//! nobody pays for an empty one for long. Must not know streams.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use msgd_core::store::Claim;
use proto::ids::UserId;

/// For so long an empty mailbox keeps its stream.
const KEPT: Duration = Duration::from_secs(10);
/// So many are closed at once because their time is over.
const CLOSED_MAX: usize = 256;
/// With more than these the oldest are closed before their time.
const EMPTIES_MAX: usize = 65_536;

/// A mailbox that was empty at a time.
#[derive(Debug)]
pub(super) struct Empty {
    since: Instant,
    pub(super) claim: Claim,
    pub(super) user: UserId,
}

/// The oldest first.
#[derive(Debug, Default)]
pub(super) struct Empties {
    queue: VecDeque<Empty>,
}

impl Empties {
    pub(super) fn push(&mut self, claim: Claim, user: UserId) {
        self.queue.push_back(Empty {
            since: Instant::now(),
            claim,
            user,
        });
    }

    /// Those whose time is over, a bounded number.
    pub(super) fn due(&mut self) -> Vec<Empty> {
        let now = Instant::now();
        let old = |empty: &Empty| now.duration_since(empty.since) >= KEPT;
        let over = self.queue.len().saturating_sub(EMPTIES_MAX);
        let due = self.queue.iter().take_while(|empty| old(empty)).count();
        // A batch adds no more than it has requests, so these are bounded too.
        let count = over.max(due.min(CLOSED_MAX));
        self.queue.drain(..count).collect()
    }
}
