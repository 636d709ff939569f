//! Whether Redis is there.
//!
//! Owns how one that did not answer is looked for. Must not know what is asked
//! of it else.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use proto::ids::Incarnation;
use shared::Command;

use super::keeper::Keeper;

/// Between two looks for a Redis that does not answer.
const LOOK_PAUSE: Duration = Duration::from_millis(500);

impl Keeper {
    /// Looks for a Redis that did not answer, not more often than is useful.
    pub(super) async fn find(&mut self) {
        let looked_lately = self.looked.is_some_and(|at| at.elapsed() < LOOK_PAUSE);
        if looked_lately || self.answers.load(Ordering::Relaxed) {
            return;
        }
        self.looked = Some(Instant::now());
        // Of nobody: that there is an answer is what matters.
        let lease = registry::keys::lease(Incarnation(0));
        let ask = Command::read("EXISTS", lease);
        let replies = self.redis.carry_out(vec![ask]).await;
        let answers = replies.iter().all(Result::is_ok);
        self.answers.store(answers, Ordering::Relaxed);
        for failure in replies.into_iter().filter_map(Result::err) {
            self.tell(&failure.into());
        }
    }
}
