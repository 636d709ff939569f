//! Outcomes on their way from the committer thread to a shard's.
//!
//! Bounded by what the shard has asked. Must not know what they say.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use msgd_core::store::Outcome;
use tokio::sync::Notify;

#[derive(Debug, Default)]
struct Shared {
    outcomes: Mutex<VecDeque<Outcome>>,
    filled: Notify,
}

/// Where the committer thread puts outcomes.
#[derive(Debug, Clone, Default)]
pub struct Outcomes(Arc<Shared>);

impl Outcomes {
    /// Puts one in; [`Outcomes::ring`] wakes the shard.
    pub fn put(&self, outcome: Outcome) {
        self.lock().push_back(outcome);
    }

    /// Wakes the shard, once for all that were put in.
    pub fn ring(&self) {
        self.0.filled.notify_one();
    }

    /// Waits for outcomes, and takes all that are there.
    pub async fn take(&self) -> VecDeque<Outcome> {
        loop {
            let outcomes = std::mem::take(&mut *self.lock());
            if !outcomes.is_empty() {
                return outcomes;
            }
            self.0.filled.notified().await;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<Outcome>> {
        // A queue is whole between any two of its operations.
        self.0
            .outcomes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
