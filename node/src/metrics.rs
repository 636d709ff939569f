//! The figures of a process, gathered from all of its parts and threads.
//!
//! A part keeps handles (counters, gauges, histograms: one atomic operation
//! each to count) and registers clones of them here once. Must not know: what
//! a figure means.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;

/// Prefix of the name of every figure.
const PREFIX: &str = "im";

/// All figures of a process. Clones are the same; parts on any thread register
/// in it at any time.
///
/// Holds what is registered and no more: labels with unbounded values (users,
/// addresses) do not belong in it.
#[derive(Clone, Debug)]
pub struct Metrics {
    registry: Arc<Mutex<Registry>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            registry: Arc::new(Mutex::new(Registry::with_prefix(PREFIX))),
        }
    }
}

impl Metrics {
    /// Lets a part register its handles. Names get the prefix `im_`.
    pub fn register(&self, part: impl FnOnce(&mut Registry)) {
        part(&mut self.lock());
    }

    /// All figures as they are now, in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Nothing of it fails but the writing, and a string takes all.
        text::encode(&mut out, &self.lock()).expect("a string takes all");
        out
    }

    fn lock(&self) -> MutexGuard<'_, Registry> {
        // A part that panicked while registering leaves fewer figures, not
        // broken ones.
        self.registry.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::metrics::counter::Counter;

    #[test]
    fn figures_of_several_threads_are_gathered() {
        let metrics = Metrics::default();
        let threads: Vec<_> = (0..2)
            .map(|shard: u64| {
                let metrics = metrics.clone();
                std::thread::spawn(move || {
                    let sent: Counter = Counter::default();
                    let label = ("shard".into(), shard.to_string().into());
                    metrics.register(|registry| {
                        registry.sub_registry_with_label(label).register(
                            "sent",
                            "Messages sent",
                            sent.clone(),
                        );
                    });
                    sent.inc_by(shard + 5);
                })
            })
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        let text = metrics.text();
        assert!(text.contains("im_sent_total{shard=\"0\"} 5\n"), "{text}");
        assert!(text.contains("im_sent_total{shard=\"1\"} 6\n"), "{text}");
        assert!(text.ends_with("# EOF\n"), "{text}");
    }
}
