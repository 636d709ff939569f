//! A user comes into memory: the store is asked what the mailbox holds, and
//! what came meanwhile waits, in order. Users without business leave again.

use std::collections::VecDeque;

use proto::clock::{Moment, Now};
use proto::ids::{Identity, Stamp, UserId};
use proto::link::{Relayed, ReturnReason, Up};
use proto::server::Outcome as Fate;
use proto::slot::Slot;

use super::Shard;
use super::arrive::user_of;
use crate::effect::Effect;
use crate::event::OPERATOR;
use crate::own_groups::OwnGroups;
use crate::store::{Claim, Mailbox, Remembered, Request};
use crate::timers::Timer;
use crate::user::{Phase, User};
use crate::waiting::Waiting;

impl Shard {
    /// Gives the envelope back if its user's mailbox is known or not needed;
    /// else it waits, or is dropped where nobody in memory means nobody there.
    pub(super) fn with_mailbox(
        &mut self,
        now: Now,
        waiting: Waiting,
        out: &mut Vec<Effect>,
    ) -> Option<Waiting> {
        let Some(name) = user_of(&waiting.envelope) else {
            return Some(waiting);
        };
        if let Some(user) = self.users.get_mut(name) {
            user.touched = now.moment;
            return match user.phase {
                Phase::Open => Some(waiting),
                Phase::Opening if user.queue.len() < self.settings.deferred_max => {
                    user.queue.push_back(waiting);
                    None
                }
                Phase::Opening => {
                    self.send_back(waiting, ReturnReason::Busy, out);
                    None
                }
            };
        }
        if !opens(&waiting) {
            return None;
        }
        let name = name.clone();
        if !self.open(now, &name, out) {
            self.send_back(waiting, ReturnReason::Busy, out);
            return None;
        }
        if let Some(user) = self.users.get_mut(&name) {
            user.queue.push_back(waiting);
        }
        None
    }

    /// Asks the store for a user who is not in memory. `false`: no room.
    pub(super) fn open(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) -> bool {
        let Some(claim) = self.slots.claim(Slot::of(name)) else {
            return false;
        };
        if self.users.len() >= self.settings.users_max && !self.evict(now.moment) {
            return false;
        }
        let number = self.number();
        let user = User::opening(name, now.moment, number);
        self.users.insert(name.clone(), Box::new(user));
        let window_us = self.settings.recent_window.as_micros();
        let window_us = u64::try_from(window_us).unwrap_or(u64::MAX);
        out.push(Effect::Store(Request::Open {
            claim,
            user: name.clone(),
            since: Stamp(now.wall.0.saturating_sub(window_us)),
        }));
        true
    }

    pub(super) fn opened(
        &mut self,
        now: Now,
        claim: Claim,
        name: &UserId,
        mailbox: Option<Mailbox>,
        out: &mut Vec<Effect>,
    ) {
        if !self.slots.serves(claim) {
            return;
        }
        let Some(mailbox) = mailbox else {
            return self.open_failed(name, out);
        };
        let queue = self.fill(now, name, mailbox);
        for waiting in queue {
            self.up(now, waiting, out);
        }
        self.note_idle(name);
    }

    /// The store failed: what waited goes back.
    fn open_failed(&mut self, name: &UserId, out: &mut Vec<Effect>) {
        self.counters.store_failures += 1;
        let Some(user) = self.users.swap_remove(name) else {
            return;
        };
        for waiting in user.queue {
            self.send_back(waiting, ReturnReason::Busy, out);
        }
    }

    fn fill(&mut self, now: Now, name: &UserId, mailbox: Mailbox) -> VecDeque<Waiting> {
        let bounds = self.recent_bounds();
        let handed_over = self.handed_over.swap_remove(name);
        let Some(user) = self.users.get_mut(name) else {
            return VecDeque::new();
        };
        if user.phase == Phase::Open {
            return VecDeque::new();
        }
        user.phase = Phase::Open;
        let queue = std::mem::take(&mut user.queue);
        user.inbox.opened(mailbox.cursor, mailbox.end);
        user.notes = mailbox.notes;
        if !mailbox.groups.is_empty() {
            user.groups = Some(Box::new(OwnGroups::restored(mailbox.groups)));
        }
        user.presence.last_seen = mailbox.last_seen;
        let newest = mailbox.latest.iter().map(|stored| stored.stamp).max();
        // A clock that was set back while the shard was away.
        self.last_stamp = self.last_stamp.max(newest.unwrap_or_default());
        // What lies in the mailbox was answered as stored, or is to be.
        let stored = mailbox.latest.into_iter().map(|stored| Remembered {
            to: name.clone(),
            identity: Identity {
                from: stored.from,
                id: stored.id,
            },
            stamp: stored.stamp,
            fingerprint: stored.fingerprint,
            fate: Fate::Stored,
        });
        let known = stored.chain(handed_over.into_iter().flatten());
        user.recent.restore(&bounds, known.collect());
        if !user.recent.is_empty() && !user.armed.recent {
            user.armed.recent = true;
            let at = now.moment + self.settings.recent_window;
            self.timers.arm(at, Timer::Recent(name.clone()));
        }
        queue
    }

    /// A user without business stays, with the friend list, until there is no
    /// room for another.
    pub(super) fn note_idle(&mut self, name: &UserId) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        if user.is_idle() && !user.in_idle_queue {
            user.in_idle_queue = true;
            self.idle.push_back(name.clone());
        }
    }

    /// Drops the user who has been idle for the longest time.
    fn evict(&mut self, now: Moment) -> bool {
        while let Some(name) = self.idle.pop_front() {
            let Some(user) = self.users.get_mut(&name) else {
                continue;
            };
            user.in_idle_queue = false;
            if user.is_idle() {
                if !user.recent.is_empty() || user.inbox.doubtful.is_some() {
                    self.slots.doubt(user.slot, now);
                }
                self.users.swap_remove(&name);
                self.counters.users_evicted += 1;
                return true;
            }
        }
        false
    }
}

/// Whether an envelope brings its user into memory. The others are for someone
/// who is there, or for nobody.
fn opens(waiting: &Waiting) -> bool {
    match &waiting.envelope {
        Up::Announce(_) => true,
        Up::Request { .. } => waiting.gateway == OPERATOR,
        Up::Gone { .. } | Up::Submit(_) | Up::Acknowledge { .. } => false,
        Up::Relay(relay) => match relay.relayed {
            Relayed::Forward(_)
            | Relayed::Receipt { .. }
            | Relayed::FriendAct(_)
            | Relayed::Membership(_) => true,
            Relayed::Transient { .. }
            | Relayed::Tell(_)
            | Relayed::Statuses { .. }
            | Relayed::FriendActed(_)
            | Relayed::Pledge(_)
            | Relayed::GroupAnswer { .. }
            | Relayed::GroupApplied { .. }
            // For groups.
            | Relayed::Post(_)
            | Relayed::GroupTransient(_)
            | Relayed::GroupRead { .. }
            | Relayed::GroupAsk(_)
            | Relayed::MembershipKept { .. } => false,
        },
        Up::ToGroup { .. } => false,
    }
}
