//! What a shard does without being called: its time, its store's outcomes, its
//! figures.
//!
//! Owns when. Must not know what an event does.

use std::rc::Rc;
use std::sync::atomic::Ordering;

use msgd_core::Event;
use msgd_core::store::Outcome;

use super::Shard;
use crate::metrics::PUBLISH_INTERVAL;
use crate::outcomes::Outcomes;

impl Shard {
    pub(super) async fn take_outcomes(self: Rc<Self>, outcomes: Outcomes) {
        loop {
            let outcomes = outcomes.take().await;
            let mut refused = Vec::new();
            let mut events = Vec::with_capacity(outcomes.len());
            for outcome in outcomes {
                match outcome {
                    Outcome::Refused { claim } => refused.push(claim),
                    outcome => events.push(Event::Store(outcome)),
                }
            }
            if !refused.is_empty() {
                events.push(Event::Refused(refused));
            }
            self.handle(events);
            if !self.serving.load(Ordering::Relaxed) {
                let core = self.core.borrow();
                let whole = core.slots_held() == core.slots_owned();
                self.serving.store(whole, Ordering::Relaxed);
            }
        }
    }

    /// The one timer of all users.
    pub(super) async fn keep_time(self: Rc<Self>) {
        loop {
            self.alarm.rings(&self.clock).await;
            self.handle([Event::Tick]);
        }
    }

    /// Shows the core's counts to who scrapes.
    pub(super) async fn publish(self: Rc<Self>) {
        let mut every = tokio::time::interval(PUBLISH_INTERVAL);
        let mut shown = msgd_core::Counters::default();
        let mut shown_users = (0, 0);
        loop {
            every.tick().await;
            let core = self.core.borrow();
            self.metrics.add(&shown, core.counters());
            shown = *core.counters();
            let (users, sessions) = core.population();
            let difference = |to: usize, from: usize| to as i64 - from as i64;
            self.metrics.users.inc_by(difference(users, shown_users.0));
            self.metrics
                .user_sessions
                .inc_by(difference(sessions, shown_users.1));
            shown_users = (users, sessions);
        }
    }
}
