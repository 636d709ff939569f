//! The way into the store and back.
//!
//! Owns which shard of this process asked what. Must not know what requests do.

use std::collections::VecDeque;

use msgd_core::store::{Outcome, Request, StoreSettings};
use store::{Completions, Engine, Handle, OpenError, Refusal};

use super::metrics::Metrics;
use super::service::{Asked, Keeper, Ticket};
use super::{KEYSPACE, groups};

/// The embedded store of all shards of this process.
pub struct EmbeddedStore {
    requests: Handle<Keeper>,
    metrics: Metrics,
}

impl EmbeddedStore {
    /// Adds the store to an engine that is not started yet.
    ///
    /// At most `capacity` requests of all shards wait at once. `sink` takes
    /// the outcomes of each group, on the committer thread: it passes them on
    /// and never waits.
    ///
    /// # Errors
    /// The database cannot create a keyspace.
    pub fn open(
        engine: &mut Engine,
        settings: StoreSettings,
        capacity: usize,
        mut sink: impl FnMut(Answers<'_>) + Send + 'static,
    ) -> Result<Self, OpenError> {
        let rows = engine.keyspace(KEYSPACE)?;
        let groups = engine.keyspace(groups::KEYSPACE)?;
        let metrics = Metrics::default();
        let keeper = Keeper::new((rows, groups), settings, metrics.clone());
        let requests = engine.serve(keeper, capacity, move |completions| {
            sink(Answers {
                completions,
                current: None,
            });
        });
        Ok(Self { requests, metrics })
    }

    /// What one shard asks by. Each shard of the process has a place of its
    /// own; the next incarnation of a shard has the same.
    pub fn shard(&self, place: usize) -> ShardStore {
        ShardStore {
            requests: self.requests.clone(),
            place,
        }
    }

    /// What the store counts.
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }
}

/// The store, as one shard has it.
pub struct ShardStore {
    requests: Handle<Keeper>,
    place: usize,
}

impl ShardStore {
    /// Asks what is in `requests`, from the front on while there is room; the
    /// rest stays. What is asked together goes to the disk together if a group
    /// has room for it. Does not wait.
    ///
    /// # Errors
    /// Why the rest was not taken. Ask again when outcomes have come, or answer
    /// by [`Request::failed`].
    pub fn ask(&self, requests: &mut VecDeque<Request>) -> Result<(), Refusal> {
        let ticket = |request: &Request| Ticket {
            place: self.place,
            failed: request.failed(),
        };
        let asked = |request| Asked {
            place: self.place,
            request,
        };
        let mut queued = requests
            .drain(..)
            .map(|request| (ticket(&request), asked(request)))
            .collect();
        let taken = self.requests.submit_all(&mut queued);
        requests.extend(queued.into_iter().map(|(_, asked)| asked.request));
        taken
    }
}

/// The outcomes of one group in the order asked, each with the place of the
/// shard that asked.
pub struct Answers<'a> {
    completions: Completions<'a, Keeper>,
    current: Option<(usize, smallvec::IntoIter<[Outcome; 1]>)>,
}

impl Iterator for Answers<'_> {
    type Item = (usize, Outcome);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some((place, outcomes)) = &mut self.current
                && let Some(outcome) = outcomes.next()
            {
                return Some((*place, outcome));
            }
            let completion = self.completions.next()?;
            let Ticket { place, failed } = completion.ticket;
            let outcomes = match completion.outcome {
                Ok(Some(outcomes)) => outcomes,
                // The engine or the service has told the log why.
                Ok(None) | Err(_) => failed,
            };
            self.current = Some((place, outcomes.into_iter()));
        }
    }
}
