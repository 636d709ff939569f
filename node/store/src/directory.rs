//! The data directory: who may use it, and which format it has.
//!
//! Owns: the files `lock`, `format` and `keyspaces`. Must not know: what is in the
//! database beside them.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::OpenError;
use crate::journal::{self, Finding};

/// The newest layout of a data directory that this program writes and reads.
const FORMAT: u32 = 1;

/// Says which layout the directory has.
const FORMAT_FILE: &str = "format";

/// Names the keyspaces that the database has had, one per line: the database
/// forgets one whose files are gone, and would make it anew.
const KEYSPACES: &str = "keyspaces";

/// What the database writes last when it is made.
const MADE: &str = "version";

/// A data directory that this process alone uses, until the value is dropped
/// or the process dies.
pub(crate) struct Directory {
    path: PathBuf,
    /// The lock of the file lasts as long as the file is open.
    _lock: File,
}

impl Directory {
    /// Creates the directory if it is missing, locks it, checks its format
    /// if it has one.
    pub(crate) fn claim(path: &Path) -> Result<Self, OpenError> {
        fs::create_dir_all(path).map_err(|source| failed(path, source))?;
        let lock_path = path.join("lock");
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|source| failed(&lock_path, source))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::InUse {
                path: path.to_owned(),
            },
            TryLockError::Error(source) => failed(&lock_path, source),
        })?;
        let directory = Self {
            path: path.to_owned(),
            _lock: lock,
        };
        directory.check_format()?;
        Ok(directory)
    }

    /// Likewise, of a directory that is there and has a database.
    pub(crate) fn claim_existing(path: &Path) -> Result<Self, OpenError> {
        if !path.join(FORMAT_FILE).exists() {
            return Err(OpenError::NoDatabase {
                path: path.to_owned(),
            });
        }
        Self::claim(path)
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Looks for what the database would pass over in silence.
    pub(crate) fn look(&self) -> Result<(), OpenError> {
        let (path, database) = (self.path.clone(), self.database());
        let made = database.join(MADE);
        match made.try_exists() {
            Ok(true) => {}
            Ok(false) if self.format().exists() => return Err(OpenError::NoDatabase { path }),
            Ok(false) => return Ok(()),
            Err(source) => return Err(failed(&made, source)),
        }
        let found = journal::look(&database).map_err(|source| failed(&database, source))?;
        match found {
            None => Ok(()),
            Some(Finding::Missing) => Err(OpenError::NoJournal { path, database }),
            Some(Finding::Damaged { path: journal, at }) => {
                Err(OpenError::Damaged { path, journal, at })
            }
        }
    }

    /// Marks the directory as one whose database has been made, with these
    /// keyspaces.
    pub(crate) fn seal(&self, keyspaces: &[String]) -> Result<(), OpenError> {
        let mut names = self.keyspaces()?;
        let before = names.len();
        names.extend(
            keyspaces
                .iter()
                .filter(|name| !names.contains(name))
                .cloned()
                .collect::<Vec<_>>(),
        );
        if names.len() > before {
            self.write(KEYSPACES, &names.join("\n"))?;
        }
        if self.format().exists() {
            return Ok(());
        }
        self.write(FORMAT_FILE, &FORMAT.to_string())
    }

    /// The keyspaces that the database has had.
    pub(crate) fn keyspaces(&self) -> Result<Vec<String>, OpenError> {
        let path = self.path.join(KEYSPACES);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(source) => Err(failed(&path, source)),
        }
    }

    fn format(&self) -> PathBuf {
        self.path.join(FORMAT_FILE)
    }

    /// Where the database lives.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("database")
    }

    fn check_format(&self) -> Result<(), OpenError> {
        let path = self.format();
        match fs::read_to_string(&path) {
            Ok(text) => self.compare_format(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(failed(&path, source)),
        }
    }

    fn compare_format(&self, path: PathBuf, text: &str) -> Result<(), OpenError> {
        match text.trim().parse::<u32>() {
            Ok(0) | Err(_) => Err(OpenError::UnreadableFormat {
                path,
                found: text.chars().take(20).collect(),
            }),
            Ok(found) if found > FORMAT => Err(OpenError::NewerFormat {
                path: self.path.clone(),
                found,
                known: FORMAT,
            }),
            Ok(_) => Ok(()),
        }
    }

    /// Written under another name first, so that a crash leaves no empty file.
    fn write(&self, name: &str, text: &str) -> Result<(), OpenError> {
        let (path, draft) = (self.path.join(name), self.path.join("draft"));
        let write = || {
            let mut file = File::create(&draft)?;
            writeln!(file, "{text}")?;
            file.sync_all()?;
            fs::rename(&draft, &path)?;
            File::open(&self.path)?.sync_all()
        };
        write().map_err(|source| failed(&path, source))
    }
}

fn failed(path: &Path, source: io::Error) -> OpenError {
    OpenError::Directory {
        path: path.to_owned(),
        source,
    }
}
