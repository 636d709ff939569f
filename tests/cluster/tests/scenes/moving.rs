//! What was stored moves with its user, wherever the user is served next.

use client::UserId;
use cluster::leased::{Leased, user_of};
use cluster::patience::until;
use cluster::person::Person;
use redis_stage::Server;
use registry::view::View;

/// Gives a shard another share of the slots.
async fn weigh(cluster: &Leased, view: &View, shard: &str, weight: u16) {
    let name = shard.parse().unwrap();
    let seen = view.ring().epoch();
    cluster.registry().weigh(seen, &name, weight).await.unwrap();
}

/// Each who is away gets a message more; all of them are stored.
async fn leave_word(from: &Person, away: &[UserId], text: &str) {
    for to in away {
        from.leaves_word(to, text.to_owned()).await;
    }
}

/// Who was away comes, reads these messages in this order and nothing else, and
/// goes again when they are acknowledged.
async fn finds(cluster: &Leased, user: &UserId, texts: &[&str]) {
    let person = Person::comes(&cluster.connds[1].address(), user.as_str(), "phone").await;
    person.reads(texts[texts.len() - 1]).await;
    assert_eq!(person.texts(), texts, "{user}");
    person.leaves().await;
}

#[tokio::test]
async fn mail_is_found_after_a_drain_a_stop_a_kill_and_a_return() {
    let mut cluster = Leased::start(&["a", "b", "c", "d"]).await;
    let four = cluster.ring_of(&["a", "b", "c", "d"]).await;
    cluster.all_know(&four, &[]).await;
    let gateway = cluster.connds[0].address();
    let sender = user_of(&four, "d", "sender");
    let sender = Person::comes(&gateway, sender.as_str(), "phone").await;
    // Of each shard: who looks after each move, and who comes at the end.
    let shards = ["a", "b", "c"];
    let lookers = shards.map(|shard| user_of(&four, shard, "looker"));
    let sleepers = shards.map(|shard| user_of(&four, shard, "sleeper"));
    leave_word(&sender, &lookers, "one").await;
    leave_word(&sender, &sleepers, "one").await;

    weigh(&cluster, &four, "a", 0).await;
    let drained = cluster.ring_of(&["b", "c", "d"]).await;
    cluster.all_know(&drained, &[]).await;
    cluster.msgd("b").stop().await;
    let stopped = cluster.ring_of(&["c", "d"]).await;
    cluster.all_know(&stopped, &["msgd-b"]).await;
    cluster.msgd("c").kill();
    let killed = cluster.ring_of(&["d"]).await;
    cluster.all_know(&killed, &["msgd-b", "msgd-c"]).await;
    for looker in &lookers {
        finds(&cluster, looker, &["one"]).await;
    }
    leave_word(&sender, &lookers, "two").await;
    leave_word(&sender, &sleepers, "two").await;

    // The drained one gets its share again, the others are started again.
    weigh(&cluster, &killed, "a", 1).await;
    for name in ["b", "c"] {
        cluster.add(name);
    }
    let back = until("the ring of before", async || {
        let back = cluster.ring_of(&["a", "b", "c", "d"]).await;
        (back.ring().members() == four.ring().members()).then_some(back)
    })
    .await;
    cluster.all_know(&back, &["msgd-b", "msgd-c"]).await;
    leave_word(&sender, &sleepers, "three").await;
    for looker in &lookers {
        finds(&cluster, looker, &["two"]).await;
    }
    for sleeper in &sleepers {
        finds(&cluster, sleeper, &["one", "two", "three"]).await;
    }
}

/// Slots that nobody asked for since the server was started again were granted
/// by its former life: they move all the same.
#[tokio::test]
async fn slots_move_after_the_store_was_started_again() {
    let redis = Server::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let url = redis.url();
    let mut cluster = Leased::start_on(&["a"], (redis, url, 0)).await;
    let one = cluster.ring_of(&["a"]).await;
    cluster.all_know(&one, &[]).await;
    let gateway = cluster.connds[0].address();
    let sender = user_of(&one, "a", "sender");
    let sender = Person::comes(&gateway, sender.as_str(), "phone").await;
    let sleeper = user_of(&one, "a", "sleeper");
    leave_word(&sender, std::slice::from_ref(&sleeper), "before").await;
    cluster.redis.kill();
    cluster.redis.restart();
    cluster.add("b");
    let two = cluster.ring_of(&["a", "b"]).await;
    cluster.all_know(&two, &[]).await;
    cluster.msgd("b").ready().await;
    cluster.msgd("a").ready().await;
    leave_word(&sender, std::slice::from_ref(&sleeper), "after").await;
    finds(&cluster, &sleeper, &["before", "after"]).await;
}
