//! Faults are brought about, and shown to have happened.
//!
//! Owns what is done to the stage, and by what one can tell. Must not know
//! what the load makes of it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use cluster::admin;
use cluster::daemon::Daemon;
use cluster::proxy::{Proxy, Way};
use proto::ids::{Epoch, ShardId};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use crate::fault::{Fault, What, Whom};
use crate::stage::{SHARDS, Stage};

/// How much later each piece comes on a slow way.
const SLOW: Duration = Duration::from_millis(40);

/// For somebody who is there to answer; who has not by then does not.
const ANSWER: Duration = Duration::from_millis(400);

/// For a ring to be as it was ordered.
const RING: Duration = Duration::from_secs(20);

/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// What Redis answers.
const PING: &[u8] = b"PING\r\n";

/// What a server of gRPC answers: HTTP/2's preface and settings without any.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// What a gateway answers: no packet, in a frame.
const GARBAGE: &[u8] = b"\0\0\0\x04\xff\xff\xff\xff";

/// Brings a fault about. Gives by what one can tell.
pub async fn begin(stage: &Stage, fault: &Fault) -> Result<String> {
    match fault.whom {
        Whom::Shard(number) => match fault.what {
            What::ShardDrained => weigh(stage, number, 0).await,
            What::ShardWeighed => weigh(stage, number, 3).await,
            What::ShardRemoved => remove(stage, number).await,
            What::ShardJoins => join(stage, number).await,
            What::ShardKilled | What::ShardFrozen | What::ShardStopped => {
                let mut daemon = stage.shards[number].daemon.lock().await;
                process(fault.what, daemon.as_mut().context("a shard")?).await
            }
            _ => shard_way(stage, number, fault.what).await,
        },
        Whom::Gateway(number) => gateway(stage, number, fault.what).await,
        Whom::Friends(number) => friends(stage, number, fault.what).await,
        Whom::Redis => redis(stage, fault.what).await,
    }
}

/// Ends a fault.
pub async fn heal(stage: &Stage, fault: &Fault) -> Result<()> {
    match (fault.what, fault.whom) {
        (What::ShardKilled | What::ShardStopped | What::ShardRemoved, Whom::Shard(number)) => {
            stage.start_shard(number).await;
        }
        (What::ShardDrained | What::ShardWeighed, Whom::Shard(number)) => {
            weigh(stage, number, 1).await?;
        }
        (What::ShardJoins, Whom::Shard(number)) => {
            let mut daemon = stage.shards[number].daemon.lock().await;
            daemon.as_mut().context("a shard")?.stop().await;
        }
        (What::ShardFrozen, Whom::Shard(number)) => {
            let mut daemon = stage.shards[number].daemon.lock().await;
            daemon.as_mut().context("a shard")?.thaw();
        }
        (_, Whom::Shard(number)) => {
            let shard = &stage.shards[number];
            for way in [&shard.links, &shard.redis]
                .into_iter()
                .chain(&shard.friends)
            {
                way.set(Way::Open);
            }
        }
        (What::GatewayKilled | What::GatewayStopped, Whom::Gateway(number)) => {
            let mut daemon = stage.gateways[number].daemon.lock().await;
            daemon.start_again().await;
            spread(stage);
        }
        (What::GatewayFrozen, Whom::Gateway(number)) => {
            stage.gateways[number].daemon.lock().await.thaw();
            spread(stage);
        }
        (_, Whom::Gateway(number)) => {
            let gateway = &stage.gateways[number];
            gateway.clients.set(Way::Open);
            gateway.redis.set(Way::Open);
            spread(stage);
        }
        (What::FriendsFrozen, Whom::Friends(number)) => {
            stage.friends[number].daemon.lock().await.thaw();
        }
        (What::FriendsKilled, Whom::Friends(number)) => {
            let mut daemon = stage.friends[number].daemon.lock().await;
            daemon.start_again().await;
        }
        (_, Whom::Friends(number)) => stage.friends[number].redis.set(Way::Open),
        (What::RedisFrozen, Whom::Redis) => signal_redis(stage, Signal::CONT).await?,
        (_, Whom::Redis) => stage.redis.lock().await.restart(),
    }
    Ok(())
}

/// Clients stay where they went; some lose their connection and go elsewhere,
/// so that the next fault of a gateway finds about as many there as others do.
fn spread(stage: &Stage) {
    let ways = stage.gateways.iter().map(|gateway| &gateway.clients);
    let all: u64 = ways.clone().map(Proxy::connections).sum();
    let share = all / stage.gateways.len() as u64;
    for way in ways {
        for _ in share..way.connections() {
            way.reset_one();
        }
    }
}

/// The process is killed, frozen or told to stop.
async fn process(what: What, daemon: &mut Daemon) -> Result<String> {
    let (pid, admin) = (daemon.pid(), daemon.admin());
    match what {
        What::ShardKilled | What::GatewayKilled | What::FriendsKilled => daemon.kill(),
        What::ShardStopped | What::GatewayStopped => {
            let took = daemon.stop().await;
            ensure!(!is_there(pid), "process {pid} is still there");
            let took = took.as_millis();
            return Ok(format!("process {pid} ended by itself after {took} ms"));
        }
        _ => {
            daemon.freeze().await;
            return Ok(format!("process {pid} is in state T"));
        }
    }
    ensure!(!is_there(pid), "process {pid} is still there");
    ensure!(!admin::is_ready(admin).await, "process {pid} still serves");
    Ok(format!("process {pid} is gone"))
}

fn is_there(pid: Pid) -> bool {
    std::fs::exists(format!("/proc/{pid}")).unwrap_or(true)
}

async fn shard_way(stage: &Stage, number: usize, what: What) -> Result<String> {
    let shard = &stage.shards[number];
    match what {
        What::ShardCutFromRedis => close(&shard.redis, PING, Way::Cut).await,
        What::ShardStalledFromRedis => close(&shard.redis, PING, Way::Stalled).await,
        What::ShardCutFromFriends => {
            let mut shown = String::new();
            for way in &shard.friends {
                shown = close(way, HTTP2, Way::Cut).await?;
            }
            Ok(shown)
        }
        What::LinksCut => close(&shard.links, HTTP2, Way::Cut).await,
        What::LinksStalled => close(&shard.links, HTTP2, Way::Stalled).await,
        What::LinksSlow => slow(&shard.links).await,
        What::LinkReset => {
            let before = shard.links.resets();
            shard.links.reset_one();
            let reset = until(ANSWER, async || shard.links.resets() > before).await;
            ensure!(reset, "no link was reset");
            Ok("one link was reset".to_owned())
        }
        what => bail!("{what:?} does not happen to a shard"),
    }
}

async fn friends(stage: &Stage, number: usize, what: What) -> Result<String> {
    let friends = &stage.friends[number];
    match what {
        What::FriendsCutFromRedis => close(&friends.redis, PING, Way::Cut).await,
        What::FriendsStalledFromRedis => close(&friends.redis, PING, Way::Stalled).await,
        what => process(what, &mut *friends.daemon.lock().await).await,
    }
}

async fn gateway(stage: &Stage, number: usize, what: What) -> Result<String> {
    let gateway = &stage.gateways[number];
    let clients = gateway.clients.connections();
    ensure!(clients > 0, "the gateway has no clients");
    let shown = match what {
        What::GatewayCutFromRedis => close(&gateway.redis, PING, Way::Cut).await,
        What::ClientsCut => close(&gateway.clients, GARBAGE, Way::Cut).await,
        What::ClientsStalled => close(&gateway.clients, GARBAGE, Way::Stalled).await,
        what => process(what, &mut *gateway.daemon.lock().await).await,
    }?;
    Ok(format!("{shown}, with {clients} clients"))
}

/// The same question is answered before, and not after.
async fn close(way: &Proxy, question: &[u8], closed: Way) -> Result<String> {
    ensure!(
        way.answers(question, ANSWER).await,
        "nobody answers on the way before it is closed"
    );
    way.set(closed);
    ensure!(
        !way.answers(question, ANSWER).await,
        "somebody answers on a way that is closed"
    );
    let how = match closed {
        Way::Cut => "reset",
        _ => "without an answer",
    };
    Ok(format!("a question on that way is {how}"))
}

async fn slow(way: &Proxy) -> Result<String> {
    way.set(Way::Slow(SLOW));
    let began = Instant::now();
    ensure!(way.answers(HTTP2, ANSWER).await, "nobody answers");
    let took = began.elapsed();
    ensure!(took >= SLOW, "an answer took {took:?}");
    let took = took.as_millis();
    Ok(format!("an answer on that way took {took} ms"))
}

async fn redis(stage: &Stage, what: What) -> Result<String> {
    let mut server = stage.redis.lock().await;
    let pid = server.process();
    if what == What::RedisKilled {
        server.kill();
        let gone = !std::fs::exists(format!("/proc/{pid}"))?;
        ensure!(gone, "process {pid} is still there");
        return Ok(format!("process {pid} is gone"));
    }
    drop(server);
    signal_redis(stage, Signal::STOP).await?;
    let stat = format!("/proc/{pid}/stat");
    let is_stopped = async || {
        let stat = std::fs::read_to_string(&stat).unwrap_or_default();
        // The state stands after the name, which stands in brackets.
        let state = stat.rsplit_once(')').map(|(_, rest)| rest.trim_start());
        state.is_some_and(|state| state.starts_with('T'))
    };
    ensure!(until(ANSWER, is_stopped).await, "process {pid} goes on");
    Ok(format!("process {pid} is in state T"))
}

async fn signal_redis(stage: &Stage, signal: Signal) -> Result<()> {
    let pid = i32::try_from(stage.redis.lock().await.process())?;
    kill_process(Pid::from_raw(pid).context("a process")?, signal)?;
    Ok(())
}

fn name(number: usize) -> Result<ShardId> {
    Ok(SHARDS[number].parse()?)
}

async fn weigh(stage: &Stage, number: usize, weight: u16) -> Result<String> {
    let (name, before) = (name(number)?, stage.ring().await?.ring().epoch());
    let mut registry = stage.registry();
    // The registry itself knows which ring is the newest.
    registry.weigh(Epoch(0), &name, weight).await?;
    let view = stage.ring().await?;
    let found = view.shard(&name).map(|record| record.weight);
    ensure!(found == Some(weight), "{name} has the weight {found:?}");
    rose(before, view.ring().epoch())
}

async fn remove(stage: &Stage, number: usize) -> Result<String> {
    let (name, before) = (name(number)?, stage.ring().await?.ring().epoch());
    stage.registry().remove(Epoch(0), &name).await?;
    let view = stage.ring().await?;
    ensure!(view.shard(&name).is_none(), "{name} is still there");
    let mut daemon = stage.shards[number].daemon.lock().await;
    daemon.as_mut().context("a shard")?.ends().await;
    rose(before, view.ring().epoch())
}

async fn join(stage: &Stage, number: usize) -> Result<String> {
    let (name, before) = (name(number)?, stage.ring().await?.ring().epoch());
    stage.start_shard(number).await;
    let has_slots = async || match stage.ring().await {
        Ok(view) => view.ring().members().iter().any(|m| m.shard == name),
        Err(_) => false,
    };
    ensure!(until(RING, has_slots).await, "{name} gets no slots");
    rose(before, stage.ring().await?.ring().epoch())
}

fn rose(before: Epoch, after: Epoch) -> Result<String> {
    ensure!(after > before, "the ring is still {before}");
    Ok(format!("the ring went from {before} to {after}"))
}

async fn until(patience: Duration, mut look: impl AsyncFnMut() -> bool) -> bool {
    let end = Instant::now() + patience;
    loop {
        if look().await {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        sleep(LOOK).await;
    }
}
