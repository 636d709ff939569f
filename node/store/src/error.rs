//! What can go wrong, by who must act.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

/// What is left to do where a database is damaged.
const WAY_OUT: &str =
    "put a copy of the whole directory in its place, or move it away and begin with an empty one";

/// A data directory that cannot be used. The operator must act.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The directory or a file of ours in it cannot be read or written.
    #[error("data directory: {path}: {source}")]
    Directory {
        /// The file or directory concerned.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process, or another engine of this one, uses the directory.
    #[error("data directory {path} is in use by another process")]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// A newer version of this program has written the directory.
    #[error(
        "data directory {path} has format version {found}, this program knows versions up to \
         {known}: use a newer program"
    )]
    NewerFormat {
        /// The data directory.
        path: PathBuf,
        /// The version found in the directory.
        found: u32,
        /// The newest version that this program can read.
        known: u32,
    },
    /// The file with the format version does not hold a version.
    #[error("data directory: {path} does not hold a format version but {found:?}")]
    UnreadableFormat {
        /// The format file.
        path: PathBuf,
        /// What it holds, cut to a few characters.
        found: String,
    },
    /// A setting is out of its bounds.
    #[error("setting {key} is {value}, allowed is {min} or more")]
    Setting {
        /// The key in the settings file.
        key: &'static str,
        /// The value given.
        value: u64,
        /// The least that is allowed.
        min: u64,
    },
    /// The database in the directory cannot be opened.
    #[error("data directory {path}: the database does not open: {source}; {WAY_OUT}")]
    Database {
        /// The data directory.
        path: PathBuf,
        /// What the database said.
        source: fjall::Error,
    },
    /// The directory was in use, and has no database any more.
    #[error("data directory {path} has no database any more; {WAY_OUT}")]
    NoDatabase {
        /// The data directory.
        path: PathBuf,
    },
    /// The database has had a keyspace whose files are gone.
    #[error("data directory {path}: all of {name:?} is missing; {WAY_OUT}")]
    NoKeyspace {
        /// The data directory.
        path: PathBuf,
        /// The keyspace.
        name: String,
    },
    /// Journals are not there that the database has had.
    #[error("data directory {path}: a journal is missing in {database}; {WAY_OUT}")]
    NoJournal {
        /// The data directory.
        path: PathBuf,
        /// Where it should be.
        database: PathBuf,
    },
    /// Bytes in the middle of a journal have changed: behind them are groups
    /// that were acknowledged. The file is left as it is.
    #[error("data directory {path}: {journal} is damaged after byte {at}; {WAY_OUT}")]
    Damaged {
        /// The data directory.
        path: PathBuf,
        /// The file.
        journal: PathBuf,
        /// Where the last good group ends.
        at: usize,
    },
    /// The committer thread could not be started.
    #[error("the committer thread does not start: {0}")]
    Thread(io::Error),
}

/// What was to be read cannot be read: the disk is defective, or a table is
/// damaged. The request fails and no other; the operator must act.
#[derive(Debug, Clone, Error)]
#[error("the store cannot be read: {0}")]
pub struct Unreadable(Arc<fjall::Error>);

impl From<fjall::Error> for Unreadable {
    fn from(error: fjall::Error) -> Self {
        Self(Arc::new(error))
    }
}

/// Why a request has no outcome. A later try may succeed.
#[derive(Debug, Clone, Error)]
pub enum Failure {
    /// What the request had to read could not be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    /// Writing failed. Whether the group was written is unknown until the
    /// database has been opened again.
    #[error("the store failed, whether it wrote is unknown: {0}")]
    Storage(Arc<fjall::Error>),
    /// The database is closed since an earlier failure and did not open yet.
    /// The request was not executed.
    #[error("the store is closed after a failure, nothing was written")]
    Closed,
}

impl From<fjall::Error> for Failure {
    fn from(error: fjall::Error) -> Self {
        Self::Storage(Arc::new(error))
    }
}

/// The committer thread ended by a panic: a defect in the engine or a service.
///
/// What was acknowledged is durable; what was queued has no outcome.
#[derive(Debug, Error)]
#[error("the committer thread panicked")]
pub struct CommitterPanicked;
