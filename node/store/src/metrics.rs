//! What the engine counts.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Counters of one engine. Clones count into the same.
#[derive(Debug, Clone)]
pub struct Metrics {
    pub(crate) requests: Counter,
    pub(crate) refused: Counter,
    pub(crate) unreadable: Counter,
    pub(crate) failures: Counter,
    pub(crate) commit_seconds: Histogram,
    pub(crate) open: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            requests: Counter::default(),
            refused: Counter::default(),
            unreadable: Counter::default(),
            failures: Counter::default(),
            // 50 us, about the fastest fsync, to 1.6 s.
            commit_seconds: Histogram::new(exponential_buckets(0.000_05, 2.0, 16)),
            open: Gauge::default(),
        }
    }

    /// Names the counters in `registry`, with the prefix `store_`.
    pub fn register(&self, registry: &mut Registry) {
        let store = registry.sub_registry_with_prefix("store");
        store.register(
            "requests",
            "Requests executed by the committer",
            self.requests.clone(),
        );
        store.register(
            "refused",
            "Requests handed back because the queue was full",
            self.refused.clone(),
        );
        store.register(
            "unreadable",
            "Requests that failed because what they had to read cannot be read",
            self.unreadable.clone(),
        );
        store.register(
            "failures",
            "Groups that failed, after each of which the database is opened again",
            self.failures.clone(),
        );
        store.register(
            "commit_seconds",
            "Time from the end of executing a group that wrote to the end of its fsync",
            self.commit_seconds.clone(),
        );
        store.register(
            "open",
            "1 while the database is open, 0 after a failure",
            self.open.clone(),
        );
    }
}
