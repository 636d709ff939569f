//! One thread of `imd`: a gateway and a shard on a current-thread runtime, so
//! that a message between two of its users crosses no core.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::Context;
use connd::access::Access;
use connd::gateway::{Gateway, LineSettings};
use connd::tls::Tls;
use connd::token::Tokens;
use friendd::FriendHandle;
use msgd::mailboxes::ShardStore;
use msgd::outcomes::Outcomes;
use msgd::shard::Shard;
use msgd::words::Words;
use proto::ids::{GatewayId, Incarnation, ShardId};
use proto::ring::Ring;
use service::admin::Questions;
use service::link::ShardEnd;
use tokio::sync::{Notify, mpsc, oneshot, watch};
use tokio::task::{JoinHandle, spawn_local};

use crate::settings::Settings;

/// For what was written last to leave, when the thread stops.
const FLUSH: Duration = Duration::from_millis(50);

/// What a thread is made of.
pub struct ThreadParts {
    pub listener: std::net::TcpListener,
    /// Where lines are taken, if they are.
    pub lines: Option<std::net::TcpListener>,
    pub gateway: GatewayId,
    pub gateway_metrics: Arc<connd::metrics::Metrics>,
    pub gateway_questions: Questions,
    /// Where links to each shard of the process are handed in.
    pub doors: Vec<(ShardId, mpsc::Sender<ShardEnd>)>,
    pub shard: ShardId,
    pub incarnation: Incarnation,
    pub words: Words,
    pub store: ShardStore,
    pub outcomes: Outcomes,
    pub friends: FriendHandle,
    pub shard_metrics: Arc<msgd::metrics::Metrics>,
    pub shard_questions: Questions,
    /// Links of gateways.
    pub links: mpsc::Receiver<ShardEnd>,
    pub ring: Arc<Ring>,
    pub serving: Arc<AtomicBool>,
}

/// What threads take from settings, at the start and again by SIGHUP.
#[derive(Clone)]
pub struct Loaded {
    gateway: connd_core::Settings,
    lines: LineSettings,
    shard: msgd_core::Settings,
    access: Access,
}

impl Loaded {
    /// Of these settings.
    pub fn new(settings: &Settings, access: Access) -> Self {
        Self {
            gateway: connd::listen::fitted(settings.gateway.core(), settings.threads()),
            lines: settings.lines.settings(&settings.gateway),
            shard: settings.shard(),
            access,
        }
    }
}

/// Threads that run.
pub struct Threads {
    /// Dropped, it stops them.
    load: watch::Sender<Loaded>,
    ended: Vec<oneshot::Receiver<anyhow::Result<()>>>,
}

impl Threads {
    /// Starts a thread for each; `died` is told when one ends, whyever.
    pub fn start(
        parts: Vec<ThreadParts>,
        loaded: Loaded,
        died: &Arc<Notify>,
    ) -> anyhow::Result<Self> {
        let (load, loaded) = watch::channel(loaded);
        let numbered = parts.into_iter().enumerate();
        let ended = numbered
            .map(|(number, parts)| start(number, parts, loaded.clone(), died.clone()))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { load, ended })
    }

    /// Each takes these settings and keys from now on.
    pub fn reload(&self, settings: &Settings, opened: (Tokens, Tls)) {
        self.load.send_modify(|loaded| {
            let access = loaded.access.replaced_by(opened);
            *loaded = Loaded::new(settings, access);
        });
    }

    /// Each tells its clients, stores what is undelivered, and ends.
    pub async fn stop(self) -> anyhow::Result<()> {
        drop(self.load);
        let mut result = Ok(());
        for ended in self.ended {
            let ended = ended.await.context("a thread panicked").flatten();
            result = result.and(ended);
        }
        result
    }
}

fn start(
    number: usize,
    parts: ThreadParts,
    loaded: watch::Receiver<Loaded>,
    died: Arc<Notify>,
) -> anyhow::Result<oneshot::Receiver<anyhow::Result<()>>> {
    let (end, ended) = oneshot::channel();
    std::thread::Builder::new()
        .name(format!("core-{number}"))
        .spawn(move || {
            let _told = OnEnd(died);
            // Nobody listens only when the process ends anyway.
            let _ = end.send(run(parts, loaded));
        })?;
    Ok(ended)
}

/// Tells that its thread has ended, a panic included.
struct OnEnd(Arc<Notify>);

impl Drop for OnEnd {
    fn drop(&mut self) {
        self.0.notify_one();
    }
}

fn run(parts: ThreadParts, loaded: watch::Receiver<Loaded>) -> anyhow::Result<()> {
    let runtime = node::runtime::resting()?;
    runtime.block_on(serve(parts, loaded))
}

async fn serve(parts: ThreadParts, mut loaded: watch::Receiver<Loaded>) -> anyhow::Result<()> {
    let friends = parts.friends;
    let first = loaded.borrow_and_update().clone();
    let shard = Shard::start(msgd::shard::Parts {
        name: parts.shard,
        incarnation: parts.incarnation,
        settings: first.shard,
        ring: parts.ring.clone(),
        lease: None,
        filter: Some(Box::new(parts.words)),
        store: parts.store,
        outcomes: parts.outcomes,
        friends: Box::new(move |request| Box::pin(friends.request(request))),
        metrics: parts.shard_metrics,
        serving: parts.serving,
    });
    spawn_local(shard.clone().answer_operator(parts.shard_questions));
    spawn_local(msgd::links::run_all(shard.clone(), parts.links));
    let gateway = Gateway::start(
        parts.gateway,
        (first.gateway, first.lines),
        parts.ring,
        first.access,
        parts.gateway_metrics,
    );
    spawn_local(gateway.clone().answer_operator(parts.gateway_questions));
    for (shard, door) in parts.doors {
        spawn_local(connd::links::keep_inside(gateway.clone(), shard, door));
    }
    let accepting = connd::listen::run_all(&gateway, parts.listener, parts.lines)?;
    // The sender is dropped when the daemon stops.
    while loaded.changed().await.is_ok() {
        let now = loaded.borrow_and_update().clone();
        gateway.reload((now.gateway, now.lines), now.access);
        shard.reload(now.shard);
    }
    accepting.iter().for_each(JoinHandle::abort);
    stop(&gateway, &shard).await;
    Ok(())
}

async fn stop(gateway: &Rc<Gateway>, shard: &Rc<Shard>) {
    gateway.stop();
    shard.stop().await;
    tokio::time::sleep(FLUSH).await;
}
