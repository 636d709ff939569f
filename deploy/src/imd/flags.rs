//! What an operator may say to `imd`, and what it says to begin with.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::bail;
use clap::Parser;
use connd::token::TokenFlags;
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
    /// Keys that tokens are checked with.
    #[command(flatten)]
    pub tokens: TokenFlags,
    /// What every daemon has.
    #[command(flatten)]
    pub daemon: DaemonFlags,
}

impl Flags {
    /// What clap cannot check.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.tokens.is_open() && !self.listen.ip().is_loopback() {
            bail!(
                "--listen {}: without --key or --secret anyone may be anyone, so only a loopback \
                 address is allowed",
                self.listen
            );
        }
        Ok(())
    }

    /// Where everything is, and what to do next.
    pub fn greet(&self, admin: SocketAddr, threads: usize) {
        let mode = if self.tokens.is_open() {
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
