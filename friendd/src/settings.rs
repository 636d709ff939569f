//! What an operator may say to `friendd`: file, environment, flags.
//!
//! Owns its keys at the top of the file and how flags go over them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use friendd::section::{DatabaseSection, FriendsSection, connection_memory};
use friendd::{Blocks, FriendSettings};
use node::certificates::Certificates;
use node::flags::DaemonFlags;
use node::layers::{Given, Layered};
use node::links::{LinksFlags, LinksSection};
use node::memory::Memory;
use node::settings::sheet::{Reload, Sheet};
use node::settings::value::{self, address};
use node::telemetry::TelemetrySettings;
use registry::client::Place;
use registry::settings::{LEASE, place};
use serde::{Deserialize, Deserializer};
use service::admin::SYNCED;
use shared::durability::{Telling, telling};
use shared::section::{FORMS, RedisFlags, RedisSection, StoreFlags};
use shared::{Address, Trust};

/// Keeps the friend graph: requests, friendships, blocks.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Flags {
    /// Where shards ask, over gRPC; without --link-ca a loopback address.
    /// Default: 127.0.0.1:7300.
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// The directory of the store; created if it is missing. Default:
    /// data/friendd.
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// Where the graph is, if not there; several may serve it then.
    #[command(flatten)]
    store: StoreFlags,
    /// Where operators look for daemons: a Redis, as redis://HOST:PORT.
    #[arg(long, value_name = "URL")]
    registry: Option<Address>,
    /// Whether users learn that they are blocked: told or hidden. Default:
    /// told.
    #[arg(long)]
    blocks: Option<Blocks>,
    /// TLS towards shards.
    #[command(flatten)]
    links: LinksFlags,
    /// TLS towards the store and the registry.
    #[command(flatten)]
    redis: RedisFlags,
    /// What every daemon has.
    #[command(flatten)]
    daemon: DaemonFlags,
}

/// The settings of `friendd`, as they stand in its file.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where shards ask.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// The admin port.
    #[serde(deserialize_with = "address")]
    pub admin: SocketAddr,
    /// The directory of the store, if it is not elsewhere.
    pub data: PathBuf,
    #[serde(deserialize_with = "shared::section::address")]
    store: Option<Address>,
    replicas: u32,
    #[serde(deserialize_with = "shared::section::address")]
    registry: Option<Address>,
    #[serde(deserialize_with = "blocks")]
    blocks: Blocks,
    /// TLS towards shards and operators.
    pub links: LinksSection,
    redis: RedisSection,
    friends: FriendsSection,
    /// Sizes of the database.
    pub database: DatabaseSection,
    log: TelemetrySettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7300)),
            admin: SocketAddr::from(([127, 0, 0, 1], 7190)),
            data: PathBuf::from("data/friendd"),
            store: None,
            replicas: 0,
            registry: None,
            blocks: Blocks::default(),
            links: LinksSection::default(),
            redis: RedisSection::default(),
            friends: FriendsSection::default(),
            database: DatabaseSection::default(),
            log: TelemetrySettings::default(),
        }
    }
}

const BLOCKS_ALLOWED: &str = "told or hidden";

fn blocks<'de, D: Deserializer<'de>>(from: D) -> Result<Blocks, D::Error> {
    value::text(from, BLOCKS_ALLOWED)
}

impl Settings {
    /// What the friend service is told.
    pub fn core(&self) -> FriendSettings {
        self.friends.core(self.blocks)
    }

    /// Where the graph is, as an operator is shown it.
    pub fn place(&self) -> String {
        match &self.store {
            None => self.data.display().to_string(),
            Some(redis) => redis.to_string(),
        }
    }

    /// What an acknowledgement means there.
    pub fn durability(&self, trust: Trust) -> Telling {
        match self.shared_store(trust) {
            None => Box::new(|| Box::pin(async { SYNCED.to_owned() })),
            Some(redis) => telling(&redis),
        }
    }

    /// Where operators look for daemons, if there is such a place.
    pub fn registry(&self, trust: &Trust) -> Option<Place> {
        place(self.registry.as_ref(), trust, LEASE)
    }

    /// Where the graph is, if not in the directory.
    pub fn shared_store(&self, trust: Trust) -> Option<shared::Settings> {
        let address = self.store.as_ref()?;
        Some(shared::section::settings(address, self.replicas, trust))
    }
}

impl Layered for Settings {
    type Flags = Flags;
    /// What shards are shown, and whom to trust as a Redis.
    type Opened = (Option<Certificates>, Trust);
    const NAME: &'static str = "friendd";

    fn daemon(flags: &Flags) -> &DaemonFlags {
        &flags.daemon
    }

    fn daemon_part(&mut self) -> (&mut SocketAddr, &mut TelemetrySettings) {
        (&mut self.admin, &mut self.log)
    }

    fn put_over(&mut self, flags: Flags, given: &mut Given<'_>) {
        given.put("listen", "listen", &mut self.listen, flags.listen);
        given.put("data", "data", &mut self.data, flags.data);
        let store = (&mut self.store, &mut self.replicas);
        flags.store.put_over(store, given);
        let registry = flags.registry.map(Some);
        given.put("registry", "registry", &mut self.registry, registry);
        given.put("blocks", "blocks", &mut self.blocks, flags.blocks);
        self.links.put_over(flags.links, given);
        self.redis.put_over(flags.redis, given);
    }

    fn describe(&self, sheet: &mut Sheet) {
        self.links.describe_listen(self.listen, sheet);
        self.links.describe_admin(self.admin, sheet);
        sheet.words("data", self.data.display(), "a directory", Reload::No);
        shared::section::describe(self.store.as_ref(), self.replicas, sheet);
        let registry = self.registry.as_ref().map(|at| format!("\"{at}\""));
        sheet.optional("registry", registry, FORMS, Reload::No);
        let blocks = match self.blocks {
            Blocks::Told => "told",
            Blocks::Hidden => "hidden",
        };
        sheet.words("blocks", blocks, BLOCKS_ALLOWED, Reload::No);
        self.links.describe(sheet);
        self.redis.describe(sheet);
        self.friends.describe(sheet);
        self.database.describe(sheet);
        self.log.describe(sheet);
    }

    fn open(&self, sheet: &mut Sheet) -> Self::Opened {
        (self.links.open(sheet), self.redis.open(sheet))
    }

    fn take_over(&mut self, new: &Self) {
        self.log.take_over(&new.log);
    }

    fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        match self.store {
            Some(_) => self.friends.memory_in_use(&mut memory),
            None => {
                self.friends.memory(&mut memory);
                self.database.memory(&mut memory);
            }
        }
        connection_memory(&mut memory);
        memory
    }
}
