//! The whole cluster in one process.
//!
//! Owns its directory. Must not know what a test does with it.

use std::ops::{Deref, DerefMut};
use std::path::Path;

use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::port::Port;

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

    /// Started by a settings file, to which a test adds keys at the top and
    /// sections; they may name files in its directory. It has one thread.
    pub async fn start_by(settings: impl FnOnce(&Path) -> String) -> Self {
        Self::start_inside(|_| Vec::new(), settings).await
    }

    /// Likewise, started by a command that takes the program and its flags as
    /// its last words, and becomes it in the end.
    pub async fn start_inside(
        starter: impl FnOnce(&Path) -> Vec<String>,
        settings: impl FnOnce(&Path) -> String,
    ) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let own = settings(home.path());
        let file = write_settings(home.path(), &own);
        let flags = vec!["--config".to_owned(), file];
        let (starter, port) = (starter(home.path()), Port::take());
        let mut daemon = Daemon::start_inside(starter, port, "imd", home.path(), flags);
        daemon.ready().await;
        Self { daemon, home }
    }

    /// Likewise, and a message that no device takes at once is not stored for
    /// ten seconds: a machine that stalls does not make 'stored' of 'delivered'.
    pub async fn start_patient() -> Self {
        Self::start_by(|_| "[shard]\ndelivery_patience = \"10 s\"".to_owned()).await
    }

    /// Changes the settings file and has it read again.
    pub async fn reload_by(&mut self, settings: &str) {
        write_settings(self.home.path(), settings);
        self.daemon.reload().await;
    }

    /// Its directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }
}

/// Writes the settings file of a directory, and gives its path.
fn write_settings(home: &Path, settings: &str) -> String {
    let file = home.join("imd.toml");
    let data = home.join("data");
    let whole = format!("threads = 1\ndata = {data:?}\n{settings}\n");
    std::fs::write(&file, whole).expect("a settings file");
    file.display().to_string()
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
