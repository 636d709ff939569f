//! What an operator may say to `imd`, and what it says to begin with.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Parser;
use connd::token::{Key, Tokens};
use msgd_core::{Blocks, Policy};
use node::flags::DaemonFlags;

/// Runs the whole cluster in one process: for trying, and for as many users as
/// one machine serves.
#[derive(Debug, Parser)]
#[command(name = "imd", version)]
pub struct Flags {
    /// Where clients connect. In open mode a loopback address.
    #[arg(long, default_value = "127.0.0.1:7100")]
    pub listen: SocketAddr,
    /// The directory of the store; created if it is missing.
    #[arg(long, default_value = "data")]
    pub data: PathBuf,
    /// Threads, each with a gateway and a shard. Default: one per two cores.
    #[arg(long)]
    pub threads: Option<NonZeroUsize>,
    /// Who may write to whom: friends, or open (anyone who is not blocked).
    #[arg(long, default_value = "friends")]
    pub policy: Policy,
    /// What a blocked sender is told: told, or hidden (they are not friends).
    #[arg(long, default_value = "told")]
    pub blocks: Blocks,
    /// A file with words, one per line: messages that hold one are refused.
    #[arg(long)]
    pub words: Option<PathBuf>,
    /// A public Ed25519 key that tokens are checked with, as KID=FILE (PEM).
    /// With any key there is no open mode.
    #[arg(long = "key", value_name = "KID=FILE")]
    pub keys: Vec<String>,
    /// A secret that HS256 tokens are checked with, as KID=FILE.
    #[arg(long = "secret", value_name = "KID=FILE")]
    pub secrets: Vec<String>,
    /// What every daemon has.
    #[command(flatten)]
    pub daemon: DaemonFlags,
}

impl Flags {
    /// What clap cannot check.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.is_open() && !self.listen.ip().is_loopback() {
            bail!(
                "--listen {}: without --key or --secret anyone may be anyone, so only a loopback \
                 address is allowed",
                self.listen
            );
        }
        Ok(())
    }

    fn is_open(&self) -> bool {
        self.keys.is_empty() && self.secrets.is_empty()
    }

    /// How clients prove who they are.
    pub fn tokens(&self) -> anyhow::Result<Tokens> {
        if self.is_open() {
            return Ok(Tokens::Open);
        }
        let mut keys = HashMap::new();
        for pair in &self.keys {
            let (kid, pem) = read_key("--key", pair)?;
            let key = Key::ed25519(&pem).with_context(|| format!("--key {pair}"))?;
            keys.insert(kid, key);
        }
        for pair in &self.secrets {
            let (kid, secret) = read_key("--secret", pair)?;
            let key =
                Key::hs256(secret.trim_ascii()).with_context(|| format!("--secret {pair}"))?;
            keys.insert(kid, key);
        }
        Ok(Tokens::Signed(keys))
    }

    /// Where everything is, and what to do next.
    pub fn greet(&self, admin: SocketAddr, threads: usize) {
        let mode = if self.is_open() {
            "open mode: anyone may be anyone"
        } else {
            "clients log in with tokens"
        };
        println!("imd {}: {mode}", env!("CARGO_PKG_VERSION"));
        println!(
            "  clients  {}  ({threads} gateway(s), {threads} shard(s))",
            self.listen
        );
        println!("  admin    http://{admin}/metrics  /healthz  /readyz");
        println!("  data     {}", self.data.display());
        println!("paste into two terminals:");
        for user in ["alice", "bob"] {
            let connect = if self.listen.port() == 7100 {
                String::new()
            } else {
                format!(" --connect {}", self.listen)
            };
            println!("  cargo run --release -p client --bin im -- {user}{connect}");
        }
    }
}

fn read_key(flag: &str, pair: &str) -> anyhow::Result<(String, Vec<u8>)> {
    let Some((kid, file)) = pair.split_once('=') else {
        bail!("{flag} {pair}: allowed is KID=FILE");
    };
    let bytes = std::fs::read(file).with_context(|| format!("{flag} {pair}"))?;
    Ok((kid.to_owned(), bytes))
}
