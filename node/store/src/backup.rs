//! Copies of a database: of one that is in use, as it was at one moment, and of
//! one that nobody uses.
//!
//! Owns the copying thread and how far it is. Must not know what is in the
//! database. A copy is made under another name and gets its own when it is
//! whole and synced: what has the name is a data directory.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use fjall::{PersistMode, Readable, SingleWriterTxKeyspace, Snapshot};
use thiserror::Error;

use crate::database::Database;
use crate::directory::Directory;
use crate::unused::Unused;
use crate::{OpenError, Settings};

/// Bytes of keys and values that are written to a copy at once.
const BATCH_BYTES: usize = 1024 * 1024;

/// Memtables of a keyspace in memory at most.
const MEMTABLES: u64 = 5;

/// Bytes that a copy of a store in use takes besides at most, whose keyspaces
/// gather so much before they write a table.
pub fn backup_memory(keyspaces: u64, memtable_bytes: u64) -> u64 {
    let cache = Settings::least().cache_bytes;
    // A batch is in memory as keys and values, and once more as it is written.
    cache + keyspaces * MEMTABLES * memtable_bytes + 2 * BATCH_BYTES as u64
}

/// Why there is no copy. The operator must act.
#[derive(Debug, Error)]
pub enum BackupError {
    /// Something is there: nothing is written over.
    #[error("{0} is there already")]
    Exists(PathBuf),
    /// Another copy is being made.
    #[error("a copy is being made already, of which {0} is the place")]
    Busy(PathBuf),
    /// One of the two directories cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What is read is damaged, or there is no room for what is written.
    #[error("{path}: {source}")]
    Database {
        /// The copy.
        path: PathBuf,
        /// What the database says.
        source: fjall::Error,
    },
    /// The system does not let it have its name.
    #[error("{path}: {source}")]
    File {
        /// The copy.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The store stops, or its database has failed.
    #[error("the store has closed its database meanwhile")]
    Closed,
}

/// How far a copy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Entries copied.
    pub entries: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
    /// What came of it; none: it is being made.
    pub ended: Option<Result<(), String>>,
}

#[derive(Debug, Default)]
struct Counts {
    entries: AtomicU64,
    bytes: AtomicU64,
    stopping: AtomicBool,
}

#[derive(Debug)]
struct Backup {
    path: PathBuf,
    counts: Arc<Counts>,
    ended: Option<Result<(), String>>,
    /// What came of it was told.
    told: bool,
    thread: Option<JoinHandle<Result<(), BackupError>>>,
}

/// The copy that an operator has asked for last.
#[derive(Debug, Default)]
pub(crate) struct Backups(Mutex<Option<Backup>>);

impl Backups {
    /// Orders a copy there, or tells how far it is if it has been ordered.
    pub(crate) fn ask(&self, path: &Path) -> Result<Progress, BackupError> {
        let mut last = self.last();
        if let Some(backup) = last.as_mut() {
            backup.look();
            if backup.path == path && !backup.told {
                // What came of it is told once: who asks again wants another.
                backup.told = backup.ended.is_some();
                return Ok(backup.progress());
            }
            if backup.ended.is_none() {
                return Err(BackupError::Busy(backup.path.clone()));
            }
        }
        if path.exists() {
            return Err(BackupError::Exists(path.to_owned()));
        }
        let backup = last.insert(Backup {
            path: path.to_owned(),
            counts: Arc::default(),
            ended: None,
            told: false,
            thread: None,
        });
        Ok(backup.progress())
    }

    /// Whether one is ordered and not begun.
    pub(crate) fn is_ordered(&self) -> bool {
        let ordered = |backup: &Backup| backup.ended.is_none() && backup.thread.is_none();
        self.last().as_ref().is_some_and(ordered)
    }

    /// Begins what is ordered: the database is copied as it is now.
    pub(crate) fn begin(&self, database: &Database, names: &[String]) {
        let mut last = self.last();
        let Some(backup) = last.as_mut() else {
            return;
        };
        let source = Source {
            snapshot: database.fjall.read_tx(),
            keyspaces: database.keyspaces.clone(),
            names: names.to_vec(),
        };
        let (path, counts) = (backup.path.clone(), backup.counts.clone());
        let thread = thread::Builder::new().name("backup".to_owned());
        match thread.spawn(move || source.copy(&path, &counts)) {
            Ok(thread) => backup.thread = Some(thread),
            Err(error) => backup.ended = Some(Err(error.to_string())),
        }
    }

    /// Ends a copy that is being made: the database is about to be closed.
    pub(crate) fn end(&self) {
        let mut last = self.last();
        let Some(backup) = last.as_mut() else {
            return;
        };
        backup.counts.stopping.store(true, Ordering::Relaxed);
        backup.join();
        if backup.ended.is_none() {
            backup.ended = Some(Err(BackupError::Closed.to_string()));
        }
    }

    /// A poisoned lock holds what was there: each field is whole by itself.
    fn last(&self) -> MutexGuard<'_, Option<Backup>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Backup {
    fn look(&mut self) {
        if self.thread.as_ref().is_some_and(JoinHandle::is_finished) {
            self.join();
        }
    }

    fn join(&mut self) {
        let Some(thread) = self.thread.take() else {
            return;
        };
        let ended = match thread.join() {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("the copying thread has failed".to_owned()),
        };
        self.ended = Some(ended);
    }

    fn progress(&self) -> Progress {
        Progress {
            entries: self.counts.entries.load(Ordering::Relaxed),
            bytes: self.counts.bytes.load(Ordering::Relaxed),
            ended: self.ended.clone(),
        }
    }
}

/// Copies a data directory that nobody uses, reading all of it, and gives how
/// many entries and bytes there were.
///
/// # Errors
/// [`BackupError`].
pub fn copy(from: &Path, to: &Path, settings: &Settings) -> Result<(u64, u64), BackupError> {
    if to.exists() {
        return Err(BackupError::Exists(to.to_owned()));
    }
    let unused = Unused::open(from, settings)?;
    let counts = Counts::default();
    let source = Source {
        snapshot: unused.snapshot(),
        keyspaces: unused.keyspaces().to_vec(),
        names: unused.names().to_vec(),
    };
    source.copy(to, &counts)?;
    let copied = |count: &AtomicU64| count.load(Ordering::Relaxed);
    Ok((copied(&counts.entries), copied(&counts.bytes)))
}

/// What is copied.
struct Source {
    snapshot: Snapshot,
    keyspaces: Vec<SingleWriterTxKeyspace>,
    names: Vec<String>,
}

impl Source {
    fn copy(self, path: &Path, counts: &Counts) -> Result<(), BackupError> {
        // Without a slash at its end, behind which the draft would be.
        let path: &Path = &path.components().collect::<PathBuf>();
        let mut draft = path.to_owned().into_os_string();
        draft.push(".unfinished");
        let draft = PathBuf::from(draft);
        let file = |source| BackupError::File {
            path: path.to_owned(),
            source,
        };
        // What an earlier attempt has left.
        if draft.exists() {
            fs::remove_dir_all(&draft).map_err(file)?;
        }
        let made = self.fill(&draft, counts);
        if let Err(error) = made.and_then(|()| fs::rename(&draft, path).map_err(file)) {
            // It may be what fills the disk.
            if let Err(left) = fs::remove_dir_all(&draft) {
                tracing::warn!(draft = %draft.display(), %left, "a copy that failed is left");
            }
            return Err(error);
        }
        let parent = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let parent = File::open(parent.unwrap_or(Path::new("."))).map_err(file)?;
        parent.sync_all().map_err(file)
    }

    fn fill(&self, draft: &Path, counts: &Counts) -> Result<(), BackupError> {
        let directory = Directory::claim(draft)?;
        let failed = |source| BackupError::Database {
            path: draft.to_owned(),
            source,
        };
        // It is only written, beside a store at work: it takes the least. But
        // what a keyspace is made with stays with it, so it is that of the
        // original.
        let least = Settings::least();
        let mut made = Database::open(&directory.database(), &least, []).map_err(failed)?;
        for (name, from) in self.names.iter().zip(&self.keyspaces) {
            made.keyspace_like(name, from).map_err(failed)?;
        }
        for (from, to) in self.keyspaces.iter().zip(&made.keyspaces) {
            let mut batch = made.fjall.write_tx();
            let mut gathered = 0;
            for entry in self.snapshot.iter(from) {
                if counts.stopping.load(Ordering::Relaxed) {
                    return Err(BackupError::Closed);
                }
                let (key, value) = entry.into_inner().map_err(failed)?;
                let bytes = key.len() + value.len();
                counts.entries.fetch_add(1, Ordering::Relaxed);
                counts.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
                batch.insert(to, key, value);
                gathered += bytes;
                if gathered >= BATCH_BYTES {
                    batch.commit().map_err(failed)?;
                    (batch, gathered) = (made.fjall.write_tx(), 0);
                }
            }
            batch.commit().map_err(failed)?;
        }
        made.fjall.persist(PersistMode::SyncAll).map_err(failed)?;
        drop(made);
        Ok(directory.seal(&self.names)?)
    }
}
