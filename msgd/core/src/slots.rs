//! Which slots the shard holds, and under which token.
//!
//! Owns rule 2's side of the shard: a slot is served only while it is held.
//! Must not know users.

use proto::clock::Moment;
use proto::ids::{Epoch, Token};
use proto::slot::{SLOTS, Slot};

use crate::store::Claim;

/// A slot, as this shard has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// Another shard's.
    Foreign,
    /// Asked of the store.
    Claiming,
    /// Served.
    Held {
        /// Of the claim.
        token: Token,
        /// The epoch in which it became the shard's: what was routed before is
        /// sent back (rule 4).
        gained: Epoch,
        /// When that was: its users may be on their way.
        since: Moment,
    },
}

/// All slots.
#[derive(Debug)]
pub struct Slots {
    states: Vec<SlotState>,
    /// When something was last forgotten of what became of messages there.
    doubts: Vec<Moment>,
}

impl Slots {
    /// None is the shard's.
    pub fn new() -> Self {
        Self {
            states: vec![SlotState::Foreign; usize::from(SLOTS)],
            doubts: vec![Moment::default(); usize::from(SLOTS)],
        }
    }

    /// How the shard has a slot.
    pub fn state(&self, slot: Slot) -> SlotState {
        self.states[slot.index()]
    }

    /// Notes how the shard has a slot.
    pub fn set(&mut self, slot: Slot, state: SlotState) {
        self.states[slot.index()] = state;
    }

    /// The claim under which a slot is served.
    pub fn claim(&self, slot: Slot) -> Option<Claim> {
        match self.state(slot) {
            SlotState::Held { token, .. } => Some(Claim { slot, token }),
            SlotState::Foreign | SlotState::Claiming => None,
        }
    }

    /// Whether this claim is the one under which the slot is served.
    pub fn serves(&self, claim: Claim) -> bool {
        self.claim(claim.slot) == Some(claim)
    }

    /// Since when a slot is served.
    pub fn since(&self, slot: Slot) -> Option<Moment> {
        match self.state(slot) {
            SlotState::Held { since, .. } => Some(since),
            SlotState::Foreign | SlotState::Claiming => None,
        }
    }

    /// Something of what became of messages of this slot is forgotten.
    pub fn doubt(&mut self, slot: Slot, now: Moment) {
        self.doubts[slot.index()] = now;
    }

    /// When something was last forgotten of what became of messages of a slot.
    pub fn doubted(&self, slot: Slot) -> Moment {
        self.doubts[slot.index()]
    }

    /// Since when it is known of all messages of a slot what became of them, as
    /// far as it is not forgotten by age.
    pub fn certain_since(&self, slot: Slot) -> Option<Moment> {
        let since = self.since(slot)?;
        Some(since.max(self.doubts[slot.index()]))
    }

    /// How many are served.
    pub fn held(&self) -> usize {
        let held = |state: &&SlotState| matches!(state, SlotState::Held { .. });
        self.states.iter().filter(held).count()
    }
}
