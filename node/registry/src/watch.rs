//! Watching the registry: a task that looks, tells, and says who is dead.
//!
//! Owns the waiting between two looks. What follows from a look is concluded in
//! [`crate::watcher`].

use std::sync::Arc;
use std::time::Duration;

use proto::clock::Moment;
use tokio::sync::watch;
use tokio::sync::watch::error::RecvError;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use crate::client::{Place, Registry, RegistryError};
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
pub async fn watch(place: Place, metrics: Metrics, tell: watch::Sender<Watched>) {
    // What waits for news is silent for so long.
    let patience = POLL + place.lease / 3;
    let mut registry = Registry::new(&place, patience);
    let mut watcher = Watcher::new(place.lease);
    let start = Instant::now();
    while !tell.is_closed() {
        let asked = Moment(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
        let looked = registry.look().await;
        let next = match looked {
            Ok(look) => {
                answers(&tell, true);
                let next = turn(&mut registry, &mut watcher, asked, look, &tell).await;
                tell.borrow().show(&metrics);
                next
            }
            Err(error) => Err(error),
        };
        let waited = match next {
            Ok(next) => registry.news(watcher.epoch(), next).await,
            Err(error) => Err(error),
        };
        if let Err(error) = waited {
            if tell.borrow().answers {
                warn!(%error, "the registry does not answer; the last ring stands");
            }
            answers(&tell, false);
            tell.borrow().show(&metrics);
            sleep(AGAIN).await;
        }
    }
}

/// Tells what a look found, and says what follows; gives the time to the next.
async fn turn(
    registry: &mut Registry,
    watcher: &mut Watcher,
    asked: Moment,
    look: Look,
    tell: &watch::Sender<Watched>,
) -> Result<Duration, RegistryError> {
    let seen = watcher.epoch();
    let concluded = watcher.looked(asked, &look);
    if concluded.is_newer {
        placed(look, tell).await;
    } else {
        gateways(&look, tell);
    }
    if let Some(errand) = &concluded.errand {
        info!(?errand, "the registry is told");
        registry
            .carry_out(seen.max(watcher.epoch()), errand)
            .await?;
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
