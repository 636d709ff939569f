//! The loop of the committer thread: gather a group, commit it, tell.
//!
//! Owns: the open database, the services. Must not know: what they store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::backup::Backups;
use crate::database::Database;
use crate::directory::Directory;
use crate::lane::Lane;
use crate::queue::Doorbell;
use crate::{Failure, Metrics, Settings, Transaction, Unreadable};

/// Requests in a group at most: larger ones cost less each, but not by much,
/// and the first waits for the last.
const GROUP_REQUESTS: usize = 1024;
/// Bytes written by a group, after which it takes no more requests.
const GROUP_BYTES: usize = 1024 * 1024;
/// Between a failure and the next try to open the database. Also gives the
/// threads of the closed one, which fjall does not wait for to the very end,
/// time to let go of its files.
const REOPEN_PAUSE: Duration = Duration::from_millis(500);
/// Between two lines about what cannot be read.
const TELL_PAUSE: Duration = Duration::from_secs(1);

pub(crate) struct Committer {
    pub(crate) directory: Directory,
    pub(crate) settings: Settings,
    pub(crate) keyspaces: Vec<String>,
    pub(crate) lanes: Vec<Box<dyn Lane>>,
    pub(crate) doorbell: Arc<Doorbell>,
    pub(crate) metrics: Metrics,
    pub(crate) backups: Arc<Backups>,
    /// When it was said last that something cannot be read.
    pub(crate) told: Option<Instant>,
}

enum State {
    Open(Database),
    Closed { tried: Instant },
}

impl State {
    /// How long nothing is to be done if no request comes; `None`: for ever.
    fn pause(&self) -> Option<Duration> {
        match self {
            Self::Open(_) => None,
            Self::Closed { tried } => Some(REOPEN_PAUSE.saturating_sub(tried.elapsed())),
        }
    }
}

impl Committer {
    /// Runs until stopped, and then until nothing waits.
    pub(crate) fn run(mut self, database: Database) {
        let _closing = Closing(Arc::clone(&self.doorbell));
        self.doorbell.answer();
        self.metrics.open.set(1);
        let mut state = State::Open(database);
        while self.await_work(&state) {
            state = match state {
                State::Open(database) => self.serve_group(database),
                State::Closed { tried } => self.serve_closed(tried),
            };
        }
        self.metrics.open.set(0);
        self.backups.end();
    }

    /// Sleeps until there is something to do: a request, or a database to
    /// open again. `false`: it is time to stop.
    fn await_work(&self, state: &State) -> bool {
        loop {
            // Read before the queues: what was taken before the stop is seen.
            let stopping = self.doorbell.is_stopping();
            if self.has_work() {
                return true;
            }
            if stopping {
                return false;
            }
            let pause = state.pause();
            if pause == Some(Duration::ZERO) {
                return true;
            }
            self.doorbell
                .sleep_unless(pause, || self.has_work() || self.doorbell.is_stopping());
        }
    }

    fn has_work(&self) -> bool {
        self.backups.is_ordered() || self.lanes.iter().any(|lane| !lane.is_empty())
    }

    fn serve_group(&mut self, database: Database) -> State {
        if self.backups.is_ordered() {
            // Between two groups: a copy has each whole or not at all.
            self.backups.begin(&database, &self.keyspaces);
        }
        let committed = self.commit_group(&database);
        let state = match committed {
            Ok(()) => State::Open(database),
            Err(failure) => {
                let directory = self.directory.path().display();
                tracing::error!(%directory, %failure, "group failed, closing the database");
                self.metrics.failures.inc();
                self.metrics.open.set(0);
                // Closed before anybody hears of it: nothing of the group is
                // written after its failure was told.
                self.backups.end();
                drop(database);
                for lane in &mut self.lanes {
                    lane.roll_back(&failure);
                }
                State::Closed {
                    tried: Instant::now(),
                }
            }
        };
        self.deliver();
        state
    }

    fn commit_group(&mut self, database: &Database) -> Result<(), Failure> {
        let mut transaction = Transaction::begin(database);
        let executed = self.execute_group(&mut transaction);
        self.metrics.requests.inc_by(executed as u64);
        let began = Instant::now();
        if transaction.commit()? {
            self.metrics
                .commit_seconds
                .observe(began.elapsed().as_secs_f64());
        }
        Ok(())
    }

    /// Takes one request of each service in turn, so that none starves.
    fn execute_group(&mut self, transaction: &mut Transaction<'_>) -> usize {
        let mut executed = 0;
        let mut unreadable = None;
        'group: loop {
            let before = executed;
            for lane in &mut self.lanes {
                if executed == GROUP_REQUESTS || transaction.bytes() >= GROUP_BYTES {
                    break 'group;
                }
                let Some(outcome) = lane.execute_next(transaction) else {
                    continue;
                };
                executed += 1;
                if let Err(error) = outcome {
                    self.metrics.unreadable.inc();
                    unreadable = Some(error);
                }
            }
            if executed == before {
                break;
            }
        }
        if let Some(error) = unreadable {
            self.tell(&error);
        }
        executed
    }

    /// Says what cannot be read, at most once a second: whoever wants it asks
    /// again and again.
    fn tell(&mut self, error: &Unreadable) {
        if self.told.is_some_and(|told| told.elapsed() < TELL_PAUSE) {
            return;
        }
        self.told = Some(Instant::now());
        let directory = self.directory.path().display();
        tracing::error!(%directory, %error, "requests failed");
    }

    fn serve_closed(&mut self, tried: Instant) -> State {
        if tried.elapsed() < REOPEN_PAUSE {
            // Here because a request waits.
            self.refuse_group();
            return State::Closed { tried };
        }
        match Database::open(&self.directory.database(), &self.settings, &self.keyspaces) {
            Ok(database) => {
                tracing::info!("database is open again");
                self.metrics.open.set(1);
                State::Open(database)
            }
            Err(error) => {
                let directory = self.directory.path().display();
                tracing::error!(%directory, %error, "database does not open, trying again");
                self.refuse_group();
                State::Closed {
                    tried: Instant::now(),
                }
            }
        }
    }

    fn refuse_group(&mut self) {
        if self.backups.is_ordered() {
            self.backups.end();
        }
        for lane in &mut self.lanes {
            for _ in 0..GROUP_REQUESTS {
                if !lane.refuse_next() {
                    break;
                }
            }
        }
        self.deliver();
    }

    fn deliver(&mut self) {
        for lane in &mut self.lanes {
            lane.deliver();
        }
    }
}

/// However the thread ends, handles say `Stopped` from then on.
struct Closing(Arc<Doorbell>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.stop();
    }
}
