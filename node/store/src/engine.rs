//! Opening a data directory, and starting and stopping its committer.

use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::backup::{BackupError, Backups, Progress};
use crate::committer::Committer;
use crate::database::Database;
use crate::directory::Directory;
use crate::lane::ServiceLane;
use crate::queue::{Doorbell, Handle, Queue};
use crate::{CommitterPanicked, Completions, Keyspace, Metrics, OpenError, Service, Settings};

/// An open data directory whose services are being gathered.
pub struct Engine {
    committer: Committer,
    database: Database,
}

impl Engine {
    /// Opens the data directory, and creates what is missing of it.
    ///
    /// # Errors
    /// The directory is in use, newer than this program, or not readable; a
    /// setting is out of bounds. See [`OpenError`].
    pub fn open(path: &Path, settings: Settings) -> Result<Self, OpenError> {
        settings.check()?;
        let directory = Directory::claim(path)?;
        directory.look()?;
        let database = Database::open(&directory.database(), &settings, [])
            .map_err(|source| refused(&directory, source))?;
        Ok(Self {
            committer: Committer {
                directory,
                settings,
                keyspaces: Vec::new(),
                lanes: Vec::new(),
                doorbell: Arc::default(),
                metrics: Metrics::new(),
                backups: Arc::default(),
                told: None,
            },
            database,
        })
    }

    /// Opens a keyspace, and creates it if it is missing. Each one costs
    /// memory of its own (see [`Settings::memtable_bytes`]): an engine has a
    /// few, never one per user.
    ///
    /// # Errors
    /// The database cannot create it, or has had it and has lost its files.
    ///
    /// # Panics
    /// If the name is empty or longer than 255 bytes.
    pub fn keyspace(&mut self, name: &str) -> Result<Keyspace, OpenError> {
        let directory = &self.committer.directory;
        let had = directory.keyspaces()?.iter().any(|had| had == name);
        if had && !self.database.fjall.keyspace_exists(name) {
            return Err(OpenError::NoKeyspace {
                path: directory.path().to_owned(),
                name: name.to_owned(),
            });
        }
        let keyspace = self
            .database
            .keyspace(name, &self.committer.settings)
            .map_err(|source| refused(&self.committer.directory, source))?;
        self.committer.keyspaces.push(name.to_owned());
        Ok(keyspace)
    }

    /// Adds a service. At most `capacity` of its requests wait at once.
    ///
    /// `sink` takes its outcomes, once per group, on the committer thread: it
    /// passes them on and never waits.
    pub fn serve<S: Service>(
        &mut self,
        service: S,
        capacity: usize,
        sink: impl FnMut(Completions<'_, S>) + Send + 'static,
    ) -> Handle<S> {
        let (handle, queue) = Queue::new(
            capacity,
            Arc::clone(&self.committer.doorbell),
            self.metrics(),
        );
        self.committer
            .lanes
            .push(Box::new(ServiceLane::new(service, queue, sink)));
        handle
    }

    /// What this engine counts.
    pub fn metrics(&self) -> Metrics {
        self.committer.metrics.clone()
    }

    /// Starts the committer thread. What was submitted before is served first.
    ///
    /// # Errors
    /// The system has no thread to give, or the directory cannot be written.
    pub fn start(self) -> Result<Running, OpenError> {
        self.committer.directory.seal(&self.committer.keyspaces)?;
        let doorbell = Arc::clone(&self.committer.doorbell);
        let metrics = self.metrics();
        let backups = Arc::clone(&self.committer.backups);
        let thread = thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || self.committer.run(self.database))
            .map_err(OpenError::Thread)?;
        Ok(Running {
            doorbell,
            metrics,
            backups,
            thread: Some(thread),
        })
    }
}

/// A committer at work. Dropping it stops the committer as [`stop`](Self::stop)
/// does.
pub struct Running {
    doorbell: Arc<Doorbell>,
    metrics: Metrics,
    backups: Arc<Backups>,
    /// Taken when joined.
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Whether the database is open: `false` after a failure, until it could
    /// be opened again. A daemon that is not open is not ready.
    pub fn is_open(&self) -> bool {
        self.metrics.open.get() == 1
    }

    /// Copies everything, as it is between two groups, into a directory that is
    /// not there yet; groups go on meanwhile. Asked again with the same path, it
    /// tells how far that is. Does not wait.
    ///
    /// # Errors
    /// Something is there, or another copy is being made.
    pub fn backup(&self, path: &Path) -> Result<Progress, BackupError> {
        let progress = self.backups.ask(path)?;
        self.doorbell.ring();
        Ok(progress)
    }

    /// Takes no more requests, finishes those queued, closes the database.
    /// Waits for the disk: a fraction of a second, more if it is slow.
    ///
    /// # Errors
    /// [`CommitterPanicked`].
    pub fn stop(mut self) -> Result<(), CommitterPanicked> {
        self.join()
    }

    fn join(&mut self) -> Result<(), CommitterPanicked> {
        self.doorbell.stop();
        match self.thread.take() {
            Some(thread) => thread.join().map_err(|_| CommitterPanicked),
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Who wants to know calls `stop`.
        let _ = self.join();
    }
}

fn refused(directory: &Directory, source: fjall::Error) -> OpenError {
    OpenError::Database {
        path: directory.path().to_owned(),
        source,
    }
}
