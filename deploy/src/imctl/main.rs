//! `imctl`: an operator's hand on a cluster.
//!
//! Owns what an operator may say and what is printed. Must not know how it is
//! done.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use proto::ids::{Epoch, ShardId};
use registry::client::{Place, Registry};
use registry::look::Look;
use registry::settings::LEASE;
use registry::{Address, Trust};

/// For the registry to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shows and changes which shards a cluster has.
#[derive(Debug, Parser)]
#[command(name = "imctl", version)]
struct Flags {
    /// Where shards and gateways find each other: a Redis, as
    /// redis://HOST:PORT.
    #[arg(long, value_name = "URL", env = "IM_IMCTL_REGISTRY")]
    registry: Address,
    #[command(subcommand)]
    order: Order,
}

#[derive(Debug, Subcommand)]
enum Order {
    /// Shows the ring: its number, its shards, and where clients may go.
    Ring,
    /// Moves a shard's slots away; it lives on and waits for weight.
    Drain {
        /// Which.
        name: ShardId,
    },
    /// Gives a shard another share of the slots.
    Weigh {
        /// Which.
        name: ShardId,
        /// Relative to the others: 1 to 100.
        #[arg(value_parser = clap::value_parser!(u16).range(1..=100))]
        weight: u16,
    },
    /// Takes a shard off the ring; it gives its slots up and ends.
    Remove {
        /// Which.
        name: ShardId,
    },
}

fn main() -> ExitCode {
    node::ending::ending(start(Flags::parse()))
}

fn start(flags: Flags) -> anyhow::Result<()> {
    let place = Place {
        address: flags.registry,
        trust: Trust::default(),
        lease: LEASE.into(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut registry = Registry::new(&place, PATIENCE);
        // The registry itself knows which ring is the newest.
        let seen = Epoch(0);
        match flags.order {
            Order::Ring => {}
            Order::Drain { name } => registry.weigh(seen, &name, 0).await?,
            Order::Weigh { name, weight } => registry.weigh(seen, &name, weight).await?,
            Order::Remove { name } => registry.remove(seen, &name).await?,
        }
        print(&registry.look().await?);
        Ok(())
    })
}

fn print(look: &Look) {
    println!("ring {}", look.epoch);
    let mut found: Vec<_> = look.found.iter().collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    for shard in found {
        let record = &shard.record;
        let state = match (shard.lease, record.weight) {
            (None, _) => "dead",
            (Some(_), 0) => "drained",
            (Some(_), _) => "lives",
        };
        println!(
            "shard {} weight {} at {}: {state}",
            shard.name, record.weight, record.address
        );
    }
    for gateway in &look.gateways {
        println!("clients may go to {gateway}");
    }
}
