//! The gateway's ends of links: up, running, down, and up again.
//!
//! Owns when a link is tried again, and to whom there is one. Must not know what
//! travels.

use std::collections::HashMap;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use proto::ids::ShardId;
use proto::link::Up;
use registry::look::Record;
use registry::watch::Watched;
use service::link::{GatewayEnd, LinkError, ShardEnd};
use service::queue::{Pace, queue};
use service::tls::LinkTls;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_local};
use tracing::{info, warn};

use crate::gateway::Gateway;

/// The pause before a link is tried again, doubled each time up to the other.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(2);

/// Runs a link until either end is gone, or another process is the shard.
pub async fn run(
    gateway: Rc<Gateway>,
    shard: ShardId,
    end: GatewayEnd,
    replaced: impl Future<Output = ()>,
) {
    let GatewayEnd { up, mut down } = end;
    let (filler, mut drainer) = queue(Up::weight, Pace::Gather);
    let link = gateway.link_up(&shard, filler);
    let sending = async {
        while let Some(batch) = drainer.next().await {
            if up.send(batch).await.is_err() {
                return;
            }
        }
    };
    let receiving = async {
        loop {
            match down.next().await {
                Ok(Some(batch)) => gateway.arrived(link, batch),
                Ok(None) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    };
    let ended: Result<(), LinkError> = tokio::select! {
        () = sending => Ok(()),
        ended = receiving => ended,
        () = replaced => Ok(()),
    };
    match ended {
        Ok(()) => info!(%shard, "link ended"),
        Err(error) => warn!(%shard, %error, "link lost"),
    }
    gateway.link_down(link, &shard);
}

/// Keeps a link to a shard of this process, as long as that takes any.
pub async fn keep_inside(gateway: Rc<Gateway>, shard: ShardId, door: mpsc::Sender<ShardEnd>) {
    loop {
        let (end, other) = service::link::channel(gateway.id());
        if door.send(other).await.is_err() {
            return;
        }
        run(gateway.clone(), shard.clone(), end, pending()).await;
        tokio::time::sleep(RETRY_MIN).await;
    }
}

/// Routes by the newest ring, and keeps a link to each of its shards.
pub async fn follow(
    gateway: Rc<Gateway>,
    mut watched: watch::Receiver<Watched>,
    tls: Option<LinkTls>,
) {
    let mut kept: HashMap<ShardId, JoinHandle<()>> = HashMap::new();
    loop {
        let view = watched.borrow_and_update().view.clone();
        for member in view.iter().flat_map(|view| view.ring().members()) {
            let shard = &member.shard;
            if kept.get(shard).is_none_or(JoinHandle::is_finished) {
                let keeping = keep(gateway.clone(), shard.clone(), watched.clone(), tls.clone());
                kept.insert(shard.clone(), spawn_local(keeping));
            }
        }
        if let Some(view) = view {
            gateway.ring_changed(view.ring().clone());
        }
        if watched.changed().await.is_err() {
            return;
        }
    }
}

/// Keeps a link to a shard of another process as long as it is on the ring. One
/// that leaves it ends the link itself when it has told all.
async fn keep(
    gateway: Rc<Gateway>,
    shard: ShardId,
    mut watched: watch::Receiver<Watched>,
    tls: Option<LinkTls>,
) {
    let mut pause = RETRY_MIN;
    while let Some(record) = record(&watched, &shard).filter(|record| record.weight > 0) {
        let address = &record.address;
        match service::link::connect(address, tls.as_ref(), &shard, gateway.id()).await {
            Ok(end) => {
                info!(%shard, %address, "link up");
                let replaced = replaced(&mut watched, &shard, &record);
                run(gateway.clone(), shard.clone(), end, replaced).await;
                pause = RETRY_MIN;
            }
            Err(error) => warn!(%shard, %address, %error, "no link"),
        }
        tokio::select! {
            // Gateways of one machine are not to come back in step.
            () = tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())) => {
                pause = (pause * 2).min(RETRY_MAX);
            }
            () = replaced(&mut watched, &shard, &record) => pause = RETRY_MIN,
        }
    }
}

fn record(watched: &watch::Receiver<Watched>, shard: &ShardId) -> Option<Record> {
    let watched = watched.borrow();
    watched.view.as_ref()?.shard(shard).cloned()
}

/// Waits until another process than this is the shard.
async fn replaced(watched: &mut watch::Receiver<Watched>, shard: &ShardId, record: &Record) {
    let other = |watched: &Watched| {
        let found = watched.view.as_ref().and_then(|view| view.shard(shard));
        found.is_some_and(|found| {
            found.incarnation != record.incarnation || found.address != record.address
        })
    };
    if watched.wait_for(other).await.is_err() {
        // Nobody watches any more: the daemon stops.
        pending().await
    }
}
