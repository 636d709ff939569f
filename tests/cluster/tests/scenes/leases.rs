//! Shards that hold leases: they come, go, die and freeze, and others have
//! their users, and what was stored for them.

use std::time::Instant;

use client::{Confirmation, Fate, Identity, UserId};
use cluster::imctl::obeyed;
use cluster::leased::{LEASE, Leased, chat, people, user_of};
use cluster::ledger::Ledger;
use cluster::patience::{until, within};
use cluster::person::{Person, settings};
use redis_stage::Server;

/// What `imctl` shows of a shard after a change of it, as words; none: nothing.
async fn shard(cluster: &Leased, order: &[&str]) -> Vec<String> {
    let url = cluster.redis.url();
    let words = [&["--registry", &url, "shard"], order].concat();
    let shown = obeyed(&words).await;
    let mut lines = shown.lines().map(str::split_whitespace);
    let of_shard = lines.find(|line| line.clone().next() == Some(order[1]));
    let words = of_shard.into_iter().flatten();
    words.map(str::to_owned).collect()
}

#[tokio::test]
async fn shards_come_and_go_and_everybody_is_reached() {
    let mut cluster = Leased::start(&["a", "b", "c"]).await;
    let three = cluster.ring_of(&["a", "b", "c"]).await;
    cluster.all_know(&three, &[]).await;
    let first = people(&cluster, &three, "ann").await;
    chat(&first, "three shards").await;

    cluster.add("d");
    cluster.msgd("d").ready().await;
    let four = cluster.ring_of(&["a", "b", "c", "d"]).await;
    cluster.all_know(&four, &[]).await;
    let second = people(&cluster, &four, "ben").await;
    chat(&second, "four shards").await;
    chat(&first, "those of before").await;

    // An operator drains one, which lives on, and then one that stops.
    let said = shard(&cluster, &["drain", "a"]).await;
    assert_eq!(said[..4], ["a", "drained", "0", "0"]);
    let without = cluster.ring_of(&["b", "c", "d"]).await;
    cluster.all_know(&without, &[]).await;
    chat(&first, "one is drained").await;
    cluster.msgd("d").stop().await;
    let two = cluster.ring_of(&["b", "c"]).await;
    cluster.all_know(&two, &["msgd-d"]).await;
    chat(&second, "one has stopped").await;

    // It comes back with twice the weight.
    let said = shard(&cluster, &["add", "a", "2"]).await;
    assert_eq!(said[..3], ["a", "lives", "2"]);
    let back = cluster.ring_of(&["a", "b", "c"]).await;
    cluster.all_know(&back, &["msgd-d"]).await;
    chat(&first, "one is back").await;

    // One that is taken off gives up what it has, and ends.
    let said = shard(&cluster, &["remove", "b"]).await;
    assert!(said.is_empty(), "{said:?}");
    cluster.msgd("b").ends().await;
    let two = cluster.ring_of(&["a", "c"]).await;
    cluster.all_know(&two, &["msgd-b", "msgd-d"]).await;
    chat(&second, "one was removed").await;
}

#[tokio::test]
async fn users_of_a_killed_shard_are_served_soon_after_its_lease() {
    let mut cluster = Leased::start(&["a", "b", "c"]).await;
    let three = cluster.ring_of(&["a", "b", "c"]).await;
    cluster.all_know(&three, &[]).await;
    let people = people(&cluster, &three, "ann").await;
    chat(&people, "before").await;
    cluster.all_tell(&three).await;
    cluster.msgd("b").kill();
    let began = Instant::now();
    chat(&people, "after").await;
    let took = began.elapsed();
    println!("served again after {took:?}");
    assert!(took < LEASE + std::time::Duration::from_secs(1), "{took:?}");
    cluster.ring_of(&["a", "c"]).await;
}

/// One writes to the other as long as something goes on; all of it is entered.
async fn writes_while<T>(
    (from, to): (&Person, &Person),
    ledger: &mut Ledger,
    something: impl Future<Output = T>,
) -> T {
    let mut number = 0;
    let mut fates = Vec::new();
    let mut something = std::pin::pin!(something);
    let value = loop {
        tokio::select! {
            value = &mut something => break value,
            handle = from.begins_to_say(&to.user, format!("number {number}")) => {
                let id = handle.id();
                let user: UserId = from.user.clone();
                fates.push((Identity { from: user, id }, handle));
                number += 1;
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    };
    for (identity, handle) in fates {
        let fate: Fate = within("a fate", handle).await;
        ledger.told(identity, fate);
    }
    value
}

#[tokio::test]
async fn a_frozen_shard_answers_nothing_when_it_goes_on_and_comes_back_as_another() {
    let mut cluster = Leased::start(&["a", "b", "c"]).await;
    let three = cluster.ring_of(&["a", "b", "c"]).await;
    cluster.all_know(&three, &[]).await;
    let anns = people(&cluster, &three, "ann").await;
    chat(&anns, "before").await;
    let bens = people(&cluster, &three, "ben").await;
    let before = three.shard(&"b".parse().unwrap()).unwrap().incarnation;
    cluster.all_tell(&three).await;

    // It freezes while the user of another shard writes to its own.
    let pair = (&bens[0], &bens[1]);
    let mut ledger = Ledger::default();
    let msgd = cluster.msgd("b");
    writes_while(pair, &mut ledger, msgd.freeze()).await;
    let two = writes_while(pair, &mut ledger, cluster.ring_of(&["a", "c"])).await;
    cluster.all_know(&two, &["msgd-b"]).await;
    ledger.last_words(pair.0, pair.1).await;
    let balance = ledger.close();
    assert_eq!((balance.unknown, balance.rejected), (0, 0), "{balance:?}");

    cluster.msgd("b").thaw();
    let back = cluster.ring_of(&["a", "b", "c"]).await;
    let after = back.shard(&"b".parse().unwrap()).unwrap().incarnation;
    assert_ne!(before, after);
    let msgd = cluster.msgd("b");
    assert_eq!(msgd.said("the lease ran out"), 1);
    msgd.ready().await;
    cluster.all_know(&back, &[]).await;
    chat(&anns, "after").await;
}

#[tokio::test]
async fn shards_begin_anew_by_themselves_when_the_registry_has_forgotten_them() {
    let mut cluster = Leased::start(&["a", "b"]).await;
    let two = cluster.ring_of(&["a", "b"]).await;
    cluster.all_know(&two, &[]).await;
    let people = people(&cluster, &two, "ann").await;
    chat(&people, "before").await;
    cluster.redis.kill();
    for name in ["a", "b"] {
        cluster
            .msgd(name)
            .says("degraded: the registry is away")
            .await;
    }
    chat(&people, "without it").await;
    cluster.redis.restart();
    for name in ["a", "b"] {
        cluster.msgd(name).says("the lease ran out").await;
    }
    // It has forgotten which ring there was: who has not tells it.
    let back = until("a ring above the one before", async || {
        let back = cluster.ring_of(&["a", "b"]).await;
        (back.ring().epoch() > two.ring().epoch()).then_some(back)
    })
    .await;
    cluster.all_know(&back, &[]).await;
    for name in ["a", "b"] {
        cluster.msgd(name).ready().await;
    }
    chat(&people, "after").await;
    // Clients have stayed all the time.
    assert!(people.iter().all(|person| person.logins() == 1));
}

#[tokio::test]
async fn a_session_outlives_a_new_life_of_the_store() {
    let redis = Server::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let url = redis.url();
    let mut cluster = Leased::start_on(&["a", "b"], (redis, url, 0)).await;
    let two = cluster.ring_of(&["a", "b"]).await;
    cluster.all_know(&two, &[]).await;
    let address = cluster.connds[0].address();
    let ann = Person::comes(&address, user_of(&two, "a", "ann").as_str(), "phone").await;
    // Ben's application never takes anything, so what comes is stored.
    let ben = user_of(&two, "b", "ben");
    let mut slow = settings(&address, ben.as_str(), "phone");
    slow.confirmation = Confirmation::Manual;
    let ben = Person::comes_with(slow).await;
    ann.tells(&ben.user, "before").await;

    // Within a lease, so nobody leaves the ring.
    cluster.redis.kill();
    cluster.redis.restart();
    // The server refuses what its former life granted: the shard looks anew.
    let stored = until("a message to be stored", async || {
        let fate = ann.says(&ben.user, "after").await;
        matches!(fate, Fate::Stored { .. }).then_some(())
    });
    stored.await;
    ben.tells(&ann.user, "still here").await;
    assert_eq!(ben.logins(), 1);
}
