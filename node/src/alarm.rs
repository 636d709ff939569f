//! When a core wants to be woken next.
//!
//! Owns the earliest of the moments asked for, and the wait for it. Must not
//! know what is due then.

use std::cell::Cell;

use proto::clock::Moment;
use tokio::sync::Notify;

use crate::clock::Clock;

/// The one timer of a core: set after each turn, waited for by one task.
#[derive(Debug, Default)]
pub struct Alarm {
    next: Cell<Option<Moment>>,
    earlier: Notify,
}

impl Alarm {
    /// Rings at `next`, or before if that was asked for; `None` asks for
    /// nothing. Ringing too early is allowed: the core looks what is due.
    pub fn set(&self, next: Option<Moment>) {
        let Some(next) = next else { return };
        if self.next.get().is_none_or(|set| next < set) {
            self.next.set(Some(next));
            self.earlier.notify_one();
        }
    }

    /// Waits until it rings, and takes the moment back: to be rung again it
    /// is set again.
    pub async fn rings(&self, clock: &Clock) {
        loop {
            let Some(next) = self.next.get() else {
                self.earlier.notified().await;
                continue;
            };
            let due = tokio::time::Instant::from_std(clock.instant(next));
            tokio::select! {
                () = tokio::time::sleep_until(due) => {
                    self.next.set(None);
                    return;
                }
                () = self.earlier.notified() => {}
            }
        }
    }
}
