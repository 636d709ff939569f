//! `imctl ring` and `imctl shard`: which shards there are, and what a change of
//! them moves.
//!
//! Owns what is shown. Must not know how a change is carried out.

use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use proto::ids::{Epoch, ShardId};
use proto::ring::{Member, Ring, WEIGHT_MAX};
use proto::slot::{SLOTS, Slot};
use registry::client::{Place, Registry};
use registry::look::Look;
use registry::settings::LEASE;
use registry::{Address, Trust};
use serde::Serialize;

use crate::output::{Output, table};

/// For the registry to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// What may be asked of the ring.
#[derive(Debug, Subcommand)]
pub enum RingOrder {
    /// Shows the ring: its number, its shards, and where clients may go.
    Show,
    /// Shows what a change would move, and changes nothing.
    Plan {
        /// A shard that comes, as NAME or NAME=WEIGHT.
        #[arg(long, value_name = "NAME[=WEIGHT]")]
        add: Vec<Weighed>,
        /// A shard that goes.
        #[arg(long, value_name = "NAME")]
        remove: Vec<ShardId>,
        /// A shard that gets another weight, as NAME=WEIGHT.
        #[arg(long, value_name = "NAME=WEIGHT")]
        weight: Vec<Weighed>,
    },
}

/// What may be done with shards.
#[derive(Debug, Subcommand)]
pub enum ShardOrder {
    /// Gives a shard slots whose process waits without any: one that was
    /// drained, or was started with --weight 0.
    Add {
        /// Which.
        name: ShardId,
        /// Relative to the others: 1 to 100.
        #[arg(default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
        weight: u16,
    },
    /// Moves a shard's slots away; it lives on and waits for weight.
    Drain {
        /// Which.
        name: ShardId,
    },
    /// Gives a shard another share of the slots.
    Weight {
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

/// A shard and its weight, as `NAME=WEIGHT`.
#[derive(Debug, Clone)]
pub struct Weighed {
    name: ShardId,
    weight: u16,
}

impl FromStr for Weighed {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let (name, weight) = text.split_once('=').unwrap_or((text, "1"));
        let weight = weight.parse().ok().filter(|w| (1..=WEIGHT_MAX).contains(w));
        Ok(Self {
            name: name.parse()?,
            weight: weight.with_context(|| format!("a weight is 1 to {WEIGHT_MAX}"))?,
        })
    }
}

/// The way to the registry there.
pub fn registry(address: &Address, trust: &Trust) -> Registry {
    let place = Place {
        address: address.clone(),
        trust: trust.clone(),
        lease: LEASE.into(),
    };
    Registry::new(&place, PATIENCE)
}

/// Shows the ring, or what a change would move.
///
/// # Errors
/// The registry does not answer, or the change leads to no ring.
pub async fn ring(registry: &mut Registry, order: RingOrder, output: Output) -> anyhow::Result<()> {
    let look = registry.look().await?;
    match order {
        RingOrder::Show => output.show(&Shown::of(&look)?, Shown::text),
        RingOrder::Plan {
            add,
            remove,
            weight,
        } => {
            let before = members(&look);
            let after = changed(&look, &add, &remove, &weight)?;
            output.show(&Plan::of(before, after)?, Plan::text)
        }
    }
}

/// Changes which shards there are, and shows the ring.
///
/// # Errors
/// The registry does not answer, or refuses.
pub async fn shard(
    registry: &mut Registry,
    order: ShardOrder,
    output: Output,
) -> anyhow::Result<()> {
    // The registry itself knows which ring is the newest.
    let seen = Epoch(0);
    match order {
        ShardOrder::Add { name, weight } => {
            let look = registry.look().await?;
            let found = look.found.iter().find(|found| found.name == name);
            match found.map(|found| found.record.weight) {
                None => bail!("no process of this name waits; a started msgd comes by itself"),
                Some(0) => registry.weigh(seen, &name, weight).await?,
                Some(_) => bail!("{name} has slots already; `shard weight` gives it more"),
            }
        }
        ShardOrder::Drain { name } => registry.weigh(seen, &name, 0).await?,
        ShardOrder::Weight { name, weight } => registry.weigh(seen, &name, weight).await?,
        ShardOrder::Remove { name } => registry.remove(seen, &name).await?,
    }
    output.show(&Shown::of(&registry.look().await?)?, Shown::text)
}

fn members(look: &Look) -> Vec<Member> {
    let member = |found: &registry::look::Found| Member {
        shard: found.name.clone(),
        weight: found.record.weight,
    };
    let members = look.found.iter().map(member);
    members.filter(|member| member.weight > 0).collect()
}

fn changed(
    look: &Look,
    add: &[Weighed],
    remove: &[ShardId],
    weigh: &[Weighed],
) -> anyhow::Result<Vec<Member>> {
    let mut members = members(look);
    for Weighed { name, weight } in add {
        if members.iter().any(|member| member.shard == *name) {
            bail!("{name} is on the ring already");
        }
        members.push(Member {
            shard: name.clone(),
            weight: *weight,
        });
    }
    let unknown = |name: &ShardId| format!("{name} is not on the ring");
    for Weighed { name, weight } in weigh {
        let member = members.iter_mut().find(|member| member.shard == *name);
        member.with_context(|| unknown(name))?.weight = *weight;
    }
    for name in remove {
        let at = members.iter().position(|member| member.shard == *name);
        members.remove(at.with_context(|| unknown(name))?);
    }
    Ok(members)
}

/// The ring, as it stands.
#[derive(Debug, Serialize)]
struct Shown {
    ring: u64,
    shards: Vec<Shard>,
    gateways: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Shard {
    shard: String,
    state: &'static str,
    weight: u16,
    slots: usize,
    address: String,
    lease_ms: Option<u64>,
}

impl Shown {
    fn of(look: &Look) -> anyhow::Result<Self> {
        let members = members(look);
        let ring = match members.is_empty() {
            true => None,
            false => Some(Ring::build(look.epoch, members)?),
        };
        let slots = |name: &ShardId| match &ring {
            Some(ring) => Slot::all().filter(|slot| ring.owner(*slot) == name).count(),
            None => 0,
        };
        let shard = |found: &registry::look::Found| Shard {
            shard: found.name.to_string(),
            state: match (found.lease, found.record.weight) {
                (None, _) => "dead",
                (Some(_), 0) => "drained",
                (Some(_), _) => "lives",
            },
            weight: found.record.weight,
            slots: slots(&found.name),
            address: found.record.address.clone(),
            lease_ms: found
                .lease
                .map(|lease| u64::try_from(lease.as_millis()).unwrap_or_default()),
        };
        let mut shards: Vec<Shard> = look.found.iter().map(shard).collect();
        shards.sort_by(|a, b| a.shard.cmp(&b.shard));
        Ok(Self {
            ring: look.epoch.0,
            shards,
            gateways: look.gateways.clone(),
        })
    }

    fn text(&self) -> String {
        let row = |shard: &Shard| {
            [
                shard.shard.clone(),
                shard.state.to_owned(),
                shard.weight.to_string(),
                shard.slots.to_string(),
                shard.address.clone(),
                shard
                    .lease_ms
                    .map_or_else(|| "-".to_owned(), |ms| format!("{ms} ms")),
            ]
        };
        let rows: Vec<_> = self.shards.iter().map(row).collect();
        let heads = ["shard", "state", "weight", "slots", "address", "lease"];
        let mut text = format!("ring {:x}\n{}", self.ring, table(heads, &rows));
        for gateway in &self.gateways {
            text += &format!("clients may go to {gateway}\n");
        }
        text
    }
}

/// What a change would move.
#[derive(Debug, Serialize)]
struct Plan {
    moved: usize,
    percent: f64,
    moves: Vec<Move>,
    after: Vec<After>,
}

#[derive(Debug, Serialize)]
struct Move {
    from: String,
    to: String,
    slots: usize,
    percent: f64,
}

#[derive(Debug, Serialize)]
struct After {
    shard: String,
    weight: u16,
    slots: usize,
}

impl Plan {
    fn of(before: Vec<Member>, after: Vec<Member>) -> anyhow::Result<Self> {
        let weights = after.clone();
        let (before, after) = (
            Ring::build(Epoch(1), before).context("the ring as it is")?,
            Ring::build(Epoch(2), after).context("the ring as it would be")?,
        );
        let mut moves = std::collections::BTreeMap::<_, usize>::new();
        for slot in Slot::all() {
            let (from, to) = (before.owner(slot), after.owner(slot));
            if from != to {
                *moves.entry((from, to)).or_default() += 1;
            }
        }
        let moved = moves.values().sum();
        let moves = moves.into_iter().map(|((from, to), slots)| Move {
            from: from.to_string(),
            to: to.to_string(),
            slots,
            percent: percent(slots),
        });
        let after = weights.iter().map(|member| After {
            shard: member.shard.to_string(),
            weight: member.weight,
            slots: Slot::all()
                .filter(|slot| *after.owner(*slot) == member.shard)
                .count(),
        });
        Ok(Self {
            moved,
            percent: percent(moved),
            moves: moves.collect(),
            after: after.collect(),
        })
    }

    fn text(&self) -> String {
        let row = |found: &Move| {
            let (from, to) = (found.from.clone(), found.to.clone());
            [from, to, found.slots.to_string(), found.percent.to_string()]
        };
        let rows: Vec<_> = self.moves.iter().map(row).collect();
        let mut text = table(["from", "to", "slots", "%"], &rows);
        let (moved, percent) = (self.moved, self.percent);
        text += &format!("{moved} of {SLOTS} slots would move: {percent} %\n\n");
        let row = |after: &After| {
            let shard = after.shard.clone();
            [shard, after.weight.to_string(), after.slots.to_string()]
        };
        let rows: Vec<_> = self.after.iter().map(row).collect();
        text += &table(["shard", "weight", "slots"], &rows);
        text
    }
}

/// Of all slots, to a tenth.
fn percent(slots: usize) -> f64 {
    (slots as f64 * 1_000.0 / f64::from(SLOTS)).round() / 10.0
}
