//! Who holds which slot, under which token.
//!
//! Owns rule 2's side of the store. Must not know mailboxes.

use std::collections::HashMap;

use msgd_core::store::{Claim, Outcome, Outcomes, Remembered};
use proto::ids::{Incarnation, Token};
use proto::slot::{SLOTS, Slot};
use store::{Keyspace, Transaction};

use super::fields::{Fields, Trouble};
use super::{key, recent};

/// A slot.
#[derive(Debug, Clone, Default)]
struct Holding {
    /// The newest, if it was given since the process started.
    token: Option<Token>,
    /// To whom, until it is released.
    holder: Option<Incarnation>,
    /// Whether the former holder left a row for the next.
    recent: bool,
}

/// All slots.
///
/// Tokens and holders are not read from the database again after a failure:
/// what is in memory is what was told, or newer.
#[derive(Debug)]
pub(super) struct Claims {
    rows: Keyspace,
    slots: Vec<Holding>,
    /// The highest token, given or at least tried.
    token: Token,
    /// The incarnation of each shard of this process. As many as shards.
    living: HashMap<usize, Incarnation>,
}

impl Claims {
    pub(super) fn new(rows: Keyspace) -> Self {
        Self {
            rows,
            slots: vec![Holding::default(); usize::from(SLOTS)],
            token: Token(0),
            living: HashMap::new(),
        }
    }

    /// Reads what is in the database.
    pub(super) fn load(&mut self, transaction: &Transaction<'_>) -> Result<(), Trouble> {
        if let Some(row) = transaction.get(self.rows, key::TOKEN)? {
            let token = Fields::new("the highest token", &row).number()?;
            self.token = self.token.max(Token(token));
        }
        for slot in &mut self.slots {
            slot.recent = false;
        }
        for entry in transaction.prefix(self.rows, key::RECENT) {
            if let Some(slot) = key::recent_slot(&entry?.0) {
                self.slots[slot.index()].recent = true;
            }
        }
        Ok(())
    }

    /// Whether the slot is held by this claim.
    pub(super) fn is_held_by(&self, claim: Claim) -> bool {
        self.is_newest(claim) && self.slots[claim.slot.index()].holder.is_some()
    }

    /// Whether no later claim of the slot was granted.
    pub(super) fn is_newest(&self, claim: Claim) -> bool {
        self.slots[claim.slot.index()].token == Some(claim.token)
    }

    /// Grants what is free. `place` names the shard whose incarnation asks.
    pub(super) fn claim(
        &mut self,
        transaction: &mut Transaction<'_>,
        place: usize,
        shard: Incarnation,
        slots: &[Slot],
    ) -> Outcomes {
        // The shard's former incarnation is dead by this.
        self.living.insert(place, shard);
        let token = Token(self.token.0 + 1);
        let mut outcomes = Outcomes::with_capacity(slots.len());
        for &slot in slots {
            if self.is_held_from(shard, slot) {
                outcomes.push(Outcome::Held { slot });
                continue;
            }
            let holding = &mut self.slots[slot.index()];
            holding.token = Some(token);
            holding.holder = Some(shard);
            let recent = self.take_recent(transaction, slot);
            let claim = Claim { slot, token };
            outcomes.push(Outcome::Claimed { claim, recent });
            self.token = token;
        }
        if self.token == token {
            transaction.put(self.rows, key::TOKEN, &token.0.to_le_bytes());
        }
        outcomes
    }

    /// Frees a slot, or does so again in case that failed. The claim is its
    /// newest.
    pub(super) fn release(
        &mut self,
        transaction: &mut Transaction<'_>,
        claim: Claim,
        recent: &[Remembered],
    ) {
        let holding = &mut self.slots[claim.slot.index()];
        holding.holder = None;
        let key = key::recent(claim.slot);
        if !recent.is_empty() {
            holding.recent = true;
            transaction.put(self.rows, &key, &recent::encode(recent));
        } else if std::mem::take(&mut holding.recent) {
            transaction.remove(self.rows, &key);
        }
    }

    fn is_held_from(&self, shard: Incarnation, slot: Slot) -> bool {
        let holder = self.slots[slot.index()].holder;
        holder.is_some_and(|holder| {
            holder != shard && self.living.values().any(|living| *living == holder)
        })
    }

    fn take_recent(&mut self, transaction: &mut Transaction<'_>, slot: Slot) -> Vec<Remembered> {
        if !std::mem::take(&mut self.slots[slot.index()].recent) {
            return Vec::new();
        }
        let key = key::recent(slot);
        let row = transaction.get(self.rows, &key);
        transaction.remove(self.rows, &key);
        let recent = match row {
            Ok(Some(row)) => recent::decode(&row).map_err(Trouble::from),
            Ok(None) => Ok(Vec::new()),
            Err(unreadable) => Err(unreadable.into()),
        };
        recent.unwrap_or_else(|trouble| {
            // The slot must be served all the same. Who sends again what was
            // answered is not known, and its recipient drops the repeat.
            tracing::error!(%slot, %trouble, "recent answers are lost");
            Vec::new()
        })
    }
}
