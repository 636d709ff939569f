//! `imctl`: an operator's hand on a cluster.
//!
//! Owns what an operator may say. Each verb is a file beside this one; must not
//! know how daemons carry it out.

mod certificate;
mod connd;
mod copy;
mod daemons;
mod friend;
mod output;
mod ring;
mod status;
mod store;
mod trace;
mod user;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use registry::{Address, RedisFlags};

use crate::certificate::CertificateFlags;
use crate::daemons::Daemons;
use crate::output::Output;

/// Shows and changes what a cluster does.
#[derive(Debug, Parser)]
#[command(name = "imctl", version)]
struct Flags {
    /// The admin addresses of the daemons to ask, with commas between them; with
    /// https:// before those that speak TLS.
    /// Default: those that the registry names, without one 127.0.0.1:7190.
    #[arg(long, global = true, value_name = "HOST:PORT,…", value_delimiter = ',')]
    admin: Vec<String>,
    /// Where shards and gateways find each other: a Redis, as
    /// redis://HOST:PORT.
    #[arg(long, global = true, value_name = "URL", env = "IM_IMCTL_REGISTRY")]
    registry: Option<Address>,
    /// TLS towards the registry, or the Redis that a store is copied to.
    #[command(flatten)]
    redis: RedisFlags,
    /// TLS towards daemons.
    #[command(flatten)]
    certificate: CertificateFlags,
    /// For scripts: one JSON value instead of tables.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    order: Order,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Shows every daemon: shards, slots, sessions, rates, links, stores.
    Status,
    /// Looks at a user, or logs their devices out.
    #[command(subcommand)]
    User(user::Order),
    /// Shows and changes friendships.
    #[command(subcommand)]
    Friend(friend::Order),
    /// Shows where a message is, and where it came by.
    Trace {
        /// The message's id, as logs and `im` in a pipe show it.
        id: trace::Id,
    },
    /// Copies a store in a directory while it is used, and puts a copy back.
    #[command(subcommand)]
    Store(store::Order),
    /// Empties a connd.
    #[command(subcommand)]
    Connd(connd::Order),
    /// Shows the ring, or what a change of it would move.
    #[command(subcommand)]
    Ring(ring::RingOrder),
    /// Changes which shards the ring has.
    #[command(subcommand)]
    Shard(ring::ShardOrder),
}

fn main() -> ExitCode {
    node::ending::ending(start(Flags::parse()))
}

fn start(flags: Flags) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(carry_out(flags))
}

async fn carry_out(flags: Flags) -> anyhow::Result<()> {
    let output = Output { json: flags.json };
    let trust = flags.redis.trust()?;
    let tls = flags.certificate.tls()?;
    let registry = || {
        let address = flags.registry.as_ref();
        let address = address.context("--registry is needed: the ring stands there");
        address.map(|address| ring::registry(address, &trust))
    };
    match flags.order {
        Order::Ring(order) => ring::ring(&mut registry()?, order, output).await,
        Order::Shard(order) => ring::shard(&mut registry()?, order, output).await,
        Order::Store(store::Order::Copy(order)) => copy::copy(order, trust, output).await,
        Order::Store(store::Order::Restore { from, to }) => store::restore(&from, to, output),
        order => {
            let daemons = match registry() {
                Ok(mut registry) if flags.admin.is_empty() => {
                    Daemons::of(&mut registry, tls).await?
                }
                _ => Daemons::at(flags.admin, tls),
            };
            match order {
                Order::Status => {
                    let registry = flags.registry.as_ref().map(|address| (address, &trust));
                    status::status(&daemons, registry, output).await
                }
                Order::User(order) => user::user(&daemons, order, output).await,
                Order::Trace { id } => trace::trace(&daemons, id, output).await,
                Order::Store(store::Order::Backup { to }) => {
                    store::backup(&daemons, to, output).await
                }
                Order::Connd(order) => connd::connd(&daemons, order, output).await,
                Order::Friend(order) => friend::friend(&daemons, order, output).await,
                Order::Ring(_) | Order::Shard(_) | Order::Store(_) => Ok(()),
            }
        }
    }
}
