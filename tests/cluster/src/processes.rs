//! A cluster of separate processes: gateways, shards and the friend service.
//!
//! Owns them, their directory and their ring. Must not know what a test does
//! with them.

use std::path::{Path, PathBuf};

use client::UserId;
use node::shards::{ShardAddress, ring};
use proto::ring::Ring;
use proto::slot::Slot;
use tempfile::TempDir;

use crate::daemon::Daemon;
use crate::port::Port;

/// Two gateways, two shards and a friend service, linked over gRPC.
#[derive(Debug)]
pub struct Processes {
    /// The gateways.
    pub connds: Vec<Daemon>,
    /// The shards.
    pub msgds: Vec<Daemon>,
    /// The friend service.
    pub friendd: Daemon,
    ring: Ring,
    /// Goes when all processes have ended.
    home: TempDir,
}

/// The names of the shards.
const SHARDS: [&str; 2] = ["east", "west"];

impl Processes {
    /// Started, linked and ready.
    pub async fn start() -> Self {
        Self::start_by(&[]).await
    }

    /// Likewise, the programs named with these settings in a file.
    pub async fn start_by(settings: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().expect("a directory");
        settings
            .iter()
            .for_each(|(program, text)| write_settings(home.path(), program, text));
        let config = |program: &str| {
            let file = settings_file(home.path(), program);
            let flags = ["--config".to_owned(), file.display().to_string()];
            let given = settings.iter().any(|(given, _)| *given == program);
            flags.into_iter().filter(move |_| given)
        };
        let data = |name: &str| home.path().join(name).display().to_string();
        let mut flags = vec!["--data".to_owned(), data("friendd")];
        flags.extend(config("friendd"));
        let friendd = Daemon::start("friendd", home.path(), flags);
        let ports = SHARDS.map(|_| Port::take());
        let addresses = SHARDS.iter().zip(&ports);
        let addresses = addresses.map(|(name, port)| format!("{name}={}", port.address()));
        let addresses: Vec<String> = addresses.collect();
        let shards = addresses.iter().map(|a| ["--shard".to_owned(), a.clone()]);
        let shards: Vec<String> = shards.flatten().collect();
        let mut msgds = Vec::new();
        for (name, port) in SHARDS.into_iter().zip(ports) {
            let friendd = friendd.address();
            let own = ["--name", name, "--data", &data(name), "--friendd", &friendd];
            let mut flags = own.map(str::to_owned).to_vec();
            flags.extend(shards.clone());
            flags.extend(["--log", "info,msgd=debug"].map(str::to_owned));
            flags.extend(config("msgd"));
            let name = format!("msgd-{name}");
            msgds.push(Daemon::start_at(port, &name, home.path(), flags));
        }
        let connds = (1..=2).map(|number| {
            let name = format!("connd-{number}");
            let flags = shards.iter().cloned().chain(config("connd"));
            Daemon::start(&name, home.path(), flags.collect())
        });
        let parse = |address: &String| address.parse::<ShardAddress>().expect("an address");
        let members: Vec<ShardAddress> = addresses.iter().map(parse).collect();
        let mut cluster = Self {
            connds: connds.collect(),
            msgds,
            friendd,
            ring: ring(&members).expect("a ring"),
            home,
        };
        cluster.ready().await;
        cluster
    }

    /// Changes the settings file of a program.
    pub fn rewrite(&self, program: &str, text: &str) {
        write_settings(self.home.path(), program, text);
    }

    async fn ready(&mut self) {
        self.friendd.ready().await;
        for daemon in self.msgds.iter_mut().chain(&mut self.connds) {
            daemon.ready().await;
        }
    }

    /// A user of this shard whose name begins like this.
    ///
    /// # Panics
    /// There is no such shard.
    pub fn user_of(&self, shard: usize, begin: &str) -> UserId {
        let here = |user: &UserId| {
            let owner = self.ring.owner_index(Slot::of(user));
            self.ring.members()[owner].shard.as_str() == SHARDS[shard]
        };
        let names = (0..1_000).map(|number| format!("{begin}-{number}"));
        let mut users = names.map(|name| name.parse().expect("a name"));
        users.find(here).expect("each shard has users")
    }

    /// The directory of all.
    pub fn home(&self) -> &Path {
        self.home.path()
    }
}

fn settings_file(home: &Path, program: &str) -> PathBuf {
    home.join(format!("{program}.toml"))
}

fn write_settings(home: &Path, program: &str, text: &str) {
    std::fs::write(settings_file(home, program), text).expect("a settings file");
}
