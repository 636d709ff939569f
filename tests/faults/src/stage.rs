//! The cluster under test: every part a process of its own, and a proxy on
//! every way between two of them.
//!
//! Owns the processes, the proxies and their directory. Must not know when
//! something happens to them.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use cluster::daemon::Daemon;
use cluster::port::Port;
use cluster::proxy::Proxy;
use redis_stage::Server;
use registry::Trust;
use registry::client::{Place, Registry};
use registry::view::View;
use tempfile::TempDir;
use tokio::sync::Mutex;

/// The shards; the last one is not there from the beginning.
pub const SHARDS: [&str; 4] = ["a", "b", "c", "d"];

/// How many gateways there are.
pub const GATEWAYS: usize = 2;

/// How many friend services there are, which serve one graph.
pub const FRIENDS: usize = 2;

/// How long leases are: what the daemons have by default.
pub const LEASE: Duration = Duration::from_secs(3);

/// For the registry to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A shard, and the ways to and from it.
#[derive(Debug)]
pub struct Shard {
    /// Its process, unless it has not come yet.
    pub daemon: Mutex<Option<Daemon>>,
    /// On the way of gateways to it.
    pub links: Proxy,
    /// On its way to Redis.
    pub redis: Proxy,
    /// On its ways to the friend services.
    pub friends: Vec<Proxy>,
    port: std::sync::Mutex<Option<Port>>,
}

/// A friend service, and its way to Redis.
#[derive(Debug)]
pub struct Friends {
    /// Its process.
    pub daemon: Mutex<Daemon>,
    /// On its way to Redis.
    pub redis: Proxy,
}

/// A gateway, and the ways to and from it.
#[derive(Debug)]
pub struct Gateway {
    /// Its process.
    pub daemon: Mutex<Daemon>,
    /// On the way of clients to it.
    pub clients: Proxy,
    /// On its way to Redis.
    pub redis: Proxy,
}

/// The cluster.
#[derive(Debug)]
pub struct Stage {
    /// Shards, in the order of [`SHARDS`].
    pub shards: Vec<Shard>,
    /// Gateways.
    pub gateways: Vec<Gateway>,
    /// Friend services.
    pub friends: Vec<Friends>,
    /// Redis.
    pub redis: Mutex<Server>,
    place: Place,
    /// Goes when all processes have ended.
    home: TempDir,
}

impl Stage {
    /// Everything over this Redis started and ready, but the last shard.
    pub async fn start(redis: Server) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let backend = redis.url().trim_start_matches("redis://").parse()?;
        let address = redis.url().parse().context("the address of Redis")?;
        let ports: Vec<Port> = (0..FRIENDS).map(|_| Port::take()).collect();
        let friends_at: Vec<_> = ports.iter().map(Port::address).collect();
        let friends = ports.into_iter().enumerate();
        let friends = friends.map(|(number, port)| {
            let redis = Proxy::to(backend);
            let flags = ["--store".to_owned(), format!("redis://{}", redis.address())];
            let name = format!("friendd-{}", number + 1);
            let daemon = Daemon::start_at(port, &name, home.path(), flags.to_vec());
            Friends {
                daemon: Mutex::new(daemon),
                redis,
            }
        });
        let friends = friends.collect();
        let shards = SHARDS.map(|_| {
            let port = Port::take();
            Shard {
                daemon: Mutex::new(None),
                links: Proxy::to(port.address()),
                redis: Proxy::to(backend),
                friends: friends_at.iter().map(|at| Proxy::to(*at)).collect(),
                port: std::sync::Mutex::new(Some(port)),
            }
        });
        let gateways = (0..GATEWAYS).map(|number| {
            let redis = Proxy::to(backend);
            gateway(number, redis, home.path())
        });
        let stage = Self {
            gateways: gateways.collect::<Result<_>>()?,
            shards: shards.into(),
            friends,
            redis: Mutex::new(redis),
            place: Place {
                address,
                trust: Trust::default(),
                lease: LEASE,
            },
            home,
        };
        for friends in &stage.friends {
            friends.daemon.lock().await.ready().await;
        }
        for number in 0..SHARDS.len() - 1 {
            stage.start_shard(number).await;
        }
        for gateway in &stage.gateways {
            gateway.daemon.lock().await.ready().await;
        }
        Ok(stage)
    }

    /// Starts a shard, for the first time or again, and waits until it serves.
    pub async fn start_shard(&self, number: usize) {
        let shard = &self.shards[number];
        let mut daemon = shard.daemon.lock().await;
        if let Some(daemon) = &mut *daemon {
            return daemon.start_again().await;
        }
        let Some(port) = shard.port.lock().ok().and_then(|mut port| port.take()) else {
            return;
        };
        let name = SHARDS[number];
        let redis = format!("redis://{}", shard.redis.address());
        let friends: Vec<String> = shard.friends.iter().map(Proxy::address).collect();
        let flags = [
            ["--name", name],
            ["--friendd", &friends.join(",")],
            ["--registry", &redis],
            ["--store", &redis],
            ["--advertise", &shard.links.address()],
        ];
        let flags = flags.concat().into_iter().map(str::to_owned).collect();
        let name = format!("msgd-{name}");
        let started = Daemon::start_at(port, &name, self.home.path(), flags);
        daemon.insert(started).ready().await;
    }

    /// Where clients connect: to any gateway.
    pub fn addresses(&self) -> String {
        let addresses = self.gateways.iter().map(|g| g.clients.address());
        addresses.collect::<Vec<_>>().join(",")
    }

    /// A way to the registry that no fault is on.
    pub fn registry(&self) -> Registry {
        Registry::new(&self.place, PATIENCE)
    }

    /// The ring.
    ///
    /// # Errors
    /// The registry does not answer.
    pub async fn ring(&self) -> Result<View> {
        let look = self.registry().look().await?;
        Ok(View::build(&look)?)
    }

    /// What all daemons logged that is a warning or worse, for who looks into
    /// a run.
    pub async fn logs(&self) -> Vec<(String, String)> {
        let mut logs = Vec::new();
        for shard in &self.shards {
            if let Some(daemon) = &mut *shard.daemon.lock().await {
                logs.push((daemon.name().to_owned(), daemon.log()));
            }
        }
        for gateway in &self.gateways {
            let mut daemon = gateway.daemon.lock().await;
            logs.push((daemon.name().to_owned(), daemon.log()));
        }
        for friends in &self.friends {
            let mut daemon = friends.daemon.lock().await;
            logs.push((daemon.name().to_owned(), daemon.log()));
        }
        logs
    }
}

fn gateway(number: usize, redis: Proxy, home: &Path) -> Result<Gateway> {
    let port = Port::take();
    let clients = Proxy::to(port.address());
    let flags = [
        "--registry".to_owned(),
        format!("redis://{}", redis.address()),
    ];
    let name = format!("connd-{}", number + 1);
    let daemon = Daemon::start_at(port, &name, home, flags.to_vec());
    Ok(Gateway {
        daemon: Mutex::new(daemon),
        clients,
        redis,
    })
}
