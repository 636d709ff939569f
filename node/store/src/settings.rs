//! The sizes an operator may choose.

use serde::Deserialize;

use crate::OpenError;

const MIB: u64 = 1024 * 1024;

/// Sizes of the database, meant for a process that does other things as well.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Bytes of data blocks kept in memory. Default 16 MiB.
    pub cache_bytes: u64,
    /// Bytes that a keyspace gathers in memory before it is written out as a
    /// table. At most five times this per keyspace is in memory at once. A
    /// keyspace keeps what it was made with. Default 16 MiB, at least 1 MiB.
    pub memtable_bytes: u64,
    /// Bytes of sealed journals on disk after which tables are written early.
    /// Default 64 MiB, which is also the least.
    pub journal_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cache_bytes: 16 * MIB,
            memtable_bytes: 16 * MIB,
            journal_bytes: 64 * MIB,
        }
    }
}

impl Settings {
    /// The least that is allowed, for a database that is only written, or read
    /// once.
    pub const fn least() -> Self {
        Self {
            cache_bytes: MIB,
            memtable_bytes: MIB,
            journal_bytes: 64 * MIB,
        }
    }

    pub(crate) fn check(&self) -> Result<(), OpenError> {
        let least = Self::least();
        at_least("memtable_bytes", self.memtable_bytes, least.memtable_bytes)?;
        at_least("journal_bytes", self.journal_bytes, least.journal_bytes)
    }
}

fn at_least(key: &'static str, value: u64, min: u64) -> Result<(), OpenError> {
    if value < min {
        return Err(OpenError::Setting { key, value, min });
    }
    Ok(())
}
