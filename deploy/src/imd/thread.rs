//! One thread of `imd`: a gateway and a shard on a current-thread runtime, so
//! that a message between two of its users crosses no core.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context;
use connd::gateway::Gateway;
use connd::token::Tokens;
use friendd::FriendHandle;
use msgd::outcomes::Outcomes;
use msgd::shard::Shard;
use msgd::store::ShardStore;
use msgd_core::filter::Filter;
use proto::ids::{GatewayId, Incarnation, ShardId};
use proto::ring::Ring;
use service::link::{GatewayEnd, ShardEnd};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::{LocalSet, spawn_local};

/// For what was written last to leave, when the thread stops.
const FLUSH: Duration = Duration::from_millis(50);

/// What a thread is made of.
pub struct ThreadParts {
    pub listener: std::net::TcpListener,
    pub gateway: GatewayId,
    pub gateway_settings: connd_core::Settings,
    pub tokens: Arc<Tokens>,
    pub gateway_metrics: Arc<connd::metrics::Metrics>,
    pub gateway_ends: Vec<(ShardId, GatewayEnd)>,
    pub shard: ShardId,
    pub incarnation: Incarnation,
    pub shard_settings: msgd_core::Settings,
    pub filter: Option<Box<dyn Filter>>,
    pub store: ShardStore,
    pub outcomes: Outcomes,
    pub friends: FriendHandle,
    pub shard_metrics: Arc<msgd::metrics::Metrics>,
    pub shard_ends: Vec<ShardEnd>,
    pub ring: Arc<Ring>,
    pub serving: Arc<AtomicBool>,
}

/// A thread that runs.
pub struct Thread {
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<anyhow::Result<()>>,
}

impl Thread {
    /// Tells its clients, stores what is undelivered, and ends.
    pub async fn stop(self) -> anyhow::Result<()> {
        // It may have ended by itself; then it says why.
        let _ = self.stop.send(());
        self.ended.await.context("a thread panicked")?
    }
}

/// Starts a thread for each.
pub fn start_all(parts: Vec<ThreadParts>) -> anyhow::Result<Vec<Thread>> {
    let numbered = parts.into_iter().enumerate();
    numbered
        .map(|(number, parts)| start(number, parts))
        .collect()
}

fn start(number: usize, parts: ThreadParts) -> anyhow::Result<Thread> {
    let (stop, stopped) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name(format!("core-{number}"))
        .spawn(move || {
            // Nobody listens only when the process ends anyway.
            let _ = end.send(run(parts, stopped));
        })?;
    Ok(Thread { stop, ended })
}

fn run(parts: ThreadParts, stopped: oneshot::Receiver<()>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, serve(parts, stopped))
}

async fn serve(parts: ThreadParts, stopped: oneshot::Receiver<()>) -> anyhow::Result<()> {
    let friends = parts.friends;
    let shard = Shard::start(msgd::shard::Parts {
        name: parts.shard,
        incarnation: parts.incarnation,
        settings: parts.shard_settings,
        ring: parts.ring.clone(),
        filter: parts.filter,
        store: parts.store,
        outcomes: parts.outcomes,
        friends: Box::new(move |request| Box::pin(friends.request(request))),
        metrics: parts.shard_metrics,
        serving: parts.serving,
    });
    for end in parts.shard_ends {
        spawn_local(msgd::links::run(shard.clone(), end));
    }
    let gateway = Gateway::start(
        parts.gateway,
        parts.gateway_settings,
        parts.ring,
        parts.tokens,
        parts.gateway_metrics,
    );
    for (shard, end) in parts.gateway_ends {
        spawn_local(connd::links::run(gateway.clone(), shard, end));
    }
    let listener = TcpListener::from_std(parts.listener)?;
    let accepting = spawn_local(connd::listen::run(gateway.clone(), listener));
    // A dropped sender means the same.
    let _ = stopped.await;
    accepting.abort();
    stop(&gateway, &shard).await;
    Ok(())
}

async fn stop(gateway: &Rc<Gateway>, shard: &Rc<Shard>) {
    gateway.stop();
    shard.stop().await;
    tokio::time::sleep(FLUSH).await;
}
