//! One process of a test.
//!
//! Owns the child and its log, and ends it when dropped. Must not know what it
//! serves.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, kill_process};

use crate::patience::until;

/// How much of a log is shown when a test fails.
const LOG_LINES_SHOWN: usize = 40;

/// A child process; dropped, it is killed.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command whose stderr goes to the end of `log`.
    ///
    /// # Panics
    /// It does not start.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Self {
        let file = File::options().create(true).append(true).open(log);
        let child = command
            .stderr(Stdio::from(file.expect("a log file")))
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        Self {
            name: name.to_owned(),
            child,
            log: log.to_owned(),
        }
    }

    /// The child, for its pipes.
    pub fn child(&mut self) -> &mut Child {
        &mut self.child
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Its status if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child's status")
    }

    /// Sends a signal.
    ///
    /// # Panics
    /// It has ended before.
    pub fn signal(&self, signal: Signal) {
        let sent = kill_process(Pid::from_child(&self.child), signal);
        sent.unwrap_or_else(|error| panic!("{}: {error}", self.name));
    }

    /// Waits until it has ended by itself.
    pub async fn end(&mut self) -> ExitStatus {
        let what = format!("the end of {}", self.name);
        until(&what, async || self.ended()).await
    }

    /// Ends it at once, as kill -9 does, and waits until it is gone.
    pub fn kill(&mut self) {
        // Both fail if it has ended, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
        if thread::panicking() {
            let log = self.log();
            let skipped = log.lines().count().saturating_sub(LOG_LINES_SHOWN);
            eprintln!("--- the last words of {}", self.name);
            log.lines().skip(skipped).for_each(|l| eprintln!("{l}"));
        }
    }
}
