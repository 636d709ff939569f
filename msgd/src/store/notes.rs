//! Receipts for users who are away: one row per user.
//!
//! Must not know mailboxes.

use msgd_core::store::NOTES_MAX;
use proto::ids::Stamp;
use proto::server::{Receipt, ReceiptKind};
use store::{Keyspace, Transaction, Unreadable};

use super::fields::{Damaged, Fields, Trouble, put_id, put_number};
use super::key::UserKey;

/// Receipts of all users.
#[derive(Debug)]
pub(super) struct Notes {
    rows: Keyspace,
    /// Lent to whom writes a row.
    value: Vec<u8>,
}

impl Notes {
    pub(super) fn new(rows: Keyspace) -> Self {
        Self {
            rows,
            value: Vec::new(),
        }
    }

    /// Keeps a receipt. `false`: there are too many.
    pub(super) fn keep(
        &mut self,
        transaction: &mut Transaction<'_>,
        user: &UserKey,
        receipt: Receipt,
    ) -> Result<bool, Trouble> {
        let mut receipts = self.read(transaction, user)?;
        let is_full = receipts.len() >= NOTES_MAX;
        let same = |kept: &&mut Receipt| kept.kind == receipt.kind && kept.peer == receipt.peer;
        match receipts.iter_mut().find(same) {
            Some(kept) if kept.up_to >= receipt.up_to => return Ok(true),
            Some(kept) => kept.up_to = receipt.up_to,
            None if is_full => return Ok(false),
            None => receipts.push(receipt),
        }
        encode(&receipts, &mut self.value);
        transaction.put(self.rows, &user.notes(), &self.value);
        Ok(true)
    }

    /// Takes all out.
    pub(super) fn take(
        &mut self,
        transaction: &mut Transaction<'_>,
        user: &UserKey,
    ) -> Result<Vec<Receipt>, Trouble> {
        let receipts = self.read(transaction, user)?;
        if !receipts.is_empty() {
            transaction.remove(self.rows, &user.notes());
        }
        Ok(receipts)
    }

    /// Whether there are any.
    pub(super) fn any(
        &self,
        transaction: &Transaction<'_>,
        user: &UserKey,
    ) -> Result<bool, Unreadable> {
        Ok(transaction.get(self.rows, &user.notes())?.is_some())
    }

    fn read(&self, transaction: &Transaction<'_>, user: &UserKey) -> Result<Vec<Receipt>, Trouble> {
        match transaction.get(self.rows, &user.notes())? {
            Some(value) => Ok(decode(&value)?),
            None => Ok(Vec::new()),
        }
    }
}

fn encode(receipts: &[Receipt], out: &mut Vec<u8>) {
    out.clear();
    for receipt in receipts {
        put_id(receipt.peer.as_bytes(), out);
        out.push(match receipt.kind {
            ReceiptKind::Delivered => 0,
            ReceiptKind::Read => 1,
        });
        put_number(receipt.up_to.0, out);
    }
}

/// The receipts of a row.
pub(crate) fn decode(value: &[u8]) -> Result<Vec<Receipt>, Damaged> {
    let mut fields = Fields::new("receipts", value);
    let mut receipts = Vec::new();
    while !fields.is_empty() {
        receipts.push(Receipt {
            peer: fields.user()?,
            kind: match fields.byte()? {
                0 => ReceiptKind::Delivered,
                1 => ReceiptKind::Read,
                _ => return Err(fields.damaged()),
            },
            up_to: Stamp(fields.number()?),
        });
    }
    Ok(receipts)
}
