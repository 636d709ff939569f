//! The gateway's ends of links: up, running, down, and up again.
//!
//! Owns when a link is tried again. Must not know what travels.

use std::rc::Rc;
use std::time::Duration;

use proto::ids::ShardId;
use proto::link::Up;
use service::link::{GatewayEnd, LinkError, ShardEnd};
use service::queue::{Pace, queue};
use service::tls::LinkTls;
use tokio::sync::mpsc;
use tracing::{info, warn};

use crate::gateway::Gateway;

/// The pause before a link is tried again, doubled each time up to the other.
const RETRY_MIN: Duration = Duration::from_millis(50);
const RETRY_MAX: Duration = Duration::from_secs(2);

/// Runs a link until either end is gone.
pub async fn run(gateway: Rc<Gateway>, shard: ShardId, end: GatewayEnd) {
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
        run(gateway.clone(), shard.clone(), end).await;
        tokio::time::sleep(RETRY_MIN).await;
    }
}

/// Keeps a link to a shard of another process, for ever.
pub async fn keep(gateway: Rc<Gateway>, shard: ShardId, address: String, tls: Option<LinkTls>) {
    let mut pause = RETRY_MIN;
    loop {
        match service::link::connect(&address, tls.as_ref(), &shard, gateway.id()).await {
            Ok(end) => {
                info!(%shard, %address, "link up");
                run(gateway.clone(), shard.clone(), end).await;
                pause = RETRY_MIN;
            }
            Err(error) => warn!(%shard, %address, %error, "no link"),
        }
        // Gateways of one machine are not to come back in step.
        tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
        pause = (pause * 2).min(RETRY_MAX);
    }
}
