//! Envelopes on their way to one peer, in batches.
//!
//! Owns what a batch holds: take one, yield once where envelopes come one by
//! one, and what has come meanwhile travels with it. No timers. Must not know
//! what an envelope says. For one thread: who fills the queue and who drains it
//! share a core.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use proto::ids::Epoch;
use proto::limits::{BATCH_BYTES_MAX, BATCH_ENVELOPES_MAX};
use proto::link::Batch;
use tokio::sync::Notify;

/// The most envelopes that wait in one queue.
pub const QUEUE_MAX: usize = 65_536;

#[derive(Debug)]
struct Inner<E> {
    batches: VecDeque<Batch<E>>,
    envelopes: usize,
    /// What the last batch weighs.
    last_bytes: usize,
    closed: bool,
}

#[derive(Debug)]
struct Shared<E> {
    inner: RefCell<Inner<E>>,
    filled: Notify,
    drained: Notify,
    weigh: fn(&E) -> usize,
    pace: Pace,
}

/// When a batch leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// After one yield: what is ready at this moment travels with it. For
    /// envelopes that come one by one, as from client sockets.
    Gather,
    /// At once. For envelopes that come in batches already, as from a shard
    /// that has worked off a batch.
    AtOnce,
}

/// The end that fills; dropped, it ends the other.
#[derive(Debug)]
pub struct Filler<E>(Rc<Shared<E>>);

/// The end that drains.
#[derive(Debug)]
pub struct Drainer<E>(Rc<Shared<E>>);

/// Tells when the queue has room, for who fills it in answer to what comes.
#[derive(Debug)]
pub struct Room<E>(Rc<Shared<E>>);

impl<E> Room<E> {
    /// Waits until the queue is at most half full. It fails to come about only
    /// if nobody drains.
    pub async fn wait(&self) {
        loop {
            let drained = self.0.drained.notified();
            if self.0.inner.borrow().envelopes <= QUEUE_MAX / 2 {
                return;
            }
            drained.await;
        }
    }
}

/// An empty queue; `weigh` gives about how many bytes an envelope takes.
pub fn queue<E>(weigh: fn(&E) -> usize, pace: Pace) -> (Filler<E>, Drainer<E>) {
    let shared = Rc::new(Shared {
        inner: RefCell::new(Inner {
            batches: VecDeque::new(),
            envelopes: 0,
            last_bytes: 0,
            closed: false,
        }),
        filled: Notify::new(),
        drained: Notify::new(),
        weigh,
        pace,
    });
    (Filler(shared.clone()), Drainer(shared))
}

impl<E> Filler<E> {
    /// Adds an envelope that was routed by the ring of `epoch`. Gives it back
    /// if [`QUEUE_MAX`] wait already, or if nobody drains any more.
    pub fn push(&self, epoch: Epoch, envelope: E) -> Result<(), E> {
        if self.0.inner.borrow().envelopes >= QUEUE_MAX {
            return Err(envelope);
        }
        self.push_over(epoch, envelope)
    }

    /// Adds an envelope however many wait: for those that something else
    /// bounds, as the end of a session is bounded by sessions. Gives it back if
    /// nobody drains any more.
    pub fn push_over(&self, epoch: Epoch, envelope: E) -> Result<(), E> {
        let inner = &mut *self.0.inner.borrow_mut();
        if inner.closed {
            return Err(envelope);
        }
        let bytes = (self.0.weigh)(&envelope);
        let joins = |batch: &&mut Batch<E>| {
            batch.epoch == epoch
                && batch.envelopes.len() < BATCH_ENVELOPES_MAX
                && inner.last_bytes + bytes <= BATCH_BYTES_MAX
        };
        match inner.batches.back_mut().filter(joins) {
            Some(batch) => {
                batch.envelopes.push(envelope);
                inner.last_bytes += bytes;
            }
            None => {
                inner.batches.push_back(Batch {
                    epoch,
                    envelopes: vec![envelope],
                });
                inner.last_bytes = bytes;
            }
        }
        inner.envelopes += 1;
        if inner.envelopes == 1 {
            self.0.filled.notify_one();
        }
        Ok(())
    }
}

impl<E> Drop for Filler<E> {
    fn drop(&mut self) {
        self.0.inner.borrow_mut().closed = true;
        self.0.filled.notify_one();
    }
}

impl<E> Drop for Drainer<E> {
    fn drop(&mut self) {
        let mut inner = self.0.inner.borrow_mut();
        inner.closed = true;
        inner.batches.clear();
        inner.envelopes = 0;
    }
}

impl<E> Drainer<E> {
    /// For who waits for room.
    pub fn room(&self) -> Room<E> {
        Room(self.0.clone())
    }

    /// The next batch; `None` once the filler is gone and all is drained.
    pub async fn next(&mut self) -> Option<Batch<E>> {
        loop {
            if self.0.inner.borrow().envelopes > 0 {
                if self.0.pace == Pace::Gather {
                    tokio::task::yield_now().await;
                }
                let mut inner = self.0.inner.borrow_mut();
                let batch = inner.batches.pop_front()?;
                inner.envelopes -= batch.envelopes.len();
                self.0.drained.notify_waiters();
                return Some(batch);
            }
            if self.0.inner.borrow().closed {
                return None;
            }
            self.0.filled.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn poll_once(future: Pin<&mut impl Future<Output = ()>>) -> Poll<()> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn filled(count: usize, bytes: usize) -> Drainer<usize> {
        let (filler, drainer) = queue(|bytes: &usize| *bytes, Pace::Gather);
        for _ in 0..count {
            filler.push(Epoch(7), bytes).unwrap();
        }
        drainer
    }

    #[tokio::test]
    async fn a_batch_is_bounded_in_number_and_bytes() {
        let mut many = filled(BATCH_ENVELOPES_MAX + 1, 1);
        assert_eq!(
            many.next().await.unwrap().envelopes.len(),
            BATCH_ENVELOPES_MAX
        );
        assert_eq!(many.next().await.unwrap().envelopes.len(), 1);
        assert_eq!(many.next().await, None);
        let mut heavy = filled(3, BATCH_BYTES_MAX / 2);
        assert_eq!(heavy.next().await.unwrap().envelopes.len(), 2);
    }

    #[tokio::test]
    async fn epochs_do_not_mix() {
        let (filler, mut drainer) = queue(|_: &usize| 0, Pace::AtOnce);
        filler.push(Epoch(7), 1).unwrap();
        filler.push(Epoch(8), 2).unwrap();
        assert_eq!(drainer.next().await.unwrap().epoch, Epoch(7));
        assert_eq!(drainer.next().await.unwrap().epoch, Epoch(8));
    }

    #[tokio::test]
    async fn who_waits_for_room_goes_on_at_half() {
        let (filler, mut drainer) = queue(|_: &usize| 0, Pace::AtOnce);
        let room = drainer.room();
        for n in 0..=QUEUE_MAX / 2 {
            filler.push(Epoch(7), n).unwrap();
        }
        let mut waits = std::pin::pin!(room.wait());
        assert!(poll_once(waits.as_mut()).is_pending());
        drainer.next().await.unwrap();
        assert!(poll_once(waits.as_mut()).is_ready());
    }

    #[tokio::test]
    async fn a_full_queue_gives_the_envelope_back() {
        let (filler, mut drainer) = queue(|_: &usize| 0, Pace::AtOnce);
        for n in 0..QUEUE_MAX {
            filler.push(Epoch(7), n).unwrap();
        }
        assert_eq!(filler.push(Epoch(7), 4711), Err(4711));
        drainer.next().await.unwrap();
        assert_eq!(filler.push(Epoch(7), 4711), Ok(()));
        drop(drainer);
        assert_eq!(filler.push(Epoch(7), 4711), Err(4711));
    }
}
