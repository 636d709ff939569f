//! Where mailboxes are: in a directory that this process holds, or in a Redis.
//!
//! Owns which of the two it is, and how each is opened and closed. Must not
//! know what is asked of it.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use msgd_core::store::{Outcome, Request, StoreSettings};
use node::metrics::Metrics;
use service::admin::backup_status;
use service::admin::wire::BackupStatus;
use store::{Engine, Refusal, Running};

use crate::outcomes::Outcomes;
use crate::redis::{self, RedisStore};
use crate::store::{self as embedded, EmbeddedStore};

/// Requests of all shards of a process that wait for the store at once.
pub const CAPACITY: usize = 65_536;

/// The mailboxes, as one shard has them.
pub enum ShardStore {
    /// In a directory.
    Embedded(embedded::ShardStore),
    /// In a Redis.
    Redis(redis::ShardStore),
}

impl ShardStore {
    /// Asks what is in `requests`, from the front on while there is room; the
    /// rest stays. Does not wait.
    ///
    /// # Errors
    /// Why the rest was not taken. Ask again when outcomes have come, or answer
    /// by [`Request::failed`].
    pub fn ask(&self, requests: &mut VecDeque<Request>) -> Result<(), Refusal> {
        match self {
            Self::Embedded(store) => store.ask(requests),
            Self::Redis(store) => store.ask(requests),
        }
    }
}

/// The mailboxes of a process with one shard.
pub enum Mailboxes {
    /// In a directory, as long as the committer runs.
    Embedded(Arc<Running>, EmbeddedStore),
    /// In a Redis.
    Redis(RedisStore),
}

impl Mailboxes {
    /// Opens or makes the directory. What is asked is told to `outcomes`.
    ///
    /// # Errors
    /// The directory is another's, or damaged, or the system gives no thread.
    pub fn in_directory(
        directory: &Path,
        sizes: store::Settings,
        bounds: StoreSettings,
        (outcomes, metrics): (&Outcomes, &Metrics),
    ) -> anyhow::Result<Self> {
        let mut engine = Engine::open(directory, sizes)?;
        let sink = outcomes.clone();
        let mailboxes = EmbeddedStore::open(&mut engine, bounds, CAPACITY, move |answers| {
            put(&sink, answers.map(|(_, outcome)| outcome));
        })?;
        metrics.register(|registry| {
            engine.metrics().register(registry);
            mailboxes.metrics().register(registry);
        });
        Ok(Self::Embedded(Arc::new(engine.start()?), mailboxes))
    }

    /// Begins to ask the Redis; whether it is there shows later. What is asked
    /// is told to `outcomes`. Shards hold leases of this length; zero: none.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn in_redis(
        redis: &shared::Settings,
        bounds: StoreSettings,
        lease: Duration,
        (outcomes, metrics): (&Outcomes, &Metrics),
    ) -> anyhow::Result<Self> {
        let sink = outcomes.clone();
        let mailboxes = RedisStore::start(redis, bounds, lease, CAPACITY, move |answers| {
            put(&sink, answers)
        })?;
        metrics.register(|registry| mailboxes.metrics().register(registry));
        Ok(Self::Redis(mailboxes))
    }

    /// What the shard asks by.
    pub fn shard(&self) -> ShardStore {
        match self {
            Self::Embedded(_, store) => ShardStore::Embedded(store.shard(0)),
            Self::Redis(store) => ShardStore::Redis(store.shard()),
        }
    }

    /// Whether the store can be asked, for those who come later than it ends.
    pub fn health(&self) -> Health {
        match self {
            Self::Embedded(running, _) => Health::Embedded(Arc::downgrade(running)),
            Self::Redis(store) => Health::Redis(store.answers()),
        }
    }

    /// Carries out what waits, and closes.
    ///
    /// # Errors
    /// What waited could not be written.
    pub fn close(self) -> anyhow::Result<()> {
        match self {
            // Nobody else holds it for longer than a look.
            Self::Embedded(running, _) => {
                Ok(Arc::into_inner(running).map_or(Ok(()), Running::stop)?)
            }
            Self::Redis(store) => {
                store.stop();
                Ok(())
            }
        }
    }
}

/// A copy of a store in a directory, begun or told of; none: it has ended.
pub fn backup(store: &Weak<Running>, path: &Path) -> Option<BackupStatus> {
    Some(match store.upgrade()?.backup(path) {
        Ok(progress) => backup_status(progress.entries, progress.bytes, progress.ended),
        Err(error) => backup_status(0, 0, Some(Err(error.to_string()))),
    })
}

fn put(outcomes: &Outcomes, answers: impl Iterator<Item = Outcome>) {
    answers.for_each(|outcome| outcomes.put(outcome));
    outcomes.ring();
}

/// Whether a store can be asked.
#[derive(Clone)]
pub enum Health {
    /// As long as it is open.
    Embedded(Weak<Running>),
    /// As long as it answers.
    Redis(Arc<AtomicBool>),
}

impl Health {
    /// A copy of the store, begun or told of; none: it is in no directory.
    pub fn backup(&self, path: &Path) -> Option<BackupStatus> {
        match self {
            Self::Embedded(running) => backup(running, path),
            Self::Redis(_) => None,
        }
    }

    /// What is wrong, if anything is.
    pub fn trouble(&self) -> Option<&'static str> {
        match self {
            Self::Embedded(running) => {
                let is_open = running.upgrade().is_some_and(|running| running.is_open());
                (!is_open).then_some("the store is closed")
            }
            Self::Redis(answers) => {
                let answers = answers.load(Ordering::Relaxed);
                (!answers).then_some("the store does not answer")
            }
        }
    }
}
