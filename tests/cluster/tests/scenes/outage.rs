//! Redis is away, for all or for one shard: who is connected is served, what
//! must be stored is not called so, and nothing is lost.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use client::Fate;
use cluster::admin;
use cluster::leased::{LEASE, Leased, chat, people, user_of};
use cluster::patience::{until, within};
use cluster::person::Person;
use cluster::proxy::{Proxy, Way};
use proto::ids::ShardId;
use redis_stage::Server;
use registry::view::View;

const SHARDS: [&str; 3] = ["a", "b", "c"];

/// What a daemon shows while it goes on without the registry.
const DEGRADED: &str = "im_registry_degraded";

#[tokio::test]
async fn while_redis_is_away_for_all_who_is_connected_is_served() {
    let redis = Server::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let url = redis.url();
    let mut cluster = Leased::start_on(&SHARDS, (redis, url, 0)).await;
    let before = cluster.ring_of(&SHARDS).await;
    cluster.all_know(&before, &[]).await;
    let people = people(&cluster, &before, "ann").await;
    chat(&people, "with redis").await;
    cluster.all_tell(&before).await;

    cluster.redis.kill();
    let began = Instant::now();
    let away = user_of(&before, "b", "ben");
    let letter = people[0].begins_to_say(&away, "for later").await;
    let mut letter = std::pin::pin!(letter);
    let mut round = 0;
    while began.elapsed() < LEASE * 3 {
        round += 1;
        chat(&people, &format!("without redis, {round}")).await;
        let called = tokio::time::timeout(Duration::from_millis(100), &mut letter).await;
        assert!(called.is_err(), "{called:?} without a store");
    }
    for daemon in cluster.msgds.iter().chain(&cluster.connds) {
        admin::risen(daemon.admin(), DEGRADED, 1).await;
    }

    cluster.redis.restart();
    for daemon in cluster.msgds.iter().chain(&cluster.connds) {
        until("the end of the outage", async || {
            let figure = admin::figure(daemon.admin(), DEGRADED).await;
            (figure == Some(0)).then_some(())
        })
        .await;
    }
    let fate = within("a fate", &mut letter).await;
    assert!(matches!(fate, Fate::Stored { .. }), "{fate:?}");
    chat(&people, "with redis again").await;
    // Nobody has moved, nor begun anew.
    let after = cluster.ring_of(&SHARDS).await;
    assert_eq!(after.ring().epoch(), before.ring().epoch());
    assert!(after.shards().eq(before.shards()));
    let gateway = cluster.connds[0].address();
    let ben = Person::comes(&gateway, away.as_str(), "phone").await;
    ben.reads("for later").await;
}

#[tokio::test]
async fn one_shard_that_does_not_reach_redis_ends_and_others_have_its_users() {
    let mut cluster = Leased::start(&["a", "b"]).await;
    let backend = format!("127.0.0.1:{}", cluster.redis.port());
    let proxy = Proxy::to(backend.parse::<SocketAddr>().unwrap());
    cluster.add_by("c", &format!("redis://{}", proxy.address()));
    cluster.msgd("c").ready().await;
    let three = cluster.ring_of(&SHARDS).await;
    cluster.all_know(&three, &[]).await;
    let people = people(&cluster, &three, "ann").await;
    chat(&people, "before").await;
    cluster.all_tell(&three).await;

    proxy.set(Way::Cut);
    let began = Instant::now();
    cluster.msgd("c").says("the lease ran out").await;
    let ended = began.elapsed();
    let two = cluster.ring_of(&["a", "b"]).await;
    cluster.all_know(&two, &["msgd-c"]).await;
    chat(&people, "without c").await;
    let took = began.elapsed();
    println!("it ended after {ended:?}, and all were served after {took:?}");
    assert!(ended < LEASE, "{ended:?}");
    assert_eq!(cluster.msgd("c").said("degraded"), 0);

    proxy.set(Way::Open);
    let back = cluster.ring_of(&SHARDS).await;
    cluster.all_know(&back, &[]).await;
    let c: ShardId = "c".parse().unwrap();
    let life = |view: &View| view.shard(&c).unwrap().incarnation;
    assert_ne!(life(&three), life(&back));
    chat(&people, "c is back").await;
    // Each was shown each message once.
    for person in &people {
        let mut texts = person.texts();
        let all = texts.len();
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), all, "{}", person.user);
    }
}
