//! A Redis that fails over to a replica while people are written to: what was
//! told stored is there.

use client::{Fate, UserId};
use cluster::leased::{Leased, user_of};
use cluster::patience::until;
use cluster::person::Person;
use redis_stage::{Cluster, Watched};

/// Writes to who is away until it is told stored; the texts that were.
async fn leave_words(from: &Person, to: &UserId, about: &str, count: usize) -> Vec<String> {
    let mut told = Vec::new();
    for number in 0..count {
        let text = format!("{about} {number}");
        until("a message is stored", async || {
            let fate = from.says(to, text.clone()).await;
            matches!(fate, Fate::Stored { .. }).then_some(())
        })
        .await;
        told.push(text);
    }
    told
}

/// What was told stored before and after a server is lost is found.
async fn outlives<R>(redis: (R, String), lose: impl FnOnce(&mut R)) {
    let (redis, url) = redis;
    let mut cluster = Leased::start_on(&["a", "b"], (redis, url, 1)).await;
    let two = cluster.ring_of(&["a", "b"]).await;
    cluster.all_know(&two, &[]).await;
    let gateway = cluster.connds[0].address();
    let sender = Person::comes(&gateway, user_of(&two, "b", "ann").as_str(), "phone").await;
    let away = ["a", "b"].map(|shard| user_of(&two, shard, "ben"));
    let mut told = Vec::new();
    for user in &away {
        told.push(leave_words(&sender, user, "before", 10).await);
    }
    lose(&mut cluster.redis);
    for (user, told) in away.iter().zip(&mut told) {
        told.extend(leave_words(&sender, user, "after", 10).await);
    }
    for (user, told) in away.iter().zip(&told) {
        let person = Person::comes(&gateway, user.as_str(), "phone").await;
        person.reads(&told[told.len() - 1]).await;
        // What was not told, and tried again, may be there as well.
        let read = person.texts();
        let missing: Vec<_> = told.iter().filter(|text| !read.contains(text)).collect();
        assert!(missing.is_empty(), "{user}: {missing:?} of {told:?}");
    }
}

#[tokio::test]
async fn what_a_replica_has_confirmed_outlives_the_primary_of_sentinels() {
    let watched = Watched::start();
    let url = watched.url();
    outlives((watched, url), |watched| {
        watched.first.kill();
        watched.second_takes_over();
        watched.second_is_followed();
    })
    .await;
}

#[tokio::test]
async fn what_a_replica_has_confirmed_outlives_the_primary_of_a_cluster() {
    let cluster = Cluster::start_replicated();
    let url = cluster.url();
    // The one that knows the ring is the worst to lose.
    let lose = |cluster: &mut Cluster| cluster.lose_primary_of("im:{ring}");
    outlives((cluster, url), lose).await;
}
