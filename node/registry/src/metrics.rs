//! What one who watches the registry shows of it.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use crate::view::View;

/// Figures of one watcher. Clones show the same.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    answers: Gauge,
    epoch: Gauge,
    shards: Gauge,
    degraded: Gauge,
}

impl Metrics {
    /// Names the figures in `registry`, with the prefix `registry_`.
    pub fn register(&self, registry: &mut Registry) {
        let part = registry.sub_registry_with_prefix("registry");
        part.register(
            "answers",
            "1 if the registry answered when it was looked at last",
            self.answers.clone(),
        );
        part.register(
            "degraded",
            "1 while the process goes on without the registry",
            self.degraded.clone(),
        );
        part.register("epoch", "The number of the ring", self.epoch.clone());
        part.register("shards", "Shards on the ring", self.shards.clone());
    }

    pub(crate) fn degraded(&self, is: bool) {
        self.degraded.set(i64::from(is));
    }

    pub(crate) fn show(&self, answers: bool, view: Option<&View>) {
        self.answers.set(i64::from(answers));
        if let Some(view) = view {
            let ring = view.ring();
            self.epoch
                .set(i64::try_from(ring.epoch().0).unwrap_or(i64::MAX));
            self.shards.set(ring.members().len() as i64);
        }
    }
}
