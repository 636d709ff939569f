//! What a service may do inside a group: read and write keyspaces.

use std::ops::RangeBounds;

use fjall::{PersistMode, Readable, SingleWriterTxKeyspace, SingleWriterWriteTx, Slice};

use crate::database::{Database, Keyspace};
use crate::{Failure, Unreadable};

/// The open group. Everything read includes what the group wrote before.
///
/// Keys are 1 to 65,535 bytes, values less than 4 GiB. Services keep both far
/// smaller: a group is meant to hold about 1 MiB.
pub struct Transaction<'a> {
    fjall: SingleWriterWriteTx<'a>,
    keyspaces: &'a [SingleWriterTxKeyspace],
    bytes: usize,
    writes: usize,
}

impl<'a> Transaction<'a> {
    pub(crate) fn begin(database: &'a Database) -> Self {
        Self {
            fjall: database
                .fjall
                .write_tx()
                .durability(Some(PersistMode::SyncData)),
            keyspaces: &database.keyspaces,
            bytes: 0,
            writes: 0,
        }
    }

    /// The value of a key, or `None`.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn get(&self, keyspace: Keyspace, key: &[u8]) -> Result<Option<Slice>, Unreadable> {
        Ok(self.fjall.get(self.resolve(keyspace), key)?)
    }

    /// Sets the value of a key. Copies both.
    ///
    /// # Panics
    /// If the key is longer than 65,535 bytes.
    pub fn put(&mut self, keyspace: Keyspace, key: &[u8], value: &[u8]) {
        self.count(key.len() + value.len());
        self.fjall.insert(&self.keyspaces[keyspace.0], key, value);
    }

    /// Removes a key. That it does not exist is no error.
    ///
    /// Ranges that hold many removed keys are slow to read (some 10 ms for
    /// 100,000 of them) until the database has merged them away: read a log
    /// from a stored position, not from its beginning.
    pub fn remove(&mut self, keyspace: Keyspace, key: &[u8]) {
        self.count(key.len());
        self.fjall.remove(&self.keyspaces[keyspace.0], key);
    }

    /// The entries of a range in the order of their keys, from either end.
    ///
    /// Shows the range as it is now; writes made while it is read are not in it.
    pub fn range<K: AsRef<[u8]>>(&self, keyspace: Keyspace, range: impl RangeBounds<K>) -> Scan {
        Scan(self.fjall.range(self.resolve(keyspace), range))
    }

    /// The entries whose keys begin with `prefix`, as [`range`](Self::range).
    pub fn prefix(&self, keyspace: Keyspace, prefix: &[u8]) -> Scan {
        Scan(self.fjall.prefix(self.resolve(keyspace), prefix))
    }

    /// Bytes of keys and values written so far in this group.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Makes the group durable. Returns whether there was anything to write.
    pub(crate) fn commit(self) -> Result<bool, Failure> {
        let wrote = self.writes > 0;
        self.fjall.commit()?;
        Ok(wrote)
    }

    fn count(&mut self, bytes: usize) {
        self.bytes += bytes;
        self.writes += 1;
    }

    fn resolve(&self, keyspace: Keyspace) -> &'a SingleWriterTxKeyspace {
        &self.keyspaces[keyspace.0]
    }
}

/// Entries of a keyspace in the order of their keys; `rev()` reads backwards.
pub struct Scan(pub(crate) fjall::Iter);

impl Iterator for Scan {
    type Item = Result<(Slice, Slice), Unreadable>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(read)
    }
}

impl DoubleEndedIterator for Scan {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(read)
    }
}

fn read(entry: fjall::Guard) -> Result<(Slice, Slice), Unreadable> {
    Ok(entry.into_inner()?)
}
