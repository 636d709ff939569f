//! What an operator may say to `msgd`: file, environment, flags.
//!
//! Owns its keys at the top of the file and how flags go over them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use msgd::section::{
    BlocksWord, DatabaseSection, GroupsSection, MailboxSection, PolicyWord, RightsFlags,
    ShardSection, describe_rights, link_memory, mailboxes_memory,
};
use msgd_core::{Blocks, Policy};
use node::certificates::Certificates;
use node::flags::DaemonFlags;
use node::layers::{Given, Layered};
use node::links::{LinksFlags, LinksSection};
use node::memory::Memory;
use node::settings::sheet::{Reload, Sheet};
use node::settings::value::{self, Count, Span, address};
use node::shards::{ShardAddress, is_host_and_port};
use node::telemetry::TelemetrySettings;
use proto::ids::ShardId;
use proto::ring::WEIGHT_MAX;
use registry::client::Place;
use registry::seat::Candidate;
use registry::settings::{LEASE, RegistryFlags, place};
use serde::{Deserialize, Deserializer};
use service::admin::SYNCED;
use shared::durability::{Telling, telling};
use shared::section::{RedisFlags, RedisSection, StoreFlags};
use shared::{Address, Trust};

/// Owns the users of its slots: sessions, presence, delivery, mailboxes.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Flags {
    /// The shard's name, its place on the ring.
    #[arg(long)]
    name: Option<ShardId>,
    /// Where gateways connect, over gRPC; without --link-ca a loopback address.
    /// Default: 127.0.0.1:7200.
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// The directory of the store; created if it is missing. Default:
    /// data/msgd.
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// Where mailboxes are, if not there.
    #[command(flatten)]
    store: StoreFlags,
    /// The friend service; several, or a name with several addresses, serve
    /// one graph. Default: 127.0.0.1:7300.
    #[arg(long, value_name = "HOST:PORT,…")]
    friendd: Option<String>,
    /// A shard of the ring, as NAME=HOST:PORT; once for each, this one too.
    #[arg(long = "shard", value_name = "NAME=HOST:PORT", value_delimiter = ',')]
    shards: Option<Vec<ShardAddress>>,
    /// Where gateways and other shards are found.
    #[command(flatten)]
    registry: RegistryFlags,
    /// With a registry: the shard's share of the slots, relative to the others;
    /// 0: it has none until an operator says so. Default: 1.
    #[arg(long)]
    weight: Option<u16>,
    /// With a registry: where gateways reach it. Default: where it listens.
    #[arg(long, value_name = "HOST:PORT")]
    advertise: Option<String>,
    /// Who may write what.
    #[command(flatten)]
    rights: RightsFlags,
    /// TLS towards gateways and the friend service.
    #[command(flatten)]
    links: LinksFlags,
    /// TLS towards the store and the registry.
    #[command(flatten)]
    redis: RedisFlags,
    /// What every daemon has.
    #[command(flatten)]
    daemon: DaemonFlags,
}

/// The settings of `msgd`, as they stand in its file.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The shard's name.
    #[serde(deserialize_with = "name")]
    name: Option<ShardId>,
    /// Where gateways connect.
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
    /// The friend service.
    pub friendd: String,
    /// The ring, without a registry.
    pub shards: Vec<ShardAddress>,
    #[serde(deserialize_with = "shared::section::address")]
    registry: Option<Address>,
    lease: Span,
    /// The shard's share of the slots.
    weight: u16,
    advertise: Option<String>,
    policy: PolicyWord,
    blocks: BlocksWord,
    words: Option<PathBuf>,
    /// TLS between daemons, and with operators.
    pub links: LinksSection,
    redis: RedisSection,
    shard: ShardSection,
    /// Bounds of each mailbox.
    pub mailbox: MailboxSection,
    /// Bounds of each group.
    pub groups: GroupsSection,
    /// Sizes of the database.
    pub database: DatabaseSection,
    log: TelemetrySettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 7200)),
            admin: SocketAddr::from(([127, 0, 0, 1], 7190)),
            data: PathBuf::from("data/msgd"),
            store: None,
            replicas: 0,
            friendd: "127.0.0.1:7300".to_owned(),
            shards: Vec::new(),
            registry: None,
            lease: LEASE,
            weight: 1,
            advertise: None,
            policy: PolicyWord(Policy::Friends),
            blocks: BlocksWord(Blocks::Told),
            words: None,
            links: LinksSection::default(),
            redis: RedisSection::default(),
            shard: ShardSection::default(),
            mailbox: MailboxSection::default(),
            groups: GroupsSection::default(),
            database: DatabaseSection::default(),
            log: TelemetrySettings::default(),
        }
    }
}

const NAME_ALLOWED: &str = "one of the names in shards; with a registry any name";
const STORE_ALLOWED: &str = "the Redis that is the registry; none without registry";
const FRIENDD_ALLOWED: &str = "HOST:PORT, or several with commas between them";
const ADVERTISE_ALLOWED: &str = "HOST:PORT that gateways reach, with a registry; \
    not set: listen, unless that is every address";

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ShardId>, D::Error> {
    value::text(from, NAME_ALLOWED).map(Some)
}

impl Settings {
    /// The shard that this is: on the ring, if the settings are allowed.
    pub fn own(&self) -> Option<&ShardId> {
        let own = self.name.as_ref()?;
        if self.registry.is_some() {
            return Some(own);
        }
        let names = self.shards.iter().map(|shard| &shard.name);
        names.into_iter().find(|name| *name == own)
    }

    /// The registry, if there is one, and what it is told of the shard.
    pub fn registry(&self, trust: &Trust) -> Option<(Place, Candidate)> {
        let place = place(self.registry.as_ref(), trust, self.lease)?;
        let listen = self.listen.to_string();
        let candidate = Candidate {
            name: self.name.clone()?,
            weight: self.weight,
            address: self.advertise.clone().unwrap_or(listen),
            berth: registry::berth::at(self.listen),
            replicas: self.replicas,
        };
        Some((place, candidate))
    }

    /// How long a lease is that the shard holds; zero: it holds none.
    pub fn held(&self) -> Duration {
        match self.registry {
            Some(_) => self.lease.into(),
            None => Duration::ZERO,
        }
    }

    /// Where mailboxes are, if not in the directory.
    pub fn shared_store(&self, trust: Trust) -> Option<shared::Settings> {
        let address = self.store.as_ref()?;
        Some(shared::section::settings(address, self.replicas, trust))
    }

    /// Where mailboxes are, as an operator is shown it.
    pub fn place(&self) -> String {
        match &self.store {
            None => self.data.display().to_string(),
            Some(redis) => redis.to_string(),
        }
    }

    /// What 'stored' means there.
    pub fn durability(&self, trust: Trust) -> Telling {
        match self.shared_store(trust) {
            None => Box::new(|| Box::pin(async { SYNCED.to_owned() })),
            Some(redis) => telling(&redis),
        }
    }

    /// Mailboxes in a directory cannot move with their users, and who may have
    /// those that all reach is for the registry to say: there are both or none.
    fn describe_store(&self, sheet: &mut Sheet) {
        sheet.words("data", self.data.display(), "a directory", Reload::No);
        shared::section::describe(self.store.as_ref(), self.replicas, sheet);
        // Who holds a slot is asked of the store: leases are there as well.
        let same = match (&self.store, &self.registry) {
            (Some(store), Some(registry)) => store.is_same_place(registry),
            (store, registry) => store.is_none() && registry.is_none(),
        };
        if !same {
            let store = self.store.as_ref().map(ToString::to_string);
            let shown = store.unwrap_or_else(|| "not set".to_owned());
            sheet.wrong("store", shown, STORE_ALLOWED);
        }
    }

    fn describe_registry(&self, sheet: &mut Sheet) {
        let registry = self.registry.as_ref();
        registry::settings::describe(&self.shards, registry, self.lease, sheet);
        let weights = [Count::of(0), Count::of(u64::from(WEIGHT_MAX))];
        sheet.ranged(
            "weight",
            Count::of(u64::from(self.weight)),
            weights,
            Reload::No,
        );
        let advertise = self.advertise.as_ref();
        let shown = advertise.map(|address| format!("\"{address}\""));
        sheet.optional("advertise", shown, ADVERTISE_ALLOWED, Reload::No);
        let is_good = match advertise {
            Some(address) => is_host_and_port(address) && registry.is_some(),
            None => registry.is_none() || !self.listen.ip().is_unspecified(),
        };
        if !is_good {
            let not_set = "not set".to_owned();
            sheet.wrong(
                "advertise",
                advertise.unwrap_or(&not_set),
                ADVERTISE_ALLOWED,
            );
        }
    }

    /// What the shard's core is told.
    pub fn core(&self) -> msgd_core::Settings {
        self.shard.core(self.policy.0, self.blocks.0)
    }
}

impl Layered for Settings {
    type Flags = Flags;
    /// The words, what other daemons are shown, and whom to trust as a Redis.
    type Opened = (Option<String>, Option<Certificates>, Trust);
    const NAME: &'static str = "msgd";

    fn daemon(flags: &Flags) -> &DaemonFlags {
        &flags.daemon
    }

    fn daemon_part(&mut self) -> (&mut SocketAddr, &mut TelemetrySettings) {
        (&mut self.admin, &mut self.log)
    }

    fn put_over(&mut self, flags: Flags, given: &mut Given<'_>) {
        given.put("name", "name", &mut self.name, flags.name.map(Some));
        given.put("listen", "listen", &mut self.listen, flags.listen);
        given.put("data", "data", &mut self.data, flags.data);
        let store = (&mut self.store, &mut self.replicas);
        flags.store.put_over(store, given);
        given.put("friendd", "friendd", &mut self.friendd, flags.friendd);
        given.put("shards", "shards", &mut self.shards, flags.shards);
        let ring = (&mut self.registry, &mut self.lease);
        flags.registry.put_over(ring, given);
        given.put("weight", "weight", &mut self.weight, flags.weight);
        let advertise = flags.advertise.map(Some);
        given.put("advertise", "advertise", &mut self.advertise, advertise);
        let rights = (&mut self.policy.0, &mut self.blocks.0, &mut self.words);
        flags.rights.put_over(rights, given);
        self.links.put_over(flags.links, given);
        self.redis.put_over(flags.redis, given);
    }

    fn describe(&self, sheet: &mut Sheet) {
        let name = self.name.as_ref().map(ToString::to_string);
        if self.own().is_none() {
            let name = name.clone().unwrap_or_else(|| "not set".to_owned());
            sheet.wrong("name", name, NAME_ALLOWED);
        }
        let name = name.map(|name| format!("\"{name}\""));
        sheet.optional("name", name, NAME_ALLOWED, Reload::No);
        self.links.describe_listen(self.listen, sheet);
        self.links.describe_admin(self.admin, sheet);
        self.describe_store(sheet);
        sheet.words("friendd", &self.friendd, FRIENDD_ALLOWED, Reload::No);
        let mut names = self.friendd.split(',').map(str::trim);
        if !names.all(is_host_and_port) {
            sheet.wrong("friendd", &self.friendd, FRIENDD_ALLOWED);
        }
        self.describe_registry(sheet);
        describe_rights(self.policy.0, self.blocks.0, sheet);
        msgd::words::describe(self.words.as_ref(), sheet);
        self.links.describe(sheet);
        self.redis.describe(sheet);
        self.shard.describe(sheet);
        self.shard.describe_across(sheet);
        self.mailbox.describe(sheet);
        self.groups.describe(sheet);
        self.database.describe(sheet);
        self.log.describe(sheet);
    }

    fn open(&self, sheet: &mut Sheet) -> Self::Opened {
        let words = msgd::words::open(self.words.as_ref(), sheet);
        (words, self.links.open(sheet), self.redis.open(sheet))
    }

    fn take_over(&mut self, new: &Self) {
        self.policy = new.policy;
        self.words.clone_from(&new.words);
        self.shard.take_over(&new.shard);
        self.log.take_over(&new.log);
    }

    fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        self.shard
            .memory(1, self.policy.0, self.blocks.0, &mut memory);
        link_memory(None, &mut memory);
        if self.store.is_none() {
            self.database.memory(2, &mut memory);
        }
        mailboxes_memory(&mut memory);
        memory
    }
}
