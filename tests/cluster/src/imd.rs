//! The whole cluster in one process.
//!
//! Owns its directory. Must not know what a test does with it.

use std::ops::{Deref, DerefMut};
use std::path::Path;

use tempfile::TempDir;

use crate::daemon::Daemon;

/// `imd` over a directory of its own.
#[derive(Debug)]
pub struct Imd {
    daemon: Daemon,
    /// Goes when the process has ended.
    home: TempDir,
}

impl Imd {
    /// Started with two gateways and two shards, and ready.
    pub async fn start() -> Self {
        Self::start_with(|_| Vec::new()).await
    }

    /// Likewise with more flags, which may name files in its directory.
    pub async fn start_with(flags: impl FnOnce(&Path) -> Vec<String>) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let data = home.path().join("data").display().to_string();
        let fixed = [
            "--data",
            &data,
            "--threads",
            "2",
            "--log",
            "info,msgd=debug",
        ];
        let mut all: Vec<String> = fixed.map(str::to_owned).to_vec();
        all.extend(flags(home.path()));
        let mut daemon = Daemon::start("imd", home.path(), all);
        daemon.ready().await;
        Self { daemon, home }
    }

    /// Its directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }
}

impl Deref for Imd {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

impl DerefMut for Imd {
    fn deref_mut(&mut self) -> &mut Daemon {
        &mut self.daemon
    }
}
