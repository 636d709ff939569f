//! Slots come and go: rules 2 to 5.

use std::sync::Arc;
use std::time::Duration;

use indexmap::{IndexMap, IndexSet};
use proto::clock::{Moment, Now};
use proto::codes::Code;
use proto::ids::{Identity, UserId};
use proto::link::ReturnReason;
use proto::ring::Ring;
use proto::slot::Slot;

use super::Shard;
use super::sessions::refuse;
use crate::effect::Effect;
use crate::slots::SlotState;
use crate::store::{Claim, Remembered, Request};
use crate::timers::Timer;
use crate::user::User;

/// The pause before slots that are another's still are claimed again: who has
/// heard of the ring gives up within milliseconds, who is dead takes a lease.
pub(super) const CLAIM_PAUSE_MIN: Duration = Duration::from_millis(10);
const CLAIM_PAUSE_MAX: Duration = Duration::from_millis(100);

impl Shard {
    pub(super) fn ring_changed(&mut self, now: Now, ring: Arc<Ring>, out: &mut Vec<Effect>) {
        if ring.epoch() <= self.ring.epoch() {
            return;
        }
        self.ring = ring;
        self.claim_pause = CLAIM_PAUSE_MIN;
        let lost: Vec<Claim> = Slot::all()
            .filter(|slot| !self.owns(*slot))
            .filter_map(|slot| self.slots.claim(slot))
            .collect();
        self.give_up_all(now, lost, out);
        self.claim_owned(out);
        self.call_waiting(now, out);
    }

    /// Claims every slot of the ring that is the shard's and not held.
    pub(super) fn claim_owned(&mut self, out: &mut Vec<Effect>) {
        let slots: Vec<Slot> = Slot::all()
            .filter(|slot| self.owns(*slot) && self.slots.state(*slot) == SlotState::Foreign)
            .collect();
        self.claim(slots, out);
    }

    /// Those first that somebody waits for: a store may take its time.
    fn claim(&mut self, mut slots: Vec<Slot>, out: &mut Vec<Effect>) {
        if slots.is_empty() {
            return;
        }
        let awaited = self.waiting.slots();
        if !awaited.is_empty() {
            let (first, others): (Vec<Slot>, Vec<Slot>) =
                slots.iter().partition(|slot| awaited.contains(slot));
            slots = [first, others].concat();
        }
        for slot in &slots {
            self.slots.set(*slot, SlotState::Claiming);
        }
        let shard = self.incarnation;
        out.push(Effect::Store(Request::Claim { slots, shard }));
    }

    /// Rule 4: a slot is served once the claim is through.
    pub(super) fn claimed(
        &mut self,
        now: Now,
        claim: Claim,
        recent: Vec<Remembered>,
        out: &mut Vec<Effect>,
    ) {
        let Claim { slot, token } = claim;
        if !self.owns(slot) {
            // The ring moved on meanwhile; what was handed over goes on.
            self.hand_over(recent);
            return self.give_up_all(now, vec![claim], out);
        }
        let gained = self.ring.epoch();
        let since = now.moment;
        let held = SlotState::Held {
            token,
            gained,
            since,
        };
        self.slots.set(slot, held);
        self.hand_over(recent);
        for waiting in self.waiting.leave_for(slot) {
            self.up(now, waiting, out);
        }
    }

    /// Keeps what was answered lately until its recipient comes into memory.
    fn hand_over(&mut self, recent: Vec<Remembered>) {
        for known in recent {
            let user = self.handed_over.entry(known.to.clone()).or_default();
            user.push(known);
        }
    }

    /// A slot is another's still, or in doubt.
    pub(super) fn claim_later(&mut self, now: Now, slot: Slot, doubtful: bool) {
        self.arm_claim(now);
        self.unclaimed.push((slot, doubtful));
    }

    /// The store did not take a slot back.
    pub(super) fn release_later(&mut self, now: Now, claim: Claim, recent: Vec<Remembered>) {
        self.arm_claim(now);
        self.unreleased.push((claim, recent));
    }

    fn arm_claim(&mut self, now: Now) {
        if self.unclaimed.is_empty() && self.unreleased.is_empty() {
            self.timers.arm(now.moment + self.claim_pause, Timer::Claim);
        }
    }

    pub(super) fn claim_due(&mut self, out: &mut Vec<Effect>) {
        self.claim_pause = CLAIM_PAUSE_MAX.min(2 * self.claim_pause);
        for (claim, recent) in std::mem::take(&mut self.unreleased) {
            if self.slots.state(claim.slot) == SlotState::Foreign {
                out.push(Effect::Store(Request::Release { claim, recent }));
            } else {
                // It is the shard's again, which knows better than the store.
                self.hand_over(recent);
            }
        }
        let unclaimed = std::mem::take(&mut self.unclaimed);
        for (slot, _) in &unclaimed {
            self.slots.set(*slot, SlotState::Foreign);
        }
        // One in doubt is claimed even for another, to be released.
        let wanted: Vec<Slot> = unclaimed
            .into_iter()
            .filter(|(slot, doubtful)| *doubtful || self.owns(*slot))
            .map(|(slot, _)| slot)
            .collect();
        self.claim(wanted, out);
    }

    /// Rule 3: at once no answer for the slot; what is undelivered is stored,
    /// in its order; everything is forgotten. Gives what releases the token and
    /// hands over what was answered.
    fn give_up(
        &mut self,
        claim: Claim,
        users: Vec<UserId>,
        known: Vec<Remembered>,
        out: &mut Vec<Effect>,
    ) -> Request {
        let mut recent = known;
        for name in users {
            let Some(mut user) = self.users.swap_remove(&name) else {
                continue;
            };
            self.give_back(&mut user, out);
            for (behind, messages) in user.inbox.leave() {
                out.push(Effect::Store(Request::Append {
                    claim,
                    user: name.clone(),
                    behind,
                    messages,
                }));
            }
            for (from, id, fingerprint, sent) in user.recent.iter() {
                recent.push(Remembered {
                    to: name.clone(),
                    identity: Identity {
                        from: from.clone(),
                        id,
                    },
                    stamp: sent.stamp,
                    fingerprint,
                    fate: sent.outcome.clone(),
                });
            }
        }
        self.slots.set(claim.slot, SlotState::Foreign);
        Request::Release { claim, recent }
    }

    /// What waits for a user's mailbox or list goes back to where it came from.
    fn give_back(&mut self, user: &mut User, out: &mut Vec<Effect>) {
        for waiting in std::mem::take(&mut user.queue) {
            self.send_back(waiting, ReturnReason::NotOwner, out);
        }
    }

    /// The store knows newer tokens: other shards hold these slots, or the store
    /// has forgotten who does. Nothing of them can be written any more. Users are
    /// looked through once, however many slots go.
    pub(super) fn refused_by_store(&mut self, now: Now, claims: &[Claim], out: &mut Vec<Effect>) {
        let refused = claims.iter().filter(|claim| self.slots.serves(**claim));
        let slots: IndexSet<Slot> = refused.map(|claim| claim.slot).collect();
        if slots.is_empty() {
            return;
        }
        self.leave_acts(|slot| slots.contains(&slot), out);
        self.refuse_groups(now, |slot| slots.contains(&slot), out);
        let users = self.users.iter();
        let leaving = users.filter(|(_, user)| slots.contains(&user.slot));
        let names: Vec<UserId> = leaving.map(|(name, _)| name.clone()).collect();
        for name in names {
            if let Some(mut user) = self.users.swap_remove(&name) {
                self.give_back(&mut user, out);
                // The ring may be the same: nobody else has them announced again.
                for session in &user.sessions {
                    refuse(session.at, Code::Busy, out);
                }
            }
        }
        for slot in &slots {
            self.slots.set(*slot, SlotState::Foreign);
        }
        let owned = slots.into_iter().filter(|slot| self.owns(*slot));
        self.claim(owned.collect(), out);
    }

    pub(super) fn stopping(&mut self, now: Now, out: &mut Vec<Effect>) {
        self.alive_due(now, out);
        let held: Vec<Claim> = Slot::all()
            .filter_map(|slot| self.slots.claim(slot))
            .collect();
        self.give_up_all(now, held, out);
        self.fenced = true;
    }

    /// Rule 5: renewed in time, or over.
    pub(super) fn lease(&mut self, now: Now, until: Moment, out: &mut Vec<Effect>) {
        if self.holds_lease(now, out) {
            self.lease_until = Some(until);
        }
    }

    /// Whether the shard may still answer. One that missed its deadline drops
    /// everything, and another incarnation takes its place.
    pub(super) fn holds_lease(&mut self, now: Now, out: &mut Vec<Effect>) -> bool {
        if self.fenced {
            return false;
        }
        if self.lease_until.is_none_or(|until| now.moment < until) {
            return true;
        }
        self.fenced = true;
        self.users.clear();
        self.waiting.leave();
        self.tells.clear();
        self.acts.clear();
        self.questions.clear();
        self.groups.clear();
        self.group_rows = 0;
        self.readings.clear();
        for slot in Slot::all() {
            self.slots.set(slot, SlotState::Foreign);
        }
        self.lease_until = None;
        out.push(Effect::Fenced);
        false
    }

    /// Gives slots up; users are looked through once, however many go.
    fn give_up_all(&mut self, now: Now, claims: Vec<Claim>, out: &mut Vec<Effect>) {
        self.give_up_groups(now, &claims, out);
        let mut going: IndexMap<Slot, (Vec<UserId>, Vec<Remembered>)> = IndexMap::new();
        for claim in &claims {
            going.insert(claim.slot, Default::default());
        }
        self.leave_acts(|slot| going.contains_key(&slot), out);
        for (name, user) in &self.users {
            if let Some((users, _)) = going.get_mut(&user.slot) {
                users.push(name.clone());
            }
        }
        self.handed_over.retain(|name, remembered| {
            match going.get_mut(&Slot::of(name)) {
                Some((_, known)) => known.append(remembered),
                None => return true,
            }
            false
        });
        // A store carries out together what is alike; slots of users who are
        // waited for elsewhere go first.
        let (mut releases, mut others) = (Vec::new(), Vec::new());
        for claim in claims {
            let (users, known) = going.swap_remove(&claim.slot).unwrap_or_default();
            let which = match users.is_empty() {
                true => &mut others,
                false => &mut releases,
            };
            which.push(self.give_up(claim, users, known, out));
        }
        out.extend(releases.into_iter().chain(others).map(Effect::Store));
    }
}
