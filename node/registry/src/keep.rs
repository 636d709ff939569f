//! A lease is kept as long as the registry renews it.
//!
//! Owns when a renewal is asked for. What it is worth is concluded in
//! [`crate::tenure`]. Must not know what a shard does with its lease.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use proto::clock::Moment;
use proto::ids::{Incarnation, ShardId};
use tokio::sync::Notify;
use tokio::time::{sleep, sleep_until, timeout};
use tracing::{error, info, warn};

use crate::client::{Place, Registry};
use crate::lease::every;
use crate::metrics::Metrics;
use crate::tenure::{Question, Tenure};
use crate::view::View;
use crate::watch::Watching;

/// The pause before a renewal is asked for again that had no answer.
const AGAIN: std::time::Duration = std::time::Duration::from_millis(100);

/// A shard that holds a lease. Clones are the same.
#[derive(Debug, Clone)]
pub struct Holder {
    /// Its name.
    pub name: ShardId,
    /// Its life.
    pub incarnation: Incarnation,
    /// So many replicas have a renewal before it counts.
    replicas: u32,
    watching: Watching,
    tenure: Arc<Mutex<Tenure>>,
    /// A renewal is to tell of a ring.
    early: Arc<Notify>,
    metrics: Metrics,
    /// It was said that the shard goes on without the registry.
    degraded: Arc<AtomicBool>,
}

impl Holder {
    /// One that has joined. A renewal counts when so many replicas have it.
    pub fn new(
        (name, replicas): (ShardId, u32),
        tenure: Tenure,
        watching: Watching,
        metrics: Metrics,
    ) -> Self {
        Self {
            name,
            incarnation: tenure.own(),
            replicas,
            watching,
            tenure: Arc::new(Mutex::new(tenure)),
            early: Arc::new(Notify::new()),
            metrics,
            degraded: Arc::default(),
        }
    }

    /// Until when the lease may be counted on.
    pub fn until(&self) -> Instant {
        let until = self.tenure().until();
        self.watching.clock().instant(until)
    }

    /// There is a ring; the registry is told soon that it is known here.
    pub fn knows(&self, view: &View) {
        self.tenure().knows(view);
        self.early.notify_one();
    }

    /// Asks for one renewal: whether the lease goes on; `None`: no answer.
    async fn renew(&self, place: &Place, registry: &mut Registry) -> Option<bool> {
        let asked = self.watching.clock().now().moment;
        let renewal = self.tenure().asks();
        let renewing = registry.renew((&self.name, self.incarnation), renewal);
        match timeout(every(place.lease), renewing).await {
            Ok(Ok(renewed)) => {
                if renewed {
                    self.tenure().renewed(asked);
                    self.shows(asked);
                }
                self.watching.lock().reached(asked);
                Some(renewed)
            }
            Ok(Err(error)) => {
                warn!(%error, "the lease is not renewed");
                None
            }
            Err(_) => {
                warn!("the lease is not renewed: the registry is silent");
                None
            }
        }
    }

    /// Waits until others are to be asked, and gives whom, with the number of
    /// the question.
    pub async fn questions(&self) -> Vec<Question> {
        loop {
            let next = self.tenure().next_questions();
            sleep_until(self.watching.clock().instant(next).into()).await;
            let now = self.watching.clock().now().moment;
            self.shows(now);
            let questions = self.tenure().questions(now);
            if !questions.is_empty() {
                return questions;
            }
        }
    }

    /// Another shard asks this one not to call it dead for a lease.
    pub fn promises(&self, holder: Incarnation) -> bool {
        let now = self.watching.clock().now().moment;
        self.watching.lock().promises(now, holder)
    }

    /// Another shard has promised that.
    pub fn promised(&self, by: Incarnation, number: u64) {
        self.tenure().promised(by, number);
    }

    /// Says when the shard begins to go on without the registry, and when that
    /// is over.
    fn shows(&self, now: Moment) {
        let is = self.tenure().is_degraded(now);
        if self.degraded.swap(is, Ordering::Relaxed) == is {
            return;
        }
        self.metrics.degraded(is);
        if is {
            warn!("degraded: the registry is away for all; who is connected is served");
        } else {
            info!("the registry is there again");
        }
    }

    fn tenure(&self) -> MutexGuard<'_, Tenure> {
        self.tenure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Renews a lease that was asked for at `asked`; tells each time until when it
/// may be counted on. Ends when it is over, and nothing brings it back.
///
/// It runs on the thread of who holds the lease, so that one that stands still
/// loses it.
pub async fn keep(place: &Place, holder: &Holder, asked: Moment, mut tell: impl FnMut(Instant)) {
    let pause = every(place.lease);
    let begin = || Registry::confirmed(place, pause, holder.replicas);
    let mut registry = begin();
    let mut last = asked;
    loop {
        let due = holder.watching.clock().instant(last + pause);
        tokio::select! {
            () = sleep_until(due.into()) => {}
            () = holder.early.notified() => {}
        }
        let asked = holder.watching.clock().now().moment;
        match holder.renew(place, &mut registry).await {
            Some(true) => {
                last = asked;
                tell(holder.until());
            }
            Some(false) => {
                error!(name = %holder.name, incarnation = %holder.incarnation, "the lease is over");
                return;
            }
            None => {
                sleep(AGAIN).await;
                // A new way has no pause behind it: there is no time for one.
                registry = begin();
            }
        }
    }
}
