//! The command lines of a cluster's daemons.
//!
//! Owns their flags. Must not know what is measured.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use crate::arguments::{Cluster, Sync};
use crate::ports::Ports;
use crate::process::{Probe, Process};

/// What daemons are told besides what every benchmark tells them. All else is
/// at its default.
#[derive(Debug, Clone, Default)]
pub struct Launch {
    /// Anyone may write to anyone.
    pub open_policy: bool,
    /// The public key (PEM) that tokens are checked with, as KID=FILE; without
    /// it there are no tokens.
    pub key: Option<String>,
    /// Settings of whoever takes connections.
    pub gateway_settings: String,
    /// Settings of whoever delivers and stores.
    pub shard_settings: String,
    /// Clients speak TLS: certificates for trying are made in this directory.
    pub certificates: Option<PathBuf>,
}

impl Launch {
    /// At their defaults.
    pub fn by_default() -> Self {
        Self::default()
    }

    /// At their defaults, but friends or not may write to each other.
    pub fn open() -> Self {
        Self {
            open_policy: true,
            ..Self::default()
        }
    }

    fn policy(&self) -> [&'static str; 2] {
        let policy = if self.open_policy { "open" } else { "friends" };
        ["--policy", policy]
    }

    fn add_gateway(&self, command: &mut Command) {
        if let Some(key) = &self.key {
            command.arg("--key").arg(key);
        }
        if let Some(directory) = &self.certificates {
            command.arg("--tls-development").arg(directory);
        }
    }
}

/// The daemons of a cluster, not yet ready.
#[derive(Default)]
pub struct Daemons {
    /// Who was started last needs the others.
    pub processes: Vec<Process>,
    /// Where clients connect.
    pub gateways: Vec<SocketAddr>,
    /// Where daemons find each other.
    pub registry: Option<String>,
}

impl Daemons {
    /// Starts imd, or friendd, msgds and connds.
    pub fn start(programs: &Path, cluster: &Cluster, launch: &Launch, data: &Path) -> Result<Self> {
        let mut daemons = Self::default();
        let mut ports = Ports::default();
        if cluster.processes {
            let ring = daemons.start_redis(cluster, data, &mut ports)?;
            let shards =
                daemons.start_shards(programs, (cluster, ring), launch, data, &mut ports)?;
            daemons.start_gateways(programs, cluster, launch, data, &shards, &mut ports)?;
        } else {
            daemons.start_imd(programs, launch, data, &mut ports)?;
        }
        Ok(daemons)
    }

    fn start_imd(
        &mut self,
        programs: &Path,
        launch: &Launch,
        data: &Path,
        ports: &mut Ports,
    ) -> Result<()> {
        let (listen, admin) = (ports.next()?, ports.next()?);
        let mut command = daemon(programs, "imd", listen, admin);
        command.arg("--data").arg(data).args(launch.policy());
        let settings = format!("{}{}", launch.gateway_settings, launch.shard_settings);
        configure(&mut command, data, "imd", &settings)?;
        launch.add_gateway(&mut command);
        self.gateways.push(listen);
        self.add("imd", command, admin)
    }

    /// Starts a Redis, if there is to be one, and returns the flags by which
    /// shards and gateways find each other in it.
    fn start_redis(
        &mut self,
        cluster: &Cluster,
        data: &Path,
        ports: &mut Ports,
    ) -> Result<Option<[String; 2]>> {
        let Some(sync) = cluster.redis else {
            return Ok(None);
        };
        let listen = ports.next()?;
        let directory = data.join("redis");
        fs::create_dir_all(&directory)?;
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--loglevel", "warning"])
            .arg("--port")
            .arg(listen.port().to_string())
            .arg("--dir")
            .arg(&directory);
        match sync {
            Sync::No => command.args(["--appendonly", "no"]),
            Sync::Always | Sync::Everysec => {
                command.args(["--appendonly", "yes", "--appendfsync", sync.name()])
            }
        };
        let process = Process::start("redis", command, Probe::Connect(listen))?;
        self.processes.push(process);
        let url = format!("redis://{listen}");
        self.registry = Some(url.clone());
        Ok(Some(["--registry".to_owned(), url]))
    }

    /// Returns the flags that name the ring, or where it is found.
    fn start_shards(
        &mut self,
        programs: &Path,
        (cluster, registry): (&Cluster, Option<[String; 2]>),
        launch: &Launch,
        data: &Path,
        ports: &mut Ports,
    ) -> Result<Vec<String>> {
        let (friendd, admin) = (ports.next()?, ports.next()?);
        let mut command = daemon(programs, "friendd", friendd, admin);
        command.arg("--data").arg(data.join("friendd"));
        self.add("friendd", command, admin)?;

        let shards = (1..=cluster.msgds.get())
            .map(|number| Ok((shard_name(number), ports.next()?)))
            .collect::<Result<Vec<_>>>()?;
        let listed = shards
            .iter()
            .flat_map(|(name, listen)| ["--shard".to_owned(), format!("{name}={listen}")]);
        let ring = match &registry {
            Some(flags) => flags.to_vec(),
            None => listed.collect(),
        };
        for (name, listen) in &shards {
            let admin = ports.next()?;
            let mut command = daemon(programs, "msgd", *listen, admin);
            command
                .args(["--name", name])
                .arg("--friendd")
                .arg(friendd.to_string())
                .args(&ring)
                .args(launch.policy());
            match &registry {
                Some([_, url]) => command.args(["--store", url]),
                None => command.arg("--data").arg(data.join(name)),
            };
            configure(&mut command, data, name, &launch.shard_settings)?;
            self.add("msgd", command, admin)?;
        }
        Ok(ring)
    }

    fn start_gateways(
        &mut self,
        programs: &Path,
        cluster: &Cluster,
        launch: &Launch,
        data: &Path,
        ring: &[String],
        ports: &mut Ports,
    ) -> Result<()> {
        for _ in 0..cluster.connds.get() {
            let (listen, admin) = (ports.next()?, ports.next()?);
            let mut command = daemon(programs, "connd", listen, admin);
            command.args(ring);
            launch.add_gateway(&mut command);
            configure(&mut command, data, "connd", &launch.gateway_settings)?;
            self.gateways.push(listen);
            self.add("connd", command, admin)?;
        }
        Ok(())
    }

    fn add(&mut self, part: &'static str, command: Command, admin: SocketAddr) -> Result<()> {
        let process = Process::start(part, command, Probe::Ready(admin))?;
        self.processes.push(process);
        Ok(())
    }
}

/// A shard's name; they are counted from 1.
pub fn shard_name(number: usize) -> String {
    format!("m{number}")
}

/// Puts settings beside the data, and names them.
fn configure(command: &mut Command, data: &Path, name: &str, settings: &str) -> Result<()> {
    if !settings.is_empty() {
        let file = data.with_extension(format!("{name}.toml"));
        fs::write(&file, settings)?;
        command.arg("--config").arg(file);
    }
    Ok(())
}

fn daemon(programs: &Path, name: &str, listen: SocketAddr, admin: SocketAddr) -> Command {
    let mut command = Command::new(programs.join(name));
    command
        .arg("--listen")
        .arg(listen.to_string())
        .arg("--admin")
        .arg(admin.to_string())
        .args(["--log", "warn"]);
    command
}
