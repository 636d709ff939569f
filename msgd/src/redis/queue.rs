//! The bounded way to the thread that asks Redis.
//!
//! Owns what is asked and not yet taken. Must not know what requests do.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use msgd_core::store::Request;
use store::Refusal;
use tokio::sync::Notify;

/// A batch: so many requests, and so many bytes of bodies.
const BATCH_REQUESTS: usize = 1_024;
const BATCH_BYTES: usize = 1024 * 1024;

#[derive(Debug, Default)]
struct Waiting {
    asked: VecDeque<Request>,
    stopping: bool,
}

/// Requests that wait.
#[derive(Debug)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    /// More are handed back.
    capacity: usize,
    filled: Notify,
}

impl Queue {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            capacity,
            filled: Notify::new(),
        }
    }

    /// Takes requests from the front on while there is room; the rest stays.
    pub(super) fn put(&self, requests: &mut VecDeque<Request>) -> Result<(), Refusal> {
        let mut waiting = self.lock();
        if waiting.stopping {
            return Err(Refusal::Stopped);
        }
        let room = self.capacity.saturating_sub(waiting.asked.len());
        let taken = requests.len().min(room);
        waiting.asked.extend(requests.drain(..taken));
        drop(waiting);
        self.filled.notify_one();
        match requests.is_empty() {
            true => Ok(()),
            false => Err(Refusal::Full),
        }
    }

    /// Takes what waits, as much as a batch holds. Waits for it, but not beyond
    /// `pause`. `None`: it is over, and nothing waits.
    pub(super) async fn take(&self, pause: Duration) -> Option<Vec<Request>> {
        loop {
            // Asked for before the look, so that nothing is missed.
            let filled = self.filled.notified();
            {
                let mut waiting = self.lock();
                let count = batch(&waiting.asked);
                if count > 0 {
                    return Some(waiting.asked.drain(..count).collect());
                }
                if waiting.stopping {
                    return None;
                }
            }
            if tokio::time::timeout(pause, filled).await.is_err() {
                return Some(Vec::new());
            }
        }
    }

    /// Nothing is taken in any more.
    pub(super) fn stop(&self) {
        self.lock().stopping = true;
        self.filled.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A queue is whole between any two of its operations.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many make a batch: at least one, if there is one.
fn batch(asked: &VecDeque<Request>) -> usize {
    let mut bytes = 0;
    let fits = |request: &&Request| {
        let before = bytes;
        if let Request::Append { messages, .. } = request {
            let bodies = messages.iter().map(|letter| letter.message.body.len());
            bytes += bodies.sum::<usize>();
        }
        before < BATCH_BYTES
    };
    asked.iter().take(BATCH_REQUESTS).take_while(fits).count()
}
