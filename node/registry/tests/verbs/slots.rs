//! Who has slots, since when, and what that is worth to the scripts.

use proto::ids::{Epoch, Incarnation};
use redis_stage::Server;
use registry::client::Registry;
use registry::look::Sign;
use registry::watcher::{Dead, Errand, Own};

use super::server::record;
use super::{NONE, name, registry, shows};

#[tokio::test]
async fn who_has_no_slots_calls_nobody_dead() {
    let server = Server::start();
    let mut registry = registry(&server);
    for (shard, number) in [("a", 1), ("b", 2), ("c", 3)] {
        let shard = name(shard);
        registry.join(NONE, &shard, &record(number)).await.unwrap();
    }
    let since = async |registry: &mut Registry| {
        let look = registry.look().await.unwrap();
        let mut found = look.found.into_iter();
        found.find(|f| f.name == name("c")).unwrap().record.since
    };
    let errand = |since| Errand::Expire {
        by: Own {
            name: name("c"),
            incarnation: Incarnation(3),
        },
        since,
        dead: vec![Dead {
            name: name("a"),
            incarnation: Incarnation(1),
            sign: Sign::Renewed {
                number: 0,
                known: Epoch(1),
            },
        }],
    };
    let first = since(&mut registry).await;
    assert_eq!(first, Epoch(3));
    registry.weigh(NONE, &name("c"), 0).await.unwrap();
    registry.carry_out(NONE, &errand(first)).await.unwrap();
    shows(&mut registry, 4, &["a 1 1", "b 1 2", "c 0 3"]).await;
    // It has slots again, and does not know it yet.
    registry.weigh(NONE, &name("c"), 2).await.unwrap();
    registry.carry_out(NONE, &errand(first)).await.unwrap();
    shows(&mut registry, 5, &["a 1 1", "b 1 2", "c 2 3"]).await;
    let second = since(&mut registry).await;
    assert_eq!(second, Epoch(5));
    registry.carry_out(NONE, &errand(second)).await.unwrap();
    shows(&mut registry, 6, &["b 1 2", "c 2 3"]).await;
}

#[tokio::test]
async fn an_operators_weight_outlives_the_shard_that_had_it() {
    let server = Server::start();
    let mut registry = registry(&server);
    let (a, b) = (name("a"), name("b"));
    registry.join(NONE, &a, &record(1)).await.unwrap();
    registry.join(NONE, &b, &record(2)).await.unwrap();
    registry.weigh(NONE, &b, 0).await.unwrap();
    // It begins anew, as a process does that has lost its lease.
    let mut again = record(2);
    again.incarnation = Incarnation(3);
    registry.join(NONE, &b, &again).await.unwrap();
    shows(&mut registry, 4, &["a 1 1", "b 0 3"]).await;
    let dead = Errand::Expire {
        by: Own {
            name: a.clone(),
            incarnation: Incarnation(1),
        },
        since: Epoch(1),
        dead: vec![Dead {
            name: b.clone(),
            incarnation: Incarnation(3),
            sign: Sign::Renewed {
                number: 0,
                known: Epoch(4),
            },
        }],
    };
    registry.carry_out(NONE, &dead).await.unwrap();
    shows(&mut registry, 5, &["a 1 1"]).await;
    registry.join(NONE, &b, &record(4)).await.unwrap();
    shows(&mut registry, 6, &["a 1 1", "b 0 4"]).await;
    // Who leaves, and who is removed, leaves nothing behind.
    registry.weigh(NONE, &b, 3).await.unwrap();
    let four = Incarnation(4);
    registry.leave(NONE, &b, four).await.unwrap();
    registry.join(NONE, &b, &record(5)).await.unwrap();
    shows(&mut registry, 9, &["a 1 1", "b 1 5"]).await;
    registry.weigh(NONE, &b, 3).await.unwrap();
    registry.remove(NONE, &b).await.unwrap();
    registry.join(NONE, &b, &record(6)).await.unwrap();
    shows(&mut registry, 12, &["a 1 1", "b 1 6"]).await;
}

#[tokio::test]
async fn a_renewal_that_knows_a_later_ring_tells_a_server_that_forgot_it() {
    let server = Server::start();
    let mut registry = registry(&server);
    for (shard, number) in [("a", 1), ("b", 2)] {
        let shard = name(shard);
        registry.join(NONE, &shard, &record(number)).await.unwrap();
    }
    let since = async |registry: &mut Registry| {
        let look = registry.look().await.unwrap();
        let mut all: Vec<u64> = look.found.iter().map(|f| f.record.since.0).collect();
        all.sort_unstable();
        (look.epoch.0, all)
    };
    assert_eq!(since(&mut registry).await, (2, vec![1, 2]));
    let one = (&name("a"), Incarnation(1));
    assert_eq!(registry.renew(one, (1, Epoch(7))).await, Ok(true));
    // That one does not know who is on the present ring.
    assert_eq!(since(&mut registry).await, (8, vec![8, 8]));
    assert_eq!(registry.renew(one, (2, Epoch(7))).await, Ok(true));
    assert_eq!(since(&mut registry).await, (8, vec![8, 8]));
    registry.carry_out(Epoch(8), &Errand::Raise).await.unwrap();
    assert_eq!(since(&mut registry).await, (9, vec![9, 9]));
    registry.weigh(Epoch(11), &name("b"), 2).await.unwrap();
    assert_eq!(since(&mut registry).await, (12, vec![12, 12]));
}
