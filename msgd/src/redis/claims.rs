//! What this process holds.
//!
//! Owns the newest token of each slot that was granted here: a claim that was
//! not, or was given up, is refused without asking. Must not know commands.

use msgd_core::store::{Claim, Outcome, Outcomes, Remembered};
use proto::ids::{Incarnation, Token};
use proto::slot::{SLOTS, Slot};
use shared::{Life, Value};

use crate::store::recent;

/// A slot.
#[derive(Debug, Clone, Default)]
struct Holding {
    /// The newest that was granted here.
    token: Option<Token>,
    /// It was not given up, nor lost as far as is known.
    held: bool,
    /// The life of the server that has granted it: another may have forgotten
    /// the claim, and what was stored under it.
    life: Option<Life>,
    /// How often there had been doubt when it was certain last.
    certain: u64,
}

/// All slots.
#[derive(Debug)]
pub(super) struct Claims {
    slots: Vec<Holding>,
    /// How often a server was lost, and with it the certainty of all.
    doubts: u64,
    /// How often that was when all were looked at.
    looked_at: u64,
}

impl Claims {
    pub(super) fn new() -> Self {
        Self {
            slots: vec![Holding::default(); usize::from(SLOTS)],
            doubts: 0,
            looked_at: 0,
        }
    }

    /// Whether it may be served.
    pub(super) fn is_held(&self, claim: Claim) -> bool {
        self.slots[claim.slot.index()].held && self.is_newest(claim)
    }

    /// Whether it may be released, perhaps once more.
    pub(super) fn is_newest(&self, claim: Claim) -> bool {
        self.slots[claim.slot.index()].token == Some(claim.token)
    }

    /// The newest token of a slot that was granted here.
    pub(super) fn newest(&self, slot: Slot) -> Option<Token> {
        self.slots[slot.index()].token
    }

    /// Where a claim is good.
    pub(super) fn life(&self, claim: Claim) -> Option<Life> {
        self.slots[claim.slot.index()].life.clone()
    }

    pub(super) fn released(&mut self, claim: Claim) {
        if self.is_newest(claim) {
            self.slots[claim.slot.index()].held = false;
        }
    }

    /// Another has it.
    pub(super) fn lost(&mut self, claim: Claim) {
        if self.is_newest(claim) {
            self.slots[claim.slot.index()] = Holding::default();
        }
    }

    /// A server was lost, and nobody knows what the next one has forgotten.
    pub(super) fn doubt(&mut self) {
        self.doubts += 1;
    }

    /// A server was lost since all were looked at.
    pub(super) fn are_doubtful(&self) -> bool {
        self.looked_at < self.doubts
    }

    /// All that are in doubt have been asked for; of the others whoever asks for
    /// one of their users is told.
    pub(super) fn looked_at(&mut self) {
        self.looked_at = self.doubts;
    }

    /// All that are held and in doubt.
    pub(super) fn doubted(&self) -> Vec<Claim> {
        let slots = Slot::all().zip(&self.slots);
        let doubted = slots.filter(|(_, holding)| holding.held && holding.certain < self.doubts);
        doubted
            .filter_map(|(slot, holding)| {
                let token = holding.token?;
                Some(Claim { slot, token })
            })
            .collect()
    }

    /// The server that granted it lives on, and has it.
    pub(super) fn confirmed(&mut self, claim: Claim) {
        if self.is_held(claim) {
            self.slots[claim.slot.index()].certain = self.doubts;
        }
    }

    /// What the server said to a claim, and in which life.
    pub(super) fn answered(&mut self, slot: Slot, value: &Value, life: Option<Life>) -> Answered {
        let Value::Array(parts) = value else {
            return Answered::Unclear;
        };
        match &parts[..] {
            [Value::Int(0), Value::BulkString(holder)] => match number(holder) {
                Some(holder) => Answered::Held(Incarnation(holder)),
                None => Answered::Unclear,
            },
            [
                Value::Int(1),
                Value::BulkString(token),
                Value::BulkString(left),
            ] => {
                let Some(token) = number(token).map(Token) else {
                    return Answered::Unclear;
                };
                self.slots[slot.index()] = Holding {
                    token: Some(token),
                    held: true,
                    life,
                    certain: self.doubts,
                };
                let claim = Claim { slot, token };
                let recent = remembered(slot, left);
                Answered::Granted(Outcome::Claimed { claim, recent })
            }
            _ => Answered::Unclear,
        }
    }
}

/// What came of a claim.
#[derive(Debug)]
pub(super) enum Answered {
    Granted(Outcome),
    Held(Incarnation),
    /// The server says what it should not.
    Unclear,
}

fn remembered(slot: Slot, left: &[u8]) -> Vec<Remembered> {
    recent::decode(left).unwrap_or_else(|damaged| {
        // The slot must be served all the same. Who sends again what was
        // answered is not known, and its recipient drops the repeat.
        tracing::error!(%slot, %damaged, "recent answers are lost");
        Vec::new()
    })
}

/// The outcome of a request under a claim that is over.
pub(super) fn refused(claim: Claim) -> Outcomes {
    Outcomes::from_buf([Outcome::Refused { claim }])
}

fn number(text: &[u8]) -> Option<u64> {
    std::str::from_utf8(text).ok()?.parse().ok()
}
