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
use service::link::ShardEnd;
use tokio::net::TcpListener;
use tokio::sync::{Notify, mpsc, oneshot};
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
    /// Where links to each shard of the process are handed in.
    pub doors: Vec<(ShardId, mpsc::Sender<ShardEnd>)>,
    pub shard: ShardId,
    pub incarnation: Incarnation,
    pub shard_settings: msgd_core::Settings,
    pub filter: Option<Box<dyn Filter>>,
    pub store: ShardStore,
    pub outcomes: Outcomes,
    pub friends: FriendHandle,
    pub shard_metrics: Arc<msgd::metrics::Metrics>,
    /// Links of gateways.
    pub links: mpsc::Receiver<ShardEnd>,
    pub ring: Arc<Ring>,
    pub serving: Arc<AtomicBool>,
}

/// A thread that runs.
pub struct Thread {
    stop: oneshot::Sender<()>,
    ended: oneshot::Receiver<anyhow::Result<()>>,
}

/// Each tells its clients, stores what is undelivered, and ends.
pub async fn stop_all(threads: Vec<Thread>) -> anyhow::Result<()> {
    let mut ending = Vec::new();
    for thread in threads {
        // It may have ended by itself; then it says why.
        let _ = thread.stop.send(());
        ending.push(thread.ended);
    }
    let mut result = Ok(());
    for ended in ending {
        let ended = ended.await.context("a thread panicked").flatten();
        result = result.and(ended);
    }
    result
}

/// Starts a thread for each; `ended` is told when one ends, whyever.
pub fn start_all(parts: Vec<ThreadParts>, ended: &Arc<Notify>) -> anyhow::Result<Vec<Thread>> {
    let numbered = parts.into_iter().enumerate();
    numbered
        .map(|(number, parts)| start(number, parts, ended.clone()))
        .collect()
}

fn start(number: usize, parts: ThreadParts, died: Arc<Notify>) -> anyhow::Result<Thread> {
    let (stop, stopped) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name(format!("core-{number}"))
        .spawn(move || {
            let _told = OnEnd(died);
            // Nobody listens only when the process ends anyway.
            let _ = end.send(run(parts, stopped));
        })?;
    Ok(Thread { stop, ended })
}

/// Tells that its thread has ended, a panic included.
struct OnEnd(Arc<Notify>);

impl Drop for OnEnd {
    fn drop(&mut self) {
        self.0.notify_one();
    }
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
    spawn_local(msgd::links::run_all(shard.clone(), parts.links));
    let gateway = Gateway::start(
        parts.gateway,
        parts.gateway_settings,
        parts.ring,
        parts.tokens,
        parts.gateway_metrics,
    );
    for (shard, door) in parts.doors {
        spawn_local(connd::links::keep_inside(gateway.clone(), shard, door));
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
