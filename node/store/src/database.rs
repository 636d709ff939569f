//! The fjall database and its keyspaces, opened with the sizes of [`Settings`].
//!
//! Owns: everything of fjall that is open. Dropping it closes the database.

use std::path::Path;

use fjall::{KeyspaceCreateOptions, SingleWriterTxDatabase, SingleWriterTxKeyspace};

use crate::Settings;

/// One thread writes tables out while another merges them: a merge never holds
/// a commit up. The third takes the requests for more merges, which fjall makes
/// with every table: the first thread only puts them back, at full speed, until
/// another takes them. When two merges run at once it still does.
const WORKERS: usize = 3;

/// Names a keyspace of the engine that made it. Cheap to copy; it stays good
/// when the database is opened again after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keyspace(pub(crate) usize);

pub(crate) struct Database {
    pub(crate) fjall: SingleWriterTxDatabase,
    pub(crate) keyspaces: Vec<SingleWriterTxKeyspace>,
}

impl Database {
    /// Opens or creates the database. The keyspaces named are numbered in
    /// the order given, so the numbers hold when it is opened again.
    pub(crate) fn open<'a>(
        path: &Path,
        settings: &Settings,
        names: impl IntoIterator<Item = &'a String>,
    ) -> fjall::Result<Self> {
        let fjall = SingleWriterTxDatabase::builder(path)
            .cache_size(settings.cache_bytes)
            .max_journaling_size(settings.journal_bytes)
            .worker_threads(WORKERS)
            .manual_journal_persist(true)
            .open()?;
        let mut database = Self {
            fjall,
            keyspaces: Vec::new(),
        };
        for name in names {
            database.keyspace(name, settings)?;
        }
        Ok(database)
    }

    /// A keyspace that is there keeps the memtables that it was made with.
    pub(crate) fn keyspace(&mut self, name: &str, settings: &Settings) -> fjall::Result<Keyspace> {
        let options = KeyspaceCreateOptions::default().max_memtable_size(settings.memtable_bytes);
        self.numbered(name, options)
    }

    /// Makes a keyspace with the options of another.
    pub(crate) fn keyspace_like(
        &mut self,
        name: &str,
        other: &SingleWriterTxKeyspace,
    ) -> fjall::Result<Keyspace> {
        self.numbered(name, other.inner().config.clone())
    }

    fn numbered(&mut self, name: &str, options: KeyspaceCreateOptions) -> fjall::Result<Keyspace> {
        let keyspace = self.fjall.keyspace(name, || options)?;
        self.keyspaces.push(keyspace);
        Ok(Keyspace(self.keyspaces.len() - 1))
    }
}
