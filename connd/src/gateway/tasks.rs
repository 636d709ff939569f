//! What a gateway does without being called: its time, what it gathered, its
//! figures.
//!
//! Owns when. Must not know what an event does.

use std::rc::Rc;
use std::time::Duration;

use connd_core::Event;

use super::Gateway;
use crate::metrics::PUBLISH_INTERVAL;

/// How long news of friends are gathered before they are written.
const GATHER: Duration = Duration::from_millis(20);

impl Gateway {
    /// Writes what is gathered, a while after the first of it came.
    pub(super) async fn write_gathered(self: Rc<Self>) {
        loop {
            self.gathered.notified().await;
            tokio::time::sleep(GATHER).await;
            while self.write_some_gathered() {
                tokio::task::yield_now().await;
            }
        }
    }

    fn write_some_gathered(&self) -> bool {
        let mut more = Vec::new();
        let is_more_left = {
            let turn = &mut *self.turn.borrow_mut();
            let is_more_left = turn.write_gathered();
            self.flush(turn, &mut more);
            is_more_left
        };
        self.handle(more);
        is_more_left
    }

    /// The one timer of all sessions.
    pub(super) async fn keep_time(self: Rc<Self>) {
        loop {
            self.alarm.rings(&self.clock).await;
            self.handle([Event::Tick]);
        }
    }

    /// Shows the core's counts to who scrapes.
    pub(super) async fn publish(self: Rc<Self>) {
        let mut every = tokio::time::interval(PUBLISH_INTERVAL);
        let mut shown = connd_core::Counters::default();
        let mut sessions = 0;
        loop {
            every.tick().await;
            let core = self.core.borrow();
            self.metrics.add(&shown, core.counters());
            shown = *core.counters();
            self.metrics
                .sessions
                .inc_by(core.sessions() as i64 - sessions);
            sessions = core.sessions() as i64;
        }
    }
}
