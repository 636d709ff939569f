//! The data directory: who may use it, and which format it has.
//!
//! Owns: the files `lock` and `format`. Must not know: what is in the
//! database beside them.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::OpenError;

/// The newest layout of a data directory that this program writes and reads.
const FORMAT: u32 = 1;

/// A data directory that this process alone uses, until the value is dropped
/// or the process dies.
pub(crate) struct Directory {
    path: PathBuf,
    /// The lock of the file lasts as long as the file is open.
    _lock: File,
}

impl Directory {
    /// Creates the directory if it is missing, locks it, checks its format.
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

    /// Where the database lives.
    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("database")
    }

    fn check_format(&self) -> Result<(), OpenError> {
        let path = self.path.join("format");
        match fs::read_to_string(&path) {
            Ok(text) => self.compare_format(path, &text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self
                .write_format(&path)
                .map_err(|source| failed(&path, source)),
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
    fn write_format(&self, path: &Path) -> io::Result<()> {
        let draft = self.path.join("format.new");
        let mut file = File::create(&draft)?;
        writeln!(file, "{FORMAT}")?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        File::open(&self.path)?.sync_all()
    }
}

fn failed(path: &Path, source: io::Error) -> OpenError {
    OpenError::Directory {
        path: path.to_owned(),
        source,
    }
}
