//! The parts of `imd`, opened but not running.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use connd::access::Access;
use friendd::Friendd;
use msgd::mailboxes::{CAPACITY, ShardStore};
use msgd::outcomes::Outcomes;
use msgd::store::EmbeddedStore;
use msgd::words::Words;
use msgd_core::store::StoreSettings;
use node::metrics::Metrics;
use proto::ids::{Epoch, GatewayId, Incarnation, ShardId};
use proto::ring::{Member, Ring};
use service::admin::{Part, part};
use service::link::ShardEnd;
use store::{Engine, Running};
use tokio::sync::mpsc;

use crate::settings::Settings;
use crate::thread::{Loaded, ThreadParts};

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
    /// What threads are told at the start.
    pub loaded: Loaded,
    /// The word list of each shard.
    pub words: Vec<Words>,
    /// Where an operator asks all of them.
    pub asked: Vec<Part>,
}

impl Parts {
    /// Opens the store and lays links between all gateways and all shards.
    pub fn open(settings: &Settings, access: Access, metrics: &Metrics) -> anyhow::Result<Self> {
        let count = settings.threads();
        let listeners = connd::listen::bind(settings.listen, count)
            .with_context(|| format!("--listen {}", settings.listen))?;
        let mut lines = connd::listen::bind_some(settings.lines.listen, count)?.into_iter();
        let count = count.get();
        let mut engine = Engine::open(&settings.data, settings.database.core())?;
        let outcomes: Vec<Outcomes> = (0..count).map(|_| Outcomes::default()).collect();
        let mailboxes = mailboxes(&mut engine, settings.store(), &outcomes)?;
        let (friendd, friends) = Friendd::open(&settings.friends(), &mut engine)?;
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
        let words: Vec<Words> = names.iter().map(|_| Words::default()).collect();
        let mut threads = Vec::new();
        let (graph, questions) = part("graph");
        tokio::spawn(friendd.answer_operator(questions));
        let mut asked = vec![graph];
        let mut serving = Vec::new();
        let (doors, links): (Vec<_>, Vec<_>) = names.iter().map(|name| door(name, count)).unzip();
        let places = listeners.into_iter().zip(links).enumerate();
        for (place, (listener, links)) in places {
            let serves = Arc::new(AtomicBool::new(false));
            serving.push(serves.clone());
            let (gateway, gateway_questions) = part(format!("gateway-{place}"));
            let (shard, shard_questions) = part(names[place].as_str());
            asked.extend([gateway, shard]);
            threads.push(ThreadParts {
                listener,
                lines: lines.next(),
                gateway: GatewayId(fastrand::u64(1..)),
                gateway_metrics: connd_metrics.clone(),
                gateway_questions,
                doors: doors.clone(),
                shard: names[place].clone(),
                incarnation: Incarnation(fastrand::u64(..1 << INCARNATION_BITS)),
                words: words[place].clone(),
                store: ShardStore::Embedded(mailboxes.shard(place)),
                outcomes: outcomes[place].clone(),
                friends: friends.clone(),
                shard_metrics: msgd_metrics.clone(),
                shard_questions,
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
            loaded: Loaded::new(settings, access),
            words,
            asked,
        })
    }
}

fn mailboxes(
    engine: &mut Engine,
    settings: StoreSettings,
    outcomes: &[Outcomes],
) -> anyhow::Result<EmbeddedStore> {
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
    Ok(EmbeddedStore::open(engine, settings, CAPACITY, sink)?)
}

fn ring(names: &[ShardId]) -> anyhow::Result<Ring> {
    let member = |shard: &ShardId| Member {
        shard: shard.clone(),
        weight: 1,
    };
    Ok(Ring::build(Epoch(1), names.iter().map(member).collect())?)
}

/// Where gateways of this process hand in their links to a shard.
fn door(
    name: &ShardId,
    gateways: usize,
) -> ((ShardId, mpsc::Sender<ShardEnd>), mpsc::Receiver<ShardEnd>) {
    let (door, links) = mpsc::channel(gateways);
    ((name.clone(), door), links)
}
