//! Messages leave memory: to sessions, and to the mailbox.

use std::time::Duration;

use proto::clock::{Moment, Now};
use proto::ids::UserId;
use proto::link::{Deliver, Down};

use super::Shard;
use crate::effect::Effect;
use crate::inbox::Step;
use crate::store::{Claim, Letter, Position, Request};
use crate::timers::Timer;

impl Shard {
    /// Gives a user's sessions what they have room for, and the store what has
    /// waited for too long or has nobody to go to.
    pub(super) fn pump(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let (count_max, bytes_max) = (self.settings.pending_max, self.settings.pending_bytes_max);
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let Some(claim) = self.slots.claim(user.slot) else {
            return;
        };
        let shed = user.inbox.pump(&mut self.steps);
        self.counters.copies_shed += shed as u64;
        for step in self.steps.drain(..) {
            match step {
                Step::Deliver(index, message) => {
                    let at = user.sessions[index].at;
                    let deliver = Deliver {
                        session: at.session,
                        token: claim.token,
                        message,
                    };
                    let envelope = Down::Deliver(deliver);
                    out.push(Effect::Send {
                        gateway: at.gateway,
                        envelope,
                    });
                }
                Step::Read {
                    reader,
                    from,
                    count_max,
                    bytes_max,
                } => out.push(Effect::Store(Request::Read {
                    claim,
                    user: name.clone(),
                    reader: user.inbox.readers()[reader].number,
                    from,
                    count_max,
                    bytes_max,
                })),
            }
        }
        let patience = self.settings.delivery_patience;
        let long_ago = earlier(now, patience);
        if user
            .inbox
            .must_spill(long_ago, count_max / 2, bytes_max / 2)
        {
            let messages = user.inbox.spill(now.moment);
            append(claim, name, messages, out);
        }
        if !user.armed.delivery
            && let Some(at) = user.inbox.spill_at(patience)
        {
            user.armed.delivery = true;
            self.timers.arm(at, Timer::Delivery(name.clone()));
        }
    }

    /// Step 7 of 'One message': what has waited for too long is stored.
    pub(super) fn delivery_due(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let patience = self.settings.delivery_patience;
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.armed.delivery = false;
        let Some(claim) = self.slots.claim(user.slot) else {
            return;
        };
        let due = user
            .inbox
            .spill_at(patience)
            .is_some_and(|at| at <= now.moment);
        if due {
            let messages = user.inbox.spill(earlier(now, patience));
            append(claim, name, messages, out);
        }
        self.cursor_moved(claim, name, out);
        self.pump(now, name, out);
    }

    /// The store failed to move a cursor: it is told again after a pause, or
    /// what was taken would come again one day.
    pub(super) fn cursor_not_taken(&mut self, now: Now, name: &UserId) {
        self.counters.store_failures += 1;
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.inbox.cursor_not_taken();
        if !user.armed.delivery {
            user.armed.delivery = true;
            let at = now.moment + self.settings.delivery_patience;
            self.timers.arm(at, Timer::Delivery(name.clone()));
        }
    }

    /// The store read a part of a mailbox for a session.
    pub(super) fn mailbox_read(
        &mut self,
        now: Now,
        claim: Claim,
        name: &UserId,
        reader: u64,
        from: Position,
        letters: Option<Vec<(Position, Letter)>>,
        out: &mut Vec<Effect>,
    ) {
        if !self.slots.serves(claim) {
            return;
        }
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        if letters.is_none() {
            self.counters.store_failures += 1;
            user.inbox.read(reader, from, None, &mut self.steps);
            // A pause before it is tried again.
            if !user.armed.delivery {
                user.armed.delivery = true;
                let at = now.moment + self.settings.delivery_patience;
                self.timers.arm(at, Timer::Delivery(name.clone()));
            }
            return;
        }
        // What it gives is delivered by the pump, before anything after it.
        user.inbox.read(reader, from, letters, &mut self.steps);
        self.cursor_moved(claim, name, out);
        self.pump(now, name, out);
    }

    /// Tells the store of a cursor that moved.
    pub(super) fn cursor_moved(&mut self, claim: Claim, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        if let Some(cursor) = user.inbox.moved_cursor() {
            out.push(Effect::Store(Request::Advance {
                claim,
                user: name.clone(),
                cursor,
            }));
        }
    }
}

fn earlier(now: Now, by: Duration) -> Moment {
    let by_us = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
    Moment(now.moment.0.saturating_sub(by_us))
}

fn append(claim: Claim, name: &UserId, messages: Vec<Letter>, out: &mut Vec<Effect>) {
    if messages.is_empty() {
        return;
    }
    out.push(Effect::Store(Request::Append {
        claim,
        user: name.clone(),
        // One append at a time: nothing is to be waited for.
        behind: Position(0),
        messages,
    }));
}
