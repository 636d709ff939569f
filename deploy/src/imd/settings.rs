//! What an operator may say to `imd`: file, environment, flags.
//!
//! Owns its keys at the top of the file, how flags go over them, and what is
//! allowed across parts.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Parser;
use connd::keys::{TokenFlags, TokensSection, describe_listen};
use connd::lines::{LinesFlags, LinesSection};
use connd::section::GatewaySection;
use connd::tls::{Tls, TlsFlags, TlsSection};
use connd::token::Tokens;
use friendd::section::FriendsSection;
use msgd::section::{
    BlocksWord, DatabaseSection, GroupsSection, MailboxSection, PolicyWord, RightsFlags,
    ShardSection, describe_rights, link_memory, mailboxes_memory,
};
use msgd_core::store::StoreSettings;
use msgd_core::{Blocks, Policy};
use node::cpu::{describe_threads, threads_default};
use node::flags::DaemonFlags;
use node::layers::{Given, Layered};
use node::memory::Memory;
use node::settings::sheet::{Reload, Sheet};
use node::settings::value::{Written, address};
use node::telemetry::TelemetrySettings;
use serde::Deserialize;

/// Runs the whole cluster in one process: for trying, and for as many users as
/// one machine serves.
#[derive(Debug, Parser)]
#[command(name = "imd", version)]
pub struct Flags {
    /// Where clients connect. In open mode a loopback address. Default:
    /// 127.0.0.1:7100.
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<SocketAddr>,
    /// The directory of the store; created if it is missing. Default: data.
    #[arg(long, value_name = "DIRECTORY")]
    data: Option<PathBuf>,
    /// Threads, each with a gateway and a shard. Default: one per two cores.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Who may write what.
    #[command(flatten)]
    rights: RightsFlags,
    /// Keys that tokens are checked with.
    #[command(flatten)]
    tokens: TokenFlags,
    /// Certificates that clients are shown.
    #[command(flatten)]
    tls: TlsFlags,
    /// The door for lines.
    #[command(flatten)]
    lines: LinesFlags,
    /// What every daemon has.
    #[command(flatten)]
    daemon: DaemonFlags,
}

/// The settings of `imd`, as they stand in its file.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where clients connect.
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    threads: Option<NonZeroUsize>,
    /// The admin port.
    #[serde(deserialize_with = "address")]
    pub admin: SocketAddr,
    /// The directory of the store.
    pub data: PathBuf,
    policy: PolicyWord,
    blocks: BlocksWord,
    words: Option<PathBuf>,
    tokens: TokensSection,
    tls: TlsSection,
    /// The door for lines.
    pub lines: LinesSection,
    /// Bounds and times of each gateway.
    pub gateway: GatewaySection,
    shard: ShardSection,
    /// Bounds of each mailbox.
    pub mailbox: MailboxSection,
    /// Bounds of each group.
    pub groups: GroupsSection,
    friends: FriendsSection,
    /// Sizes of the database.
    pub database: DatabaseSection,
    log: TelemetrySettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7100)),
            threads: None,
            admin: SocketAddr::from(([127, 0, 0, 1], 7190)),
            data: PathBuf::from("data"),
            policy: PolicyWord(Policy::Friends),
            blocks: BlocksWord(Blocks::Told),
            words: None,
            tokens: TokensSection::default(),
            tls: TlsSection::default(),
            lines: LinesSection::default(),
            gateway: GatewaySection::default(),
            shard: ShardSection::default(),
            mailbox: MailboxSection::default(),
            groups: GroupsSection::default(),
            friends: FriendsSection::default(),
            database: DatabaseSection::default(),
            log: TelemetrySettings::default(),
        }
    }
}

impl Settings {
    /// How many threads run, each with a gateway and a shard.
    pub fn threads(&self) -> NonZeroUsize {
        self.threads.unwrap_or_else(threads_default)
    }

    /// What each shard's core is told.
    pub fn shard(&self) -> msgd_core::Settings {
        self.shard.core(self.policy.0, self.blocks.0)
    }

    /// Bounds of what the store keeps.
    pub fn store(&self) -> StoreSettings {
        StoreSettings {
            mailbox: self.mailbox.core(),
            log: self.groups.core(),
        }
    }

    /// What the friend service is told.
    pub fn friends(&self) -> friendd::FriendSettings {
        self.friends.core(match self.blocks.0 {
            Blocks::Told => friendd::Blocks::Told,
            Blocks::Hidden => friendd::Blocks::Hidden,
        })
    }

    /// What is not allowed across a gateway and a shard, which know nothing of
    /// each other.
    fn describe_across(&self, sheet: &mut Sheet) {
        let send = self.gateway.send_patience();
        let window = self.shard.recent_window();
        if send > window {
            sheet.section("gateway");
            let window = window.toml();
            let allowed = format!("at most shard.recent_window, which is {window}");
            sheet.wrong("send_patience", send.toml(), allowed);
        }
    }

    /// Where everything is, and what to do next.
    pub fn greet(&self, admin: SocketAddr) {
        let mode = if self.tokens.is_open() {
            "open mode: anyone may be anyone"
        } else {
            "clients log in with tokens"
        };
        let threads = self.threads();
        println!("imd {}: {mode}", env!("CARGO_PKG_VERSION"));
        println!(
            "  clients  {}  ({threads} gateway(s), {threads} shard(s))",
            self.listen
        );
        if let Some(lines) = self.lines.listen {
            println!("  lines    {lines}  (nc {} {})", lines.ip(), lines.port());
        }
        println!("  admin    http://{admin}/metrics  /healthz  /readyz");
        println!("  data     {}", self.data.display());
        println!("paste into two terminals:");
        let mut flags = String::new();
        if self.listen.port() != 7100 {
            flags += &format!(" --connect {}", self.listen);
        }
        match self.tls.development_ca() {
            Some(ca) => flags += &format!(" --tls-ca {}", ca.display()),
            None if self.tls.is_on() => flags += " --tls",
            None => {}
        }
        for user in ["alice", "bob"] {
            println!("  cargo run --release -p client --bin im -- {user}{flags}");
        }
    }
}

impl Layered for Settings {
    type Flags = Flags;
    /// The keys, the certificates, and the words.
    type Opened = ((Tokens, Tls), Option<String>);
    const NAME: &'static str = "imd";

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
        given.put("data", "data", &mut self.data, flags.data);
        let rights = (&mut self.policy.0, &mut self.blocks.0, &mut self.words);
        flags.rights.put_over(rights, given);
        self.tokens.put_over(flags.tokens, given);
        self.tls.put_over(flags.tls, given);
        self.lines.put_over(flags.lines, given);
    }

    fn describe(&self, sheet: &mut Sheet) {
        describe_listen(self.listen, &self.tokens, sheet);
        describe_threads(self.threads, sheet);
        sheet.loopback("admin", self.admin, Reload::No);
        sheet.words("data", self.data.display(), "a directory", Reload::No);
        describe_rights(self.policy.0, self.blocks.0, sheet);
        msgd::words::describe(self.words.as_ref(), sheet);
        self.tokens.describe(sheet);
        self.tls.describe(self.listen, sheet);
        self.lines.describe(&self.tokens, sheet);
        self.gateway.describe(sheet);
        self.gateway.describe_across(sheet);
        self.shard.describe(sheet);
        self.shard.describe_across(sheet);
        self.mailbox.describe(sheet);
        self.groups.describe(sheet);
        self.friends.describe(sheet);
        self.database.describe(sheet);
        self.describe_across(sheet);
        self.log.describe(sheet);
    }

    fn open(&self, sheet: &mut Sheet) -> Self::Opened {
        let words = msgd::words::open(self.words.as_ref(), sheet);
        let tls = self.tls.open(self.listen, sheet);
        ((self.tokens.open(sheet), tls), words)
    }

    fn take_over(&mut self, new: &Self) {
        self.policy = new.policy;
        self.words.clone_from(&new.words);
        self.tokens.take_over(&new.tokens);
        self.tls.take_over(&new.tls);
        self.lines.take_over(&new.lines);
        self.gateway.take_over(&new.gateway);
        self.shard.take_over(&new.shard);
        self.log.take_over(&new.log);
    }

    fn memory(&self) -> Memory {
        let mut memory = Memory::default();
        let threads = self.threads().get() as u64;
        let tls = self.tls.is_on();
        self.gateway.memory(threads, threads, tls, &mut memory);
        let (policy, blocks) = (self.policy.0, self.blocks.0);
        self.shard.memory(threads, policy, blocks, &mut memory);
        link_memory(Some(threads * threads), &mut memory);
        self.friends.memory(&mut memory);
        // Mailboxes and friend lists have a keyspace each.
        self.database.memory(3, &mut memory);
        mailboxes_memory(&mut memory);
        memory
    }
}
