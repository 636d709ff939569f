//! The shard's ends of links.
//!
//! Owns how long a link runs. Must not know what travels.

use std::rc::Rc;

use proto::link::Down;
use service::link::{LinkError, ShardEnd};
use service::queue::{Pace, queue};
use tokio::sync::mpsc;
use tokio::task::spawn_local;
use tracing::{info, warn};

use crate::shard::Shard;

/// Runs every link that comes in, until none can come any more.
pub async fn run_all(shard: Rc<Shard>, mut ends: mpsc::Receiver<ShardEnd>) {
    while let Some(end) = ends.recv().await {
        spawn_local(run(shard.clone(), end));
    }
}

/// Runs a link until either end is gone.
pub async fn run(shard: Rc<Shard>, end: ShardEnd) {
    let ShardEnd {
        gateway,
        mut up,
        down,
    } = end;
    let (filler, mut drainer) = queue(Down::weight, Pace::AtOnce);
    let room = drainer.room();
    let link = shard.gateway_up(gateway, filler);
    info!(%gateway, "gateway linked");
    let sending = async {
        while let Some(batch) = drainer.next().await {
            // Rule 5: the lease is looked at before any answer leaves.
            if !shard.may_answer() || down.send(batch).await.is_err() {
                return;
            }
        }
    };
    let receiving = async {
        loop {
            // What comes is answered on the same link. A gateway never stops
            // reading, so this wait ends (rule 13); what the gateway cannot
            // send meanwhile is still in its windows.
            room.wait().await;
            shard.store_room().await;
            match up.next().await {
                Ok(Some(batch)) => shard.arrived(gateway, link, batch),
                Ok(None) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    };
    let ended: Result<(), LinkError> = tokio::select! {
        () = sending => Ok(()),
        ended = receiving => ended,
    };
    match ended {
        Ok(()) => info!(%gateway, "gateway left"),
        Err(error) => warn!(%gateway, %error, "gateway lost"),
    }
    shard.gateway_lost(gateway, link);
}
