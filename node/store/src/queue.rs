//! The bounded way into the committer: a queue per service, one doorbell.
//!
//! Owns: what is submitted and not yet executed. Must not know: the database.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use thiserror::Error;

use crate::{Metrics, Service};

/// Submits requests to one service. Clones share its queue.
pub struct Handle<S: Service> {
    queue: Arc<Queue<S>>,
}

impl<S: Service> Clone for Handle<S> {
    fn clone(&self) -> Self {
        Self {
            queue: Arc::clone(&self.queue),
        }
    }
}

/// Why a request was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// The queue is full: try again when outcomes have come.
    #[error("the store's queue is full")]
    Full,
    /// The engine has stopped, or stops: it takes nothing any more.
    #[error("the store has stopped")]
    Stopped,
}

/// A request that was not taken, handed back.
#[derive(Debug)]
pub struct Refused<Ticket, Request> {
    /// Why.
    pub refusal: Refusal,
    /// As submitted.
    pub ticket: Ticket,
    /// As submitted.
    pub request: Request,
}

impl<S: Service> Handle<S> {
    /// Queues one request. Does not wait.
    ///
    /// # Errors
    /// Hands the request back when the queue is full or the engine stopped.
    pub fn submit(
        &self,
        ticket: S::Ticket,
        request: S::Request,
    ) -> Result<(), Refused<S::Ticket, S::Request>> {
        self.queue
            .push(ticket, request)
            .inspect(|()| self.queue.doorbell.ring())
            .inspect_err(|refused| self.count(refused.refusal, 1))
    }

    /// Queues requests from the front on while there is room; the rest stays.
    /// What is submitted together goes to the disk together if a group has
    /// room for it. Does not wait.
    ///
    /// # Errors
    /// Why the rest was not taken.
    pub fn submit_all(
        &self,
        requests: &mut VecDeque<(S::Ticket, S::Request)>,
    ) -> Result<(), Refusal> {
        if requests.is_empty() {
            return Ok(());
        }
        let taken = self.queue.push_all(requests);
        // Also when refused: some may have been taken.
        self.queue.doorbell.ring();
        taken.inspect_err(|refusal| self.count(*refusal, requests.len()))
    }

    fn count(&self, refusal: Refusal, requests: usize) {
        if refusal == Refusal::Full {
            self.queue.metrics.refused.inc_by(requests as u64);
        }
    }
}

pub(crate) struct Queue<S: Service> {
    waiting: Mutex<VecDeque<(S::Ticket, S::Request)>>,
    /// At most so many requests wait; more are handed back.
    capacity: usize,
    doorbell: Arc<Doorbell>,
    metrics: Metrics,
}

impl<S: Service> Queue<S> {
    pub(crate) fn new(
        capacity: usize,
        doorbell: Arc<Doorbell>,
        metrics: Metrics,
    ) -> (Handle<S>, Arc<Self>) {
        let queue = Arc::new(Self {
            waiting: Mutex::default(),
            capacity,
            doorbell,
            metrics,
        });
        let handle = Handle {
            queue: Arc::clone(&queue),
        };
        (handle, queue)
    }

    pub(crate) fn pop(&self) -> Option<(S::Ticket, S::Request)> {
        self.lock().pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn push(
        &self,
        ticket: S::Ticket,
        request: S::Request,
    ) -> Result<(), Refused<S::Ticket, S::Request>> {
        let mut waiting = self.lock();
        let refusal = match self.room(&waiting) {
            Ok(0) => Refusal::Full,
            Ok(_) => {
                waiting.push_back((ticket, request));
                return Ok(());
            }
            Err(refusal) => refusal,
        };
        Err(Refused {
            refusal,
            ticket,
            request,
        })
    }

    fn push_all(&self, requests: &mut VecDeque<(S::Ticket, S::Request)>) -> Result<(), Refusal> {
        let mut waiting = self.lock();
        let room = self.room(&waiting)?;
        if room >= requests.len() {
            waiting.append(requests);
            return Ok(());
        }
        waiting.extend(requests.drain(..room));
        Err(Refusal::Full)
    }

    /// Asked under the lock, so the committer's last look at the queue comes
    /// after everything that was taken.
    fn room(&self, waiting: &VecDeque<(S::Ticket, S::Request)>) -> Result<usize, Refusal> {
        if self.doorbell.is_stopping() {
            return Err(Refusal::Stopped);
        }
        Ok(self.capacity - waiting.len())
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(S::Ticket, S::Request)>> {
        // No code of a service runs under the lock: a queue is always whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes the committer, and tells all that it is to stop.
#[derive(Default)]
pub(crate) struct Doorbell {
    committer: OnceLock<Thread>,
    asleep: AtomicBool,
    stopping: AtomicBool,
}

impl Doorbell {
    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.ring();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Called by the committer itself, before it waits for the first time.
    pub(crate) fn answer(&self) {
        self.committer.get_or_init(thread::current);
    }

    /// Sleeps until rung, or for `pause` if there is one, unless `busy` says
    /// that there is work. It is asked after the intention to sleep is known,
    /// so no ring is missed.
    pub(crate) fn sleep_unless(&self, pause: Option<Duration>, busy: impl FnOnce() -> bool) {
        self.asleep.store(true, Ordering::SeqCst);
        if !busy() {
            match pause {
                Some(pause) => thread::park_timeout(pause),
                None => thread::park(),
            }
        }
        self.asleep.store(false, Ordering::SeqCst);
    }

    /// Costs one atomic exchange while the committer is awake.
    pub(crate) fn ring(&self) {
        if self.asleep.swap(false, Ordering::SeqCst)
            && let Some(committer) = self.committer.get()
        {
            committer.unpark();
        }
    }
}
