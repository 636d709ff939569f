//! A shard's seat: the life of one incarnation in the registry.
//!
//! Owns joining, the lease, and leaving. Must not know what a shard does.

use std::sync::Arc;
use std::time::Duration;

use proto::ids::{Epoch, Incarnation, ShardId};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout};
use tracing::{info, warn};

use crate::client::{Place, Registry, RegistryError};
use crate::keep::{counted, every, keep};
use crate::look::Record;
use crate::view::{Standing, View};
use crate::watch::Watched;

/// Incarnations are 40 bits, drawn for every attempt to join.
const INCARNATION_BITS: u32 = 40;

/// The pause before a shard tries again to join.
const AGAIN: Duration = Duration::from_millis(100);

/// How long a shard that stops tries to say so.
const FAREWELL: Duration = Duration::from_secs(2);

/// Who wants to be a shard.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its name, its place on the ring.
    pub name: ShardId,
    /// Its share of the slots.
    pub weight: u16,
    /// Where gateways connect, as `HOST:PORT`.
    pub address: String,
}

/// What becomes of a seat.
#[derive(Debug)]
pub enum News {
    /// There is another ring.
    Ring(Arc<View>),
    /// The lease may be counted on until then.
    Lease(Instant),
    /// The lease is over: whoever had the seat is nobody now.
    Over,
    /// The shard was taken off the ring, and lives: it gives up what it has.
    Removed,
    /// Another process has the name now: likewise.
    Replaced,
}

/// A place on the ring, and the lease that holds it.
#[derive(Debug)]
pub struct Seat {
    place: Place,
    candidate: Candidate,
    incarnation: Incarnation,
    watched: watch::Receiver<Watched>,
    lease: watch::Receiver<Instant>,
    keeping: JoinHandle<()>,
}

impl Seat {
    /// Joins, however long that takes, and waits for the ring that it is on.
    /// It may be drained at once. The lease is kept by a task of this thread.
    pub async fn take(
        place: Place,
        candidate: Candidate,
        watched: watch::Receiver<Watched>,
    ) -> Self {
        loop {
            let (incarnation, asked) = join(&place, &candidate, &watched).await;
            let (tell, lease) = watch::channel(asked + counted(place.lease));
            let keeper = (place.clone(), candidate.name.clone());
            let keeping = tokio::task::spawn_local(async move {
                let (place, name) = keeper;
                let tell = |until| {
                    tell.send_replace(until);
                };
                keep(&place, &name, incarnation, asked, tell).await;
            });
            let mut seat = Self {
                place: place.clone(),
                candidate: candidate.clone(),
                incarnation,
                watched: watched.clone(),
                lease,
                keeping,
            };
            if seat.is_seen().await {
                info!(name = %candidate.name, %incarnation, "the shard is on the ring");
                return seat;
            }
            warn!("the lease was over before the ring was known");
        }
    }

    /// Waits for the ring that it is on; `false`: the lease was over before.
    async fn is_seen(&mut self) -> bool {
        loop {
            let view = self.watched.borrow_and_update().view.clone();
            let stands = view.is_some_and(|view| {
                let standing = view.standing(&self.candidate.name, self.incarnation);
                matches!(standing, Standing::Member | Standing::Drained)
            });
            if stands {
                return true;
            }
            tokio::select! {
                changed = self.watched.changed() => if changed.is_err() { return false },
                _ = &mut self.keeping => return false,
            }
        }
    }

    /// This life of the shard.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Until when the lease may be counted on.
    pub fn lease(&self) -> Instant {
        *self.lease.borrow()
    }

    /// The newest ring.
    pub fn view(&self) -> Option<Arc<View>> {
        self.watched.borrow().view.clone()
    }

    /// Waits for what happens next.
    pub async fn news(&mut self) -> News {
        loop {
            tokio::select! {
                biased;
                renewed = self.lease.changed() => match renewed {
                    Ok(()) => return News::Lease(*self.lease.borrow_and_update()),
                    Err(_) => return News::Over,
                },
                changed = self.watched.changed() => {
                    // Its sender lives as long as the process.
                    let view = self.watched.borrow_and_update().view.clone();
                    if let (Ok(()), Some(view)) = (changed, view) {
                        return self.standing(view).await;
                    }
                }
            }
        }
    }

    async fn standing(&mut self, view: Arc<View>) -> News {
        match view.standing(&self.candidate.name, self.incarnation) {
            Standing::Member | Standing::Drained => News::Ring(view),
            Standing::Replaced => News::Replaced,
            Standing::Removed => {
                // By an operator, or because it was thought dead. Who does not
                // wait for the answer asks again.
                self.watched.mark_changed();
                match self.lives().await {
                    true => News::Removed,
                    false => News::Over,
                }
            }
        }
    }

    async fn lives(&self) -> bool {
        let patience = every(self.place.lease);
        let mut registry = Registry::new(&self.place, patience);
        let renewal = registry.renew(&self.candidate.name, self.incarnation);
        matches!(timeout(patience, renewal).await, Ok(Ok(true)))
    }

    /// Leaves the ring, and keeps the lease: others get the slots once they are
    /// given up. What goes wrong is logged: the lease ends by itself.
    pub async fn leave(&self) {
        let (name, incarnation) = (self.candidate.name.clone(), self.incarnation);
        let seen = epoch(&self.watched);
        self.say("leave", async move |registry| {
            registry.leave(seen, &name, incarnation).await
        })
        .await;
    }

    /// The shard holds nothing any more.
    pub async fn end(self) {
        self.keeping.abort();
        let incarnation = self.incarnation;
        self.say("end", async move |registry| registry.end(incarnation).await)
            .await;
    }

    async fn say(
        &self,
        what: &str,
        say: impl AsyncFnOnce(&mut Registry) -> Result<(), RegistryError>,
    ) {
        let mut registry = Registry::new(&self.place, FAREWELL);
        match timeout(FAREWELL, say(&mut registry)).await {
            Ok(Ok(())) => info!(what, "the registry is told"),
            Ok(Err(error)) => warn!(what, %error, "the registry is not told"),
            Err(_) => warn!(what, "the registry is silent"),
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// Each attempt is an incarnation of its own, since one without an answer may
/// have been carried out.
async fn join(
    place: &Place,
    candidate: &Candidate,
    watched: &watch::Receiver<Watched>,
) -> (Incarnation, Instant) {
    let patience = every(place.lease);
    let mut registry = Registry::new(place, patience);
    let mut told = None;
    loop {
        let record = Record {
            weight: candidate.weight,
            incarnation: Incarnation(fastrand::u64(..1 << INCARNATION_BITS)),
            address: candidate.address.clone(),
        };
        let asked = Instant::now();
        let joining = registry.join(epoch(watched), &candidate.name, &record);
        match timeout(patience, joining).await {
            Ok(Ok(())) => return (record.incarnation, asked),
            Ok(Err(error)) if told.as_ref() == Some(&error) => {}
            Ok(Err(error)) => {
                warn!(name = %candidate.name, %error, "the shard is not on the ring yet");
                told = Some(error);
            }
            Err(_) => warn!("the registry is silent"),
        }
        sleep(AGAIN).await;
    }
}

fn epoch(watched: &watch::Receiver<Watched>) -> Epoch {
    let watched = watched.borrow();
    let view = watched.view.as_ref();
    view.map_or(Epoch(0), |view| view.ring().epoch())
}
