//! The parts of `imd`, opened but not running.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use friendd::{FriendSettings, Friendd};
use msgd::outcomes::Outcomes;
use msgd::store::EmbeddedStore;
use msgd_core::filter::{Filter, WordList};
use msgd_core::store::MailboxSettings;
use node::cpu::threads_default;
use node::metrics::Metrics;
use proto::ids::{Epoch, GatewayId, Incarnation, ShardId};
use proto::ring::{Member, Ring};
use service::link::ShardEnd;
use store::{Engine, Running};
use tokio::sync::mpsc;

use crate::flags::Flags;
use crate::thread::ThreadParts;

/// Requests of all shards that wait for the store at once.
const STORE_CAPACITY: usize = 65_536;

/// Incarnations are 40 bits, drawn at every start.
const INCARNATION_BITS: u32 = 40;

/// What runs.
pub struct Parts {
    /// The friend service.
    pub friendd: Friendd,
    /// A gateway and a shard each.
    pub threads: Vec<ThreadParts>,
    /// The store's committer.
    pub store: Running,
    /// True where a shard serves all its slots.
    pub serving: Vec<Arc<AtomicBool>>,
}

impl Parts {
    /// Opens the store and lays links between all gateways and all shards.
    pub fn open(flags: &Flags, metrics: &Metrics) -> anyhow::Result<Self> {
        let count = flags.threads.unwrap_or_else(threads_default);
        let listeners = connd::listen::bind(flags.listen, count)
            .with_context(|| format!("--listen {}", flags.listen))?;
        let count = count.get();
        let mut engine = Engine::open(&flags.data, store::Settings::default())?;
        let outcomes: Vec<Outcomes> = (0..count).map(|_| Outcomes::default()).collect();
        let mailboxes = mailboxes(&mut engine, &outcomes)?;
        let friend_settings = FriendSettings {
            blocks: match flags.blocks {
                msgd_core::Blocks::Told => friendd::Blocks::Told,
                msgd_core::Blocks::Hidden => friendd::Blocks::Hidden,
            },
            ..FriendSettings::default()
        };
        let (friendd, friends) = Friendd::open(&friend_settings, &mut engine)?;
        let connd_metrics = Arc::new(connd::metrics::Metrics::default());
        let msgd_metrics = Arc::new(msgd::metrics::Metrics::default());
        metrics.register(|registry| {
            engine.metrics().register(registry);
            mailboxes.metrics().register(registry);
            friendd.register(registry);
            connd_metrics.register(registry);
            msgd_metrics.register(registry);
        });
        let store = engine.start()?;
        let names = (1..=count)
            .map(|number| ShardId::new(format!("shard-{number}")))
            .collect::<Result<Vec<_>, _>>()?;
        let ring = Arc::new(ring(&names)?);
        let tokens = Arc::new(flags.tokens.tokens()?);
        let mut threads = Vec::new();
        let mut serving = Vec::new();
        let (doors, links): (Vec<_>, Vec<_>) = names.iter().map(|name| door(name, count)).unzip();
        let places = listeners.into_iter().zip(links).enumerate();
        for (place, (listener, links)) in places {
            let serves = Arc::new(AtomicBool::new(false));
            serving.push(serves.clone());
            threads.push(ThreadParts {
                listener,
                gateway: GatewayId(fastrand::u64(..)),
                gateway_settings: connd_core::Settings::default(),
                tokens: tokens.clone(),
                gateway_metrics: connd_metrics.clone(),
                doors: doors.clone(),
                shard: names[place].clone(),
                incarnation: Incarnation(fastrand::u64(..1 << INCARNATION_BITS)),
                shard_settings: msgd_core::Settings {
                    policy: flags.policy,
                    blocks: flags.blocks,
                    ..msgd_core::Settings::default()
                },
                filter: filter(flags)?,
                store: mailboxes.shard(place),
                outcomes: outcomes[place].clone(),
                friends: friends.clone(),
                shard_metrics: msgd_metrics.clone(),
                links,
                ring: ring.clone(),
                serving: serves,
            });
        }
        Ok(Self {
            friendd,
            threads,
            store,
            serving,
        })
    }
}

fn mailboxes(engine: &mut Engine, outcomes: &[Outcomes]) -> anyhow::Result<EmbeddedStore> {
    let outcomes = outcomes.to_vec();
    let sink = move |answers: msgd::store::Answers<'_>| {
        let mut rung = vec![false; outcomes.len()];
        for (place, outcome) in answers {
            outcomes[place].put(outcome);
            rung[place] = true;
        }
        let wake = outcomes.iter().zip(rung).filter(|(_, rung)| *rung);
        wake.for_each(|(outcomes, _)| outcomes.ring());
    };
    let settings = MailboxSettings::default();
    Ok(EmbeddedStore::open(engine, settings, STORE_CAPACITY, sink)?)
}

fn ring(names: &[ShardId]) -> anyhow::Result<Ring> {
    let member = |shard: &ShardId| Member {
        shard: shard.clone(),
        weight: 1,
    };
    Ok(Ring::build(Epoch(1), names.iter().map(member).collect())?)
}

fn filter(flags: &Flags) -> anyhow::Result<Option<Box<dyn Filter>>> {
    let Some(path) = &flags.words else {
        return Ok(None);
    };
    let words = std::fs::read_to_string(path);
    let words = words.with_context(|| format!("--words {}", path.display()))?;
    Ok(Some(Box::new(WordList::new(words.lines()))))
}

/// Where gateways of this process hand in their links to a shard.
fn door(
    name: &ShardId,
    gateways: usize,
) -> ((ShardId, mpsc::Sender<ShardEnd>), mpsc::Receiver<ShardEnd>) {
    let (door, links) = mpsc::channel(gateways);
    ((name.clone(), door), links)
}
