//! A data directory that nobody uses, to be read.
//!
//! Owns its lock and what it has: nothing is written, and nobody starts on it
//! meanwhile. Must not know what is in the database.

use std::path::Path;

use fjall::{Readable, SingleWriterTxKeyspace, Slice, Snapshot};

use crate::database::Database;
use crate::directory::Directory;
use crate::transaction::Scan;
use crate::{OpenError, Settings, Unreadable};

/// A data directory that is read by this process alone, until the value is
/// dropped.
pub struct Unused {
    names: Vec<String>,
    database: Database,
    snapshot: Snapshot,
    _directory: Directory,
}

impl Unused {
    /// Opens a directory that is there and has a database.
    ///
    /// # Errors
    /// It is in use, none, damaged, or of a newer program. See [`OpenError`].
    pub fn open(path: &Path, settings: &Settings) -> Result<Self, OpenError> {
        let directory = Directory::claim_existing(path)?;
        directory.look()?;
        let names = directory.keyspaces()?;
        let refused = |source| OpenError::Database {
            path: path.to_owned(),
            source,
        };
        let mut database = Database::open(&directory.database(), settings, []).map_err(refused)?;
        for name in &names {
            if !database.fjall.keyspace_exists(name) {
                return Err(OpenError::NoKeyspace {
                    path: path.to_owned(),
                    name: name.clone(),
                });
            }
            database.keyspace(name, settings).map_err(refused)?;
        }
        Ok(Self {
            snapshot: database.fjall.read_tx(),
            names,
            database,
            _directory: directory,
        })
    }

    /// The rows of a keyspace; `None`: it never had one of this name.
    pub fn rows(&self, keyspace: &str) -> Option<Rows<'_>> {
        let place = self.names.iter().position(|name| name == keyspace)?;
        Some(Rows {
            snapshot: &self.snapshot,
            keyspace: &self.database.keyspaces[place],
        })
    }

    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    pub(crate) fn keyspaces(&self) -> &[SingleWriterTxKeyspace] {
        &self.database.keyspaces
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        self.database.fjall.read_tx()
    }
}

/// The rows of one keyspace.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    snapshot: &'a Snapshot,
    keyspace: &'a SingleWriterTxKeyspace,
}

impl Rows<'_> {
    /// The value of a key, or `None`.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn get(&self, key: &[u8]) -> Result<Option<Slice>, Unreadable> {
        Ok(self.snapshot.get(self.keyspace, key)?)
    }

    /// All entries in the order of their keys.
    pub fn all(&self) -> Scan {
        Scan(self.snapshot.iter(self.keyspace))
    }

    /// The entries whose keys begin with `prefix`, likewise.
    pub fn prefix(&self, prefix: &[u8]) -> Scan {
        Scan(self.snapshot.prefix(self.keyspace, prefix))
    }
}
