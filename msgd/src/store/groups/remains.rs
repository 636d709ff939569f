//! Rows that are nobody's any more.
//!
//! Owns which they are and how they go: some with every write, so that there are
//! never more of them for long than are written. Must not know what they were.

use std::collections::VecDeque;

use store::{Keyspace, Transaction, Unreadable};

use super::key::{self, Key};
use crate::store::fields::{Fields, Trouble};

/// Rows removed at once.
const PIECE: usize = 1_024;
/// Rows removed beside each write: it adds fewer.
const BESIDE: usize = 64;

/// What is left of groups that have ended and of logs that have begun anew.
#[derive(Debug)]
pub(super) struct Remains {
    keyspace: Keyspace,
    /// The highest life that was given, or at least tried.
    life: u64,
    left: VecDeque<Left>,
}

/// What begins with a prefix.
#[derive(Debug)]
struct Left {
    prefix: Key,
    /// What lies before this is removed.
    from: Key,
}

impl Remains {
    pub(super) fn new(keyspace: Keyspace) -> Self {
        Self {
            keyspace,
            life: 0,
            left: VecDeque::new(),
        }
    }

    /// Reads what is in the database.
    pub(super) fn load(&mut self, transaction: &Transaction<'_>) -> Result<(), Trouble> {
        if let Some(row) = transaction.get(self.keyspace, key::LIFE)? {
            let row = Fields::new("the highest life", &row).number()?;
            self.life = self.life.max(row);
        }
        self.left.clear();
        for entry in transaction.prefix(self.keyspace, key::REMAINS) {
            let prefix = Key::from_slice(&entry?.0[key::REMAINS.len()..]);
            let from = prefix.clone();
            self.left.push_back(Left { prefix, from });
        }
        Ok(())
    }

    /// A life that was never given.
    pub(super) fn give(&mut self, transaction: &mut Transaction<'_>) -> u64 {
        self.life += 1;
        transaction.put(self.keyspace, key::LIFE, &self.life.to_le_bytes());
        self.life
    }

    /// What begins with the prefix is nobody's from now on.
    pub(super) fn add(&mut self, transaction: &mut Transaction<'_>, prefix: Key) {
        transaction.put(self.keyspace, &key::remains(&prefix), b"");
        let from = prefix.clone();
        self.left.push_back(Left { prefix, from });
    }

    /// Removes some: there is time.
    pub(super) fn remove(&mut self, transaction: &mut Transaction<'_>) {
        self.remove_some(transaction, PIECE);
    }

    /// Removes a few, beside a write.
    pub(super) fn remove_beside(&mut self, transaction: &mut Transaction<'_>) {
        self.remove_some(transaction, BESIDE);
    }

    fn remove_some(&mut self, transaction: &mut Transaction<'_>, max: usize) {
        let mut room = max;
        while room > 0
            && let Some(mut left) = self.left.pop_front()
        {
            match self.piece(transaction, &mut left, room) {
                // All of it is gone.
                Ok(removed) if removed < room => {
                    transaction.remove(self.keyspace, &key::remains(&left.prefix));
                    room -= removed;
                }
                Ok(_) => {
                    self.left.push_front(left);
                    return;
                }
                // It stays until the database is opened again: others need not
                // fail for it.
                Err(unreadable) => tracing::error!(%unreadable, "what was removed is left"),
            }
        }
    }

    /// Removes from the front; how many, fewer than asked if there are no more.
    fn piece(
        &self,
        transaction: &mut Transaction<'_>,
        left: &mut Left,
        max: usize,
    ) -> Result<usize, Unreadable> {
        let range = left.from.clone()..key::behind(&left.prefix);
        let keys = transaction.range(self.keyspace, range).take(max);
        let keys: Vec<_> = keys
            .map(|entry| entry.map(|(key, _)| key))
            .collect::<Result<_, Unreadable>>()?;
        for key in &keys {
            transaction.remove(self.keyspace, key);
        }
        if let Some(last) = keys.last() {
            left.from = Key::from_slice(last);
            left.from.push(0);
        }
        Ok(keys.len())
    }
}
