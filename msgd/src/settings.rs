//! What an operator may say to `msgd`: file, environment, flags.
//!
//! Owns its keys at the top of the file and how flags go over them.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use msgd::section::{
    BlocksWord, MailboxSection, PolicyWord, RightsFlags, ShardSection, StoreSection,
    describe_rights, link_memory,
};
use msgd_core::{Blocks, Policy};
use node::certificates::Certificates;
use node::flags::DaemonFlags;
use node::layers::{Given, Layered};
use node::links::{LinksFlags, LinksSection};
use node::memory::Memory;
use node::settings::sheet::{Reload, Sheet};
use node::settings::value::{self, address};
use node::shards::{self, ShardAddress};
use node::telemetry::TelemetrySettings;
use proto::ids::ShardId;
use serde::{Deserialize, Deserializer};

/// Requests that wait for the store at once.
pub const STORE_CAPACITY: usize = 65_536;

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
    /// The friend service. Default: 127.0.0.1:7300.
    #[arg(long, value_name = "HOST:PORT")]
    friendd: Option<String>,
    /// A shard of the ring, as NAME=HOST:PORT; once for each, this one too.
    #[arg(long = "shard", value_name = "NAME=HOST:PORT", value_delimiter = ',')]
    shards: Option<Vec<ShardAddress>>,
    /// Who may write what.
    #[command(flatten)]
    rights: RightsFlags,
    /// TLS towards gateways and the friend service.
    #[command(flatten)]
    links: LinksFlags,
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
    /// The directory of the store.
    pub data: PathBuf,
    /// The friend service.
    pub friendd: String,
    /// The ring.
    pub shards: Vec<ShardAddress>,
    policy: PolicyWord,
    blocks: BlocksWord,
    words: Option<PathBuf>,
    links: LinksSection,
    shard: ShardSection,
    /// Bounds of each mailbox.
    pub mailbox: MailboxSection,
    /// Sizes of the database.
    pub store: StoreSection,
    log: TelemetrySettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 7200)),
            admin: SocketAddr::from(([127, 0, 0, 1], 7190)),
            data: PathBuf::from("data/msgd"),
            friendd: "127.0.0.1:7300".to_owned(),
            shards: Vec::new(),
            policy: PolicyWord(Policy::Friends),
            blocks: BlocksWord(Blocks::Told),
            words: None,
            links: LinksSection::default(),
            shard: ShardSection::default(),
            mailbox: MailboxSection::default(),
            store: StoreSection::default(),
            log: TelemetrySettings::default(),
        }
    }
}

const NAME_ALLOWED: &str = "one of the names in shards";

fn name<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ShardId>, D::Error> {
    value::text(from, NAME_ALLOWED).map(Some)
}

impl Settings {
    /// The shard that this is: on the ring, if the settings are allowed.
    pub fn own(&self) -> Option<&ShardId> {
        let own = self.name.as_ref()?;
        let names = self.shards.iter().map(|shard| &shard.name);
        names.into_iter().find(|name| *name == own)
    }

    /// What the shard's core is told.
    pub fn core(&self) -> msgd_core::Settings {
        self.shard.core(self.policy.0, self.blocks.0)
    }
}

impl Layered for Settings {
    type Flags = Flags;
    /// The words, and what other daemons are shown.
    type Opened = (Option<String>, Option<Certificates>);
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
        given.put("friendd", "friendd", &mut self.friendd, flags.friendd);
        given.put("shards", "shards", &mut self.shards, flags.shards);
        let rights = (&mut self.policy.0, &mut self.blocks.0, &mut self.words);
        flags.rights.put_over(rights, given);
        self.links.put_over(flags.links, given);
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
        sheet.loopback("admin", self.admin, Reload::No);
        sheet.words("data", self.data.display(), "a directory", Reload::No);
        sheet.words("friendd", &self.friendd, "HOST:PORT", Reload::No);
        let port = self.friendd.rsplit_once(':').map(|(_, port)| port);
        if port.and_then(|port| port.parse::<u16>().ok()).is_none() {
            sheet.wrong("friendd", &self.friendd, "HOST:PORT");
        }
        shards::describe(&self.shards, sheet);
        describe_rights(self.policy.0, self.blocks.0, sheet);
        msgd::words::describe(self.words.as_ref(), sheet);
        self.links.describe(sheet);
        self.shard.describe(sheet);
        self.shard.describe_across(sheet);
        self.mailbox.describe(sheet);
        self.store.describe(sheet);
        self.log.describe(sheet);
    }

    fn open(&self, sheet: &mut Sheet) -> Self::Opened {
        let words = msgd::words::open(self.words.as_ref(), sheet);
        (words, self.links.open(sheet))
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
        self.store.memory(1, STORE_CAPACITY as u64, &mut memory);
        memory
    }
}
