//! What an operator may say to `connd`: file, environment, flags.
//!
//! Owns its keys at the top of the file and how flags go over them.

use std::net::SocketAddr;
use std::num::NonZeroUsize;

use clap::Parser;
use connd::keys::{TokenFlags, TokensSection};
use connd::lines::{LinesFlags, LinesSection};
use connd::section::{GatewaySection, LeavingSection};
use connd::tls::{Tls, TlsFlags, TlsSection};
use connd::token::Tokens;
use node::certificates::Certificates;
use node::cpu::{describe_threads, threads_default};
use node::flags::DaemonFlags;
use node::layers::{Given, Layered};
use node::links::{LinksFlags, LinksSection};
use node::memory::Memory;
use node::settings::sheet::{Reload, Sheet};
use node::settings::value::{Span, address};
use node::shards::{ShardAddress, is_host_and_port};
use node::telemetry::TelemetrySettings;
use registry::client::Place;
use registry::settings::{LEASE, RegistryFlags, place};
use registry::{Address, RedisFlags, RedisSection, Trust};
use serde::Deserialize;

/// A registry may come to hold any number of shards: the memory is shown for
/// so many.
const SHARDS_EXPECTED: u64 = 16;

/// Holds client connections and routes between them and the shards.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Flags {
    /// Where clients connect. In open mode a loopback address. Default:
    /// 127.0.0.1:7100.
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// A shard of the ring, as NAME=HOST:PORT; once for each.
    #[arg(long = "shard", value_name = "NAME=HOST:PORT", value_delimiter = ',')]
    shards: Option<Vec<ShardAddress>>,
    /// Where shards and other gateways are found.
    #[command(flatten)]
    registry: RegistryFlags,
    /// Where clients reach this one, told to the registry; may be a load
    /// balancer's. Not set: nothing is told.
    #[arg(long, value_name = "HOST:PORT")]
    public: Option<String>,
    /// TLS towards the registry.
    #[command(flatten)]
    redis: RedisFlags,
    /// Threads, each with a gateway. Default: one per two cores.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Keys that tokens are checked with.
    #[command(flatten)]
    tokens: TokenFlags,
    /// Certificates that clients are shown.
    #[command(flatten)]
    tls: TlsFlags,
    /// The door for lines.
    #[command(flatten)]
    lines: LinesFlags,
    /// TLS towards shards.
    #[command(flatten)]
    links: LinksFlags,
    /// What every daemon has.
    #[command(flatten)]
    daemon: DaemonFlags,
}

/// The settings of `connd`, as they stand in its file.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where clients connect.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// Threads, each with a gateway.
    threads: Option<NonZeroUsize>,
    /// The admin port.
    #[serde(deserialize_with = "address")]
    pub admin: SocketAddr,
    /// The ring, without a registry.
    pub shards: Vec<ShardAddress>,
    #[serde(deserialize_with = "registry::address")]
    registry: Option<Address>,
    lease: Span,
    /// Where clients reach this one.
    pub public: Option<String>,
    tokens: TokensSection,
    tls: TlsSection,
    /// The door for lines.
    pub lines: LinesSection,
    /// TLS between daemons, and with operators.
    pub links: LinksSection,
    redis: RedisSection,
    /// Bounds and times of each gateway.
    pub gateway: GatewaySection,
    /// How clients leave before a stop.
    pub leaving: LeavingSection,
    log: TelemetrySettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7100)),
            threads: None,
            admin: SocketAddr::from(([127, 0, 0, 1], 7190)),
            shards: Vec::new(),
            registry: None,
            lease: LEASE,
            public: None,
            tokens: TokensSection::default(),
            tls: TlsSection::default(),
            lines: LinesSection::default(),
            links: LinksSection::default(),
            redis: RedisSection::default(),
            gateway: GatewaySection::default(),
            leaving: LeavingSection::default(),
            log: TelemetrySettings::default(),
        }
    }
}

const PUBLIC_ALLOWED: &str = "HOST:PORT; with a registry";

impl Settings {
    /// How many threads run.
    pub fn threads(&self) -> NonZeroUsize {
        self.threads.unwrap_or_else(threads_default)
    }

    /// The registry, if there is one.
    pub fn registry(&self, trust: &Trust) -> Option<Place> {
        place(self.registry.as_ref(), trust, self.lease)
    }

    fn describe_public(&self, sheet: &mut Sheet) {
        let public = self.public.as_ref();
        sheet.optional(
            "public",
            public.map(|p| format!("\"{p}\"")),
            PUBLIC_ALLOWED,
            Reload::No,
        );
        let is_good = |public: &&String| is_host_and_port(public) && self.registry.is_some();
        if let Some(public) = public.filter(|public| !is_good(public)) {
            sheet.wrong("public", public, PUBLIC_ALLOWED);
        }
    }
}

impl Layered for Settings {
    type Flags = Flags;
    /// What clients are checked with, what shards are shown, and whom to trust
    /// as the registry.
    type Opened = ((Tokens, Tls), Option<Certificates>, Trust);
    const NAME: &'static str = "connd";

    fn daemon(flags: &Flags) -> &DaemonFlags {
        &flags.daemon
    }

    fn daemon_part(&mut self) -> (&mut SocketAddr, &mut TelemetrySettings) {
        (&mut self.admin, &mut self.log)
    }

    fn put_over(&mut self, flags: Flags, given: &mut Given<'_>) {
        given.put("listen", "listen", &mut self.listen, flags.listen);
        let threads = flags.threads.map(Some);
        given.put("threads", "threads", &mut self.threads, threads);
        given.put("shards", "shards", &mut self.shards, flags.shards);
        let ring = (&mut self.registry, &mut self.lease);
        flags.registry.put_over(ring, given);
        given.put("public", "public", &mut self.public, flags.public.map(Some));
        self.tokens.put_over(flags.tokens, given);
        self.tls.put_over(flags.tls, given);
        self.lines.put_over(flags.lines, given);
        self.links.put_over(flags.links, given);
        self.redis.put_over(flags.redis, given);
    }

    fn describe(&self, sheet: &mut Sheet) {
        connd::keys::describe_listen(self.listen, &self.tokens, sheet);
        describe_threads(self.threads, sheet);
        self.links.describe_admin(self.admin, sheet);
        registry::settings::describe(&self.shards, self.registry.as_ref(), self.lease, sheet);
        self.describe_public(sheet);
        self.tokens.describe(sheet);
        self.tls.describe(self.listen, sheet);
        self.lines.describe(&self.tokens, sheet);
        self.links.describe(sheet);
        self.redis.describe(sheet);
        self.gateway.describe(sheet);
        self.gateway.describe_across(sheet);
        self.leaving.describe(sheet);
        self.log.describe(sheet);
    }

    fn open(&self, sheet: &mut Sheet) -> Self::Opened {
        let tls = self.tls.open(self.listen, sheet);
        let links = self.links.open(sheet);
        (
            (self.tokens.open(sheet), tls),
            links,
            self.redis.open(sheet),
        )
    }

    fn take_over(&mut self, new: &Self) {
        self.tokens.take_over(&new.tokens);
        self.tls.take_over(&new.tls);
        self.lines.take_over(&new.lines);
        self.gateway.take_over(&new.gateway);
        self.leaving.take_over(&new.leaving);
        self.log.take_over(&new.log);
    }

    fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        let gateways = self.threads().get() as u64;
        let shards = match self.registry {
            Some(_) => SHARDS_EXPECTED,
            None => self.shards.len() as u64,
        };
        let tls = self.tls.is_on();
        self.gateway.memory(gateways, shards, tls, &mut memory);
        memory
    }
}
