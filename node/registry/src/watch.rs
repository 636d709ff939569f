//! Watching the registry: a task that looks, tells, and says who is dead.
//!
//! Owns the waiting between two looks. What follows from a look is concluded in
//! [`crate::watcher`].

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use node::clock::Clock;
use tokio::sync::watch;
use tokio::sync::watch::error::RecvError;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::client::{Place, Registry};
use crate::error::RegistryError;
use crate::look::Look;
use crate::metrics::Metrics;
use crate::view::View;
use crate::watcher::{POLL, Watcher};

/// The pause before a registry is looked at again that does not answer.
const AGAIN: Duration = Duration::from_millis(100);

/// What a watcher knows.
#[derive(Debug, Clone, Default)]
pub struct Watched {
    /// The newest ring; none yet at the beginning.
    pub view: Option<Arc<View>>,
    /// Whether the registry answers.
    pub answers: bool,
}

impl Watched {
    fn show(&self, metrics: &Metrics) {
        metrics.show(self.answers, self.view.as_deref());
    }
}

/// What watches: the task that looks, and the shard that tells it who it is.
/// Clones are the same.
#[derive(Debug, Clone)]
pub struct Watching {
    clock: Clock,
    watcher: Arc<Mutex<Watcher>>,
}

impl Watching {
    /// One who has seen nothing yet.
    pub fn new(place: &Place) -> Self {
        Self {
            clock: Clock::start(),
            watcher: Arc::new(Mutex::new(Watcher::new(place.lease))),
        }
    }

    /// By which it counts.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What it has concluded.
    pub fn lock(&self) -> MutexGuard<'_, Watcher> {
        self.watcher.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A static list of shards: known at once, and nothing comes after it.
pub fn fixed(view: View) -> watch::Receiver<Watched> {
    let watched = Watched {
        view: Some(Arc::new(view)),
        answers: true,
    };
    watch::channel(watched).1
}

/// Waits for the first ring.
///
/// # Errors
/// Nobody watches.
pub async fn first(watched: &mut watch::Receiver<Watched>) -> Result<Arc<View>, RecvError> {
    loop {
        if let Some(view) = watched.borrow_and_update().view.clone() {
            return Ok(view);
        }
        watched.changed().await?;
    }
}

/// Looks at the registry until nobody wants to know any more.
pub async fn watch(
    place: Place,
    watching: Watching,
    metrics: Metrics,
    tell: watch::Sender<Watched>,
) {
    // What waits for news is silent for so long.
    let patience = POLL + place.lease / 3;
    let mut registry = Registry::new(&place, patience);
    while !tell.is_closed() {
        let looked = registry.look().await;
        let next = match looked {
            Ok(look) => {
                answers(&tell, true);
                if !watching.lock().sits_somewhere() {
                    metrics.degraded(false);
                }
                let looked_at = look.epoch;
                let next = turn(&mut registry, &watching, look, &tell).await;
                tell.borrow().show(&metrics);
                next.map(|next| (next, looked_at))
            }
            Err(error) => Err(error),
        };
        let waited = match next {
            Ok((next, looked_at)) => {
                // A ring without slots is none to follow, and no news either.
                let seen = watching.lock().epoch().max(looked_at);
                registry.news(seen, next).await
            }
            Err(error) => Err(error),
        };
        if let Err(error) = waited {
            watching.lock().silent();
            if tell.borrow().answers {
                warn!(%error, "the registry does not answer; the last ring stands");
            }
            answers(&tell, false);
            tell.borrow().show(&metrics);
            if !watching.lock().sits_somewhere() {
                metrics.degraded(tell.borrow().view.is_some());
            }
            sleep(AGAIN).await;
        }
    }
}

/// Tells what a look found, and says what follows; gives the time to the next.
async fn turn(
    registry: &mut Registry,
    watching: &Watching,
    look: Look,
    tell: &watch::Sender<Watched>,
) -> Result<Duration, RegistryError> {
    let answered = watching.clock.now().moment;
    let (concluded, seen) = {
        let mut watcher = watching.lock();
        let before = watcher.epoch();
        let concluded = watcher.looked(answered, &look);
        (concluded, before.max(watcher.epoch()))
    };
    if concluded.is_newer {
        placed(look, tell).await;
    } else {
        gateways(&look, tell);
    }
    if let Some(errand) = &concluded.errand {
        info!(?errand, "the registry is told");
        registry.carry_out(seen, errand).await?;
    }
    Ok(concluded.next)
}

/// Slots are placed aside: for many shards it takes as long as a thread that
/// carries messages must not stand still.
async fn placed(look: Look, tell: &watch::Sender<Watched>) {
    match spawn_blocking(move || View::build(&look)).await {
        Ok(Ok(view)) => {
            info!(epoch = %view.ring().epoch(), shards = view.shards().count(), "a new ring");
            tell.send_modify(|watched| watched.view = Some(Arc::new(view)));
        }
        Ok(Err(error)) => error!(%error, "the registry holds no ring"),
        Err(error) => error!(%error, "the ring was not placed"),
    }
}

fn gateways(look: &Look, tell: &watch::Sender<Watched>) {
    tell.send_if_modified(|watched| {
        let differs = |view: &&Arc<View>| view.gateways() != look.gateways;
        let Some(view) = watched.view.as_ref().filter(differs) else {
            return false;
        };
        watched.view = Some(Arc::new(view.with_gateways(look.gateways.clone())));
        true
    });
}

fn answers(tell: &watch::Sender<Watched>, answers: bool) {
    tell.send_if_modified(|watched| std::mem::replace(&mut watched.answers, answers) != answers);
}
