//! What a shard stands on: the store and friendd, which answer late or not at
//! all, other shards that take its slots, and the process that it lives in.
//!
//! Must not know what gateways say.

use std::sync::LazyLock;
use std::time::Duration;

use msgd_core::Event;
use msgd_core::store::{
    Claim, LogSettings, MailboxSettings, Outcome, Remembered, Request, StoreSettings,
};
use proto::ids::{Identity, Incarnation};
use proto::slot::Slot;

use super::{ROUNDS_MAX, World, new_shard, said};
use crate::cast::{self, USERS};
use crate::script::Script;

/// Small bounds, so that they are met.
pub fn bounds() -> StoreSettings {
    StoreSettings {
        mailbox: MailboxSettings {
            messages_max: 6,
            bytes_max: 100,
            age_max: Duration::from_secs(7_200),
        },
        log: LogSettings {
            log_max: 12,
            keep: Duration::from_secs(7_200),
        },
    }
}

/// By slot: whether somebody of the cast lives there.
static IS_OF_THE_CAST: LazyLock<Vec<bool>> = LazyLock::new(|| {
    let is_ones = |slot| USERS.iter().any(|user| Slot::of(user) == slot);
    Slot::all().map(is_ones).collect()
});

/// Slots of nobody in the cast are never granted: there are too many.
pub fn of_the_cast(request: Request) -> Option<Request> {
    let Request::Claim { mut slots, shard } = request else {
        return Some(request);
    };
    slots.retain(|slot| IS_OF_THE_CAST[slot.index()]);
    (!slots.is_empty()).then_some(Request::Claim { slots, shard })
}

impl World<'_> {
    pub(super) fn store_acts(&mut self) {
        let Some(request) = self.asked.pop_front() else {
            return;
        };
        let failed = request.failed();
        let outcomes = match self.script.pick(8) {
            // It fails and did nothing.
            6 => failed.into_vec(),
            // It fails and did what it was asked for.
            7 => {
                self.store.execute(request);
                failed.into_vec()
            }
            _ => self.store.execute(request),
        };
        for outcome in outcomes {
            self.happens(Event::Store(outcome));
        }
    }

    pub(super) fn friendd_answers(&mut self) {
        if let Some((ticket, answer)) = self.friends.answer(&mut self.script) {
            self.happens(Event::Graph { ticket, answer });
        }
    }

    /// The store and friendd answer all that they were asked.
    pub(super) fn everybody_answers(&mut self) {
        for _ in 0..ROUNDS_MAX {
            if let Some(request) = self.asked.pop_front() {
                for outcome in self.store.execute(request) {
                    self.happens(Event::Store(outcome));
                }
            } else if let Some((ticket, answer)) = self.friends.answer(&mut Script::new(&[])) {
                self.happens(Event::Graph { ticket, answer });
            } else {
                return;
            }
        }
        panic!("it asks for ever");
    }

    /// Another shard takes a slot from this one as if it were dead, and gives
    /// it back: with what it answered lately, or without a word.
    pub(super) fn rival(&mut self) {
        let user = cast::user(&mut self.script);
        let slot = Slot::of(&user);
        self.rivals += 1;
        let shard = Incarnation(self.rivals);
        self.store.incarnation_died(Incarnation(self.incarnation));
        let slots = vec![slot];
        let outcomes = self.store.execute(Request::Claim { slots, shard });
        let token = match outcomes[..] {
            [Outcome::Claimed { ref claim, .. }] => claim.token,
            _ => return,
        };
        if self.script.once_in(2) {
            return self.store.incarnation_died(shard);
        }
        let identity = Identity {
            from: cast::user(&mut self.script),
            id: cast::message_id(&mut self.script),
        };
        self.promises.handed_over(&user, &identity);
        let recent = vec![Remembered {
            to: user,
            identity,
            stamp: self.clock.now().wall,
            fingerprint: self.script.byte().into(),
            fate: said::fate(&mut self.script),
        }];
        let claim = Claim { slot, token };
        self.store.execute(Request::Release { claim, recent });
    }

    /// The process ends and another one starts; of what the store was asked
    /// last, some is carried out and some is not.
    pub(super) fn restart(&mut self) {
        let done = self.script.byte().into();
        for request in self.asked.drain(..).take(done) {
            self.store.execute(request);
        }
        self.asked.clear();
        self.friends.forget_questions();
        self.relays.clear();
        self.promises.restarted();
        self.store.incarnation_died(Incarnation(self.incarnation));
        self.incarnation += 1;
        self.is_over = false;
        self.shard = new_shard(&self.settings, self.incarnation, self.ring);
        self.start();
    }
}
