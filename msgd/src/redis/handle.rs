//! The way into the store and back.
//!
//! Owns the thread that asks Redis. Must not know what requests do.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use msgd_core::store::{Outcome, Request, StoreSettings};
use store::Refusal;

use super::keeper::Keeper;
use super::queue::Queue;
use crate::store::Metrics;

/// The store of this process's shard, in a Redis.
#[derive(Debug)]
pub struct RedisStore {
    queue: Arc<Queue>,
    metrics: Metrics,
    answers: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// The thread ends when it has carried out what waits.
impl Drop for RedisStore {
    fn drop(&mut self) {
        self.queue.stop();
    }
}

impl RedisStore {
    /// Starts the thread that asks Redis, and looks for it.
    ///
    /// `lease` is as long as shards hold theirs; zero where they hold none. At
    /// most `capacity` requests wait at once. `sink` takes the outcomes of each
    /// batch on that thread: it passes them on and never waits. Among them are
    /// refusals of claims that nobody asked for: the server has another life.
    ///
    /// # Errors
    /// The system gives no thread, or nothing to wait by.
    pub fn start(
        redis: &shared::Settings,
        settings: StoreSettings,
        lease: Duration,
        capacity: usize,
        mut sink: impl FnMut(std::vec::Drain<'_, Outcome>) + Send + 'static,
    ) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let metrics = Metrics::default();
        let queue = Arc::new(Queue::new(capacity));
        let mut keeper = Keeper::new(redis, settings, lease, metrics.clone());
        let answers = keeper.answers.clone();
        let asked = queue.clone();
        let serve = async move {
            let mut outcomes = Vec::new();
            keeper.find().await;
            while let Some(requests) = asked.take(keeper.pause()).await {
                let tell = &mut sink;
                keeper.carry_out(&requests, &mut outcomes, tell).await;
                outcomes.extend(keeper.find().await);
                sink(outcomes.drain(..));
            }
        };
        let thread = thread::Builder::new()
            .name("redis".to_owned())
            .spawn(move || runtime.block_on(serve))?;
        Ok(Self {
            queue,
            metrics,
            answers,
            thread: Some(thread),
        })
    }

    /// What the shard asks by, and its next incarnation.
    pub fn shard(&self) -> ShardStore {
        ShardStore {
            queue: self.queue.clone(),
        }
    }

    /// What the store counts.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Whether Redis answered when it was asked last; not yet at the beginning.
    pub fn answers(&self) -> Arc<AtomicBool> {
        self.answers.clone()
    }

    /// Carries out what waits, and takes nothing more.
    pub fn stop(mut self) {
        self.queue.stop();
        let thread = self.thread.take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that asks Redis has failed");
        }
    }
}

/// The store, as the shard has it.
#[derive(Debug, Clone)]
pub struct ShardStore {
    queue: Arc<Queue>,
}

impl ShardStore {
    /// Asks what is in `requests`, from the front on while there is room; the
    /// rest stays. Does not wait.
    ///
    /// # Errors
    /// Why the rest was not taken. Ask again when outcomes have come, or answer
    /// by [`Request::failed`].
    pub fn ask(&self, requests: &mut VecDeque<Request>) -> Result<(), Refusal> {
        self.queue.put(requests)
    }
}
