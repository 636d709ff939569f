//! A shard's seat: the life of one incarnation in the registry.
//!
//! Owns joining, the lease, and leaving. Must not know what a shard does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proto::clock::Moment;
use proto::ids::{Epoch, Incarnation, ShardId};
use proto::link::{Pledge, Relay, Relayed};
use proto::slot::Slot;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::client::{Place, Registry};
use crate::error::RegistryError;
use crate::keep::{Holder, keep};
use crate::lease::every;
use crate::look::{Berth, Record};
use crate::metrics::Metrics;
use crate::tenure::{Question, Tenure};
use crate::view::{Standing, View};
use crate::watch::{Watched, Watching};
use crate::watcher::Own;

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
    /// Where its process runs.
    pub berth: Berth,
    /// So many replicas of the registry have a renewal before it counts.
    pub replicas: u32,
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
    joined: Epoch,
    holder: Holder,
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
        (watching, metrics): (Watching, Metrics),
        watched: watch::Receiver<Watched>,
    ) -> Self {
        loop {
            watching.lock().sits(None);
            let (own, joined, asked) = join(&place, &candidate, &watching, &watched).await;
            let incarnation = own.incarnation;
            let tenure = Tenure::new(place.lease, incarnation, joined, asked);
            watching.lock().sits(Some(own));
            let holder = Holder::new(
                (candidate.name.clone(), candidate.replicas),
                tenure,
                watching.clone(),
                metrics.clone(),
            );
            let (tell, lease) = watch::channel(holder.until());
            let keeper = (place.clone(), holder.clone());
            let keeping = tokio::task::spawn_local(async move {
                let (place, holder) = keeper;
                let tell = |until| {
                    tell.send_replace(until);
                };
                keep(&place, &holder, asked, tell).await;
            });
            let mut seat = Self {
                place: place.clone(),
                candidate: candidate.clone(),
                joined,
                holder,
                watched: watched.clone(),
                lease,
                keeping,
            };
            if seat.is_seen().await {
                info!(name = %candidate.name, %incarnation, "the shard is on the ring");
                return seat;
            }
            warn!("the place was lost before the ring was known");
        }
    }

    /// Waits for the ring that it is on; `false`: the lease was over before, or
    /// another has its place: an earlier attempt that was carried out later.
    async fn is_seen(&mut self) -> bool {
        loop {
            let view = self.watched.borrow_and_update().view.clone();
            let view = view.filter(|view| view.ring().epoch() >= self.joined);
            if let Some(view) = view {
                self.holder.knows(&view);
                let standing = view.standing(&self.candidate.name, self.holder.incarnation);
                return matches!(standing, Standing::Member | Standing::Drained);
            }
            tokio::select! {
                changed = self.watched.changed() => if changed.is_err() { return false },
                _ = &mut self.keeping => return false,
            }
        }
    }

    /// This life of the shard.
    pub fn incarnation(&self) -> Incarnation {
        self.holder.incarnation
    }

    /// Until when the lease may be counted on.
    pub fn lease(&self) -> Instant {
        self.holder.until()
    }

    /// Who holds the lease.
    pub fn holder(&self) -> Holder {
        self.holder.clone()
    }

    /// What is to be asked of the other shards. One without a slot cannot be
    /// asked.
    pub fn asks(&self, questions: Vec<Question>) -> Vec<Relay> {
        let questions = questions.into_iter();
        let question = |(name, to, number)| {
            let pledge = Pledge {
                from: self.holder.incarnation,
                back: self.slot_of(&self.candidate.name)?,
                to,
                number,
                given: false,
            };
            let slot = self.slot_of(&name)?;
            let relayed = Relayed::Pledge(pledge);
            Some(Relay { slot, relayed })
        };
        questions.filter_map(question).collect()
    }

    /// Another shard asks, which may have an answer; or one has promised, which
    /// may prolong the lease.
    pub fn pledged(&self, pledge: &Pledge) -> Option<Relay> {
        if pledge.to != self.holder.incarnation {
            return None;
        }
        if pledge.given {
            self.holder.promised(pledge.from, pledge.number);
            return None;
        }
        if !self.holder.promises(pledge.from) {
            return None;
        }
        let promise = Pledge {
            from: self.holder.incarnation,
            // Nobody answers a promise.
            back: pledge.back,
            to: pledge.from,
            number: pledge.number,
            given: true,
        };
        let relayed = Relayed::Pledge(promise);
        let slot = pledge.back;
        Some(Relay { slot, relayed })
    }

    fn slot_of(&self, name: &ShardId) -> Option<Slot> {
        let view = self.view()?;
        Slot::all().find(|slot| view.ring().owner(*slot) == name)
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
                    Ok(()) => {
                        self.lease.mark_unchanged();
                        return News::Lease(self.lease());
                    }
                    Err(_) => return News::Over,
                },
                changed = self.watched.changed() => {
                    // Its sender lives as long as the process.
                    let view = self.watched.borrow_and_update().view.clone();
                    if let (Ok(()), Some(view)) = (changed, view) {
                        return self.standing(view);
                    }
                }
            }
        }
    }

    fn standing(&self, view: Arc<View>) -> News {
        self.holder.knows(&view);
        match view.standing(&self.candidate.name, self.holder.incarnation) {
            Standing::Member | Standing::Drained => News::Ring(view),
            // A port has one process: an earlier attempt was carried out late.
            Standing::Replaced if self.is_own(&view) => News::Over,
            Standing::Replaced => News::Replaced,
            Standing::Removed => News::Removed,
            Standing::Over => News::Over,
        }
    }

    fn is_own(&self, view: &View) -> bool {
        let record = view.shard(&self.candidate.name);
        record.is_some_and(|record| record.berth == self.candidate.berth)
    }

    /// Leaves the ring, and keeps the lease: others get the slots once they are
    /// given up. What goes wrong is logged: the lease ends by itself.
    pub async fn leave(&self) {
        let (name, incarnation) = (self.candidate.name.clone(), self.holder.incarnation);
        let seen = epoch(&self.watched);
        self.say("leave", async move |registry| {
            registry.leave(seen, &name, incarnation).await
        })
        .await;
    }

    /// The shard holds nothing any more.
    pub async fn end(self) {
        self.keeping.abort();
        let incarnation = self.holder.incarnation;
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
/// have been carried out, or be so late.
async fn join(
    place: &Place,
    candidate: &Candidate,
    watching: &Watching,
    watched: &watch::Receiver<Watched>,
) -> (Own, Epoch, Moment) {
    let patience = every(place.lease);
    let mut registry = Registry::new(place, patience);
    let mut told = None;
    loop {
        let record = Record {
            weight: candidate.weight,
            // That is for the registry to say.
            since: Epoch(0),
            incarnation: Incarnation(fastrand::u64(..1 << INCARNATION_BITS)),
            berth: candidate.berth,
            address: candidate.address.clone(),
        };
        let asked = watching.clock().now().moment;
        let joining = registry.join(epoch(watched), &candidate.name, &record);
        match timeout(patience, joining).await {
            Ok(Ok(joined)) => {
                let own = Own {
                    name: candidate.name.clone(),
                    incarnation: record.incarnation,
                };
                return (own, joined, asked);
            }
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
