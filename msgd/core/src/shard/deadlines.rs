//! What is due.

use std::time::Duration;

use proto::clock::Now;
use proto::ids::{Stamp, UserId};

use super::Shard;
use crate::effect::Effect;
use crate::store::Request;
use crate::timers::Timer;

/// How often the store is told that the shard is alive: what 'last seen' may
/// be wrong by after a crash.
const ALIVE_PAUSE: Duration = Duration::from_secs(60);

impl Shard {
    pub(super) fn tick(&mut self, now: Now, out: &mut Vec<Effect>) {
        while let Some(timer) = self.timers.due(now.moment) {
            match timer {
                Timer::Delivery(user) => self.delivery_due(now, &user, out),
                Timer::Linger(user) => self.linger_due(now, &user, out),
                Timer::Friends(user) => self.friends_due(now, &user, out),
                Timer::Status(user) => self.status_due(now, &user, out),
                Timer::Snapshot(user) => self.snapshot_due(now, &user, out),
                Timer::Recent(user) => self.recent_due(now, &user),
                Timer::Tell(request) => self.tell_due(now, request, out),
                Timer::Act(number) => self.act_due(now, number, out),
                Timer::Group(group) => self.group_due(now, &group, out),
                Timer::Posts(group) => self.posts_due(now, &group),
                Timer::Claim => self.claim_due(out),
                Timer::Alive => self.alive_due(now, out),
            }
        }
    }

    fn recent_due(&mut self, now: Now, name: &UserId) {
        let bounds = self.recent_bounds();
        let (earliest, _) = self.span.look(now);
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.recent.forget(&bounds, earliest);
        user.armed.recent = !user.recent.is_empty();
        if user.armed.recent {
            let at = now.moment + self.settings.recent_window / 2;
            self.timers.arm(at, Timer::Recent(name.clone()));
        }
    }

    pub(super) fn alive_due(&mut self, now: Now, out: &mut Vec<Effect>) {
        let shard = self.incarnation;
        let stamp = now.wall;
        let steady = self.steady.look(now);
        out.push(Effect::Store(Request::Alive {
            shard,
            stamp,
            steady,
        }));
        let window_us = self.settings.recent_window.as_micros();
        let window_us = u64::try_from(window_us).unwrap_or(u64::MAX);
        let oldest = Stamp(stamp.0.saturating_sub(window_us));
        self.handed_over.retain(|_, known| {
            known.retain(|known| known.stamp >= oldest);
            !known.is_empty()
        });
        self.timers.arm(now.moment + ALIVE_PAUSE, Timer::Alive);
    }
}
