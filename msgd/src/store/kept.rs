//! The groups of users: one row per user.
//!
//! Must not know mailboxes, nor the groups themselves.

use msgd_core::store::KeptGroup;
use store::{Keyspace, Transaction};

use super::fields::Trouble;
use super::groups::record;
use super::key::UserKey;

/// Groups of all users.
#[derive(Debug)]
pub(super) struct Kept {
    rows: Keyspace,
    /// Lent to whom writes a row.
    value: Vec<u8>,
}

impl Kept {
    pub(super) fn new(rows: Keyspace) -> Self {
        Self {
            rows,
            value: Vec::new(),
        }
    }

    /// Keeps these instead of those before.
    pub(super) fn keep(
        &mut self,
        transaction: &mut Transaction<'_>,
        user: &UserKey,
        groups: &[KeptGroup],
    ) {
        if groups.is_empty() {
            return transaction.remove(self.rows, &user.groups());
        }
        record::encode_kept(groups, &mut self.value);
        transaction.put(self.rows, &user.groups(), &self.value);
    }

    pub(super) fn read(
        &self,
        transaction: &Transaction<'_>,
        user: &UserKey,
    ) -> Result<Vec<KeptGroup>, Trouble> {
        match transaction.get(self.rows, &user.groups())? {
            Some(value) => Ok(record::decode_kept(&value)?),
            None => Ok(Vec::new()),
        }
    }
}
