//! When each incarnation was last alive.
//!
//! Owns what "here" means after a crash. Must not know users.

use std::collections::BTreeMap;

use msgd_core::store::Seen;
use proto::ids::{Incarnation, Stamp};
use store::{Keyspace, Scan, Transaction, Unreadable};

use super::key;

/// Incarnations known at most. The one that was silent longest is forgotten:
/// users that it left without a word have no time at which they were last
/// there.
const INCARNATIONS_MAX: usize = 1_024;

/// When each was last alive.
pub(crate) type Stamps = BTreeMap<Incarnation, Stamp>;

/// Incarnations, each with the last time that it was alive.
#[derive(Debug)]
pub(super) struct Alive {
    rows: Keyspace,
    stamps: Stamps,
}

impl Alive {
    pub(super) fn new(rows: Keyspace) -> Self {
        Self {
            rows,
            stamps: BTreeMap::new(),
        }
    }

    /// Reads what is in the database.
    pub(super) fn load(&mut self, transaction: &Transaction<'_>) -> Result<(), Unreadable> {
        self.stamps = read(transaction.prefix(self.rows, key::ALIVE))?;
        Ok(())
    }

    pub(super) fn keep(
        &mut self,
        transaction: &mut Transaction<'_>,
        shard: Incarnation,
        stamp: Stamp,
    ) {
        self.stamps.insert(shard, stamp);
        transaction.put(self.rows, &key::alive(shard), &stamp.0.to_le_bytes());
        if self.stamps.len() > INCARNATIONS_MAX
            && let Some((&silent, _)) = self.stamps.iter().min_by_key(|(_, stamp)| **stamp)
        {
            self.stamps.remove(&silent);
            transaction.remove(self.rows, &key::alive(silent));
        }
    }

    /// When a user was last there.
    pub(super) fn resolve(&self, seen: Seen) -> Option<Stamp> {
        resolve(&self.stamps, seen)
    }
}

/// Reads the rows of all.
pub(crate) fn read(rows: Scan) -> Result<Stamps, Unreadable> {
    let mut stamps = Stamps::new();
    for entry in rows {
        let (key, value) = entry?;
        // A row that cannot be read tells nothing, and harms nobody.
        if let (Some(shard), Ok(stamp)) = (key::alive_shard(&key), value[..].try_into()) {
            stamps.insert(shard, Stamp(u64::from_le_bytes(stamp)));
        }
    }
    Ok(stamps)
}

/// When a user was last there.
pub(crate) fn resolve(stamps: &Stamps, seen: Seen) -> Option<Stamp> {
    match seen {
        Seen::At(stamp) => Some(stamp),
        Seen::Here(shard) => stamps.get(&shard).copied(),
    }
}
