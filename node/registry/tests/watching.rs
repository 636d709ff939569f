//! Watching and keeping, on a real server.

mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use proto::ids::{Epoch, Incarnation, ShardId};
use redis_stage::Server;
use registry::client::{By, Place, Registry};
use registry::keep::{counted, keep};
use registry::metrics::Metrics;
use registry::view::{Standing, View};
use registry::watch::{Watched, watch};
use server::{LEASE, place, record, until};
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

fn name(text: &str) -> ShardId {
    text.parse().unwrap()
}

/// A process of a shard that only keeps its lease.
struct Life {
    task: JoinHandle<()>,
    over: Arc<AtomicBool>,
}

impl Life {
    async fn begin(place: &Place, shard: &str, incarnation: u64) -> Self {
        let asked = Instant::now();
        let mut registry = Registry::new(place, Duration::from_secs(5));
        let record = record(incarnation);
        let joined = registry.join(Epoch(0), &name(shard), &record).await;
        joined.unwrap();
        let over = Arc::new(AtomicBool::new(false));
        let (place, shard, ended) = (place.clone(), name(shard), over.clone());
        let task = tokio::spawn(async move {
            let incarnation = Incarnation(incarnation);
            keep(&place, &shard, incarnation, asked, |_| ()).await;
            ended.store(true, Ordering::Relaxed);
        });
        Self { task, over }
    }

    /// It renews nothing any more, as one that is killed.
    fn kill(&self) {
        self.task.abort();
    }
}

fn watching(place: Place) -> channel::Receiver<Watched> {
    let (tell, told) = channel::channel(Watched::default());
    tokio::spawn(watch(place, Metrics::default(), tell));
    told
}

/// Waits until a watcher sees these shards on the ring.
async fn sees(told: &channel::Receiver<Watched>, shards: &[&str]) -> Arc<View> {
    until(&format!("a ring of {shards:?}"), async || {
        let view = told.borrow().view.clone()?;
        let members = view.ring().members().iter();
        let members: Vec<&str> = members.map(|m| m.shard.as_str()).collect();
        (members == shards).then(|| view.clone())
    })
    .await
}

#[tokio::test]
async fn a_change_is_known_at_once() {
    let server = Server::start();
    // Without news it would be known after a second.
    let place = Place {
        lease: Duration::from_secs(30),
        ..place(&server.url())
    };
    let told = watching(place.clone());
    let _a = Life::begin(&place, "a", 1).await;
    sees(&told, &["a"]).await;
    let mut changing = told.clone();
    changing.borrow_and_update();
    let began = Instant::now();
    let _b = Life::begin(&place, "b", 2).await;
    changing.changed().await.unwrap();
    let took = began.elapsed();
    assert!(took < Duration::from_millis(500), "{took:?}");
    let view = sees(&told, &["a", "b"]).await;
    assert_eq!(view.standing(&name("b"), Incarnation(2)), Standing::Member);
}

#[tokio::test]
async fn who_is_killed_is_off_the_ring_soon_after_its_lease() {
    let server = Server::start();
    let place = place(&server.url());
    let told: Vec<_> = (0..3).map(|_| watching(place.clone())).collect();
    let _a = Life::begin(&place, "a", 1).await;
    let b = Life::begin(&place, "b", 2).await;
    sees(&told[0], &["a", "b"]).await;
    // They may say that somebody is dead after a lease without a gap.
    sleep(LEASE * 2).await;
    b.kill();
    let began = Instant::now();
    for told in &told {
        sees(told, &["a"]).await;
    }
    let took = began.elapsed();
    assert!(took < LEASE + Duration::from_millis(500), "{took:?}");
    // One change, whoever saw it first, and how many did.
    assert_eq!(sees(&told[0], &["a"]).await.ring().epoch(), Epoch(3));
}

#[tokio::test]
async fn a_lease_is_kept_and_counted_from_before_it_was_asked_for() {
    let server = Server::start();
    let place = place(&server.url());
    let asked = Instant::now();
    let mut registry = Registry::new(&place, Duration::from_secs(5));
    let a = name("a");
    registry.join(Epoch(0), &a, &record(1)).await.unwrap();
    let (tell, mut told) = channel::channel(asked);
    let keeping = tokio::spawn(async move {
        let tell = |until| {
            tell.send_replace(until);
        };
        keep(&place, &a, Incarnation(1), asked, tell).await;
    });
    for _ in 0..6 {
        told.changed().await.unwrap();
        let until = *told.borrow_and_update();
        assert!(until <= Instant::now() + counted(LEASE));
        assert!(until > Instant::now());
    }
    assert!(asked.elapsed() > LEASE);
    assert!(!keeping.is_finished());
    // It is taken away: that is told, and the end of it.
    registry.end(Incarnation(1)).await.unwrap();
    keeping.await.unwrap();
}

#[tokio::test]
async fn while_it_is_away_the_ring_stands_and_then_all_come_back() {
    let mut server = Server::start();
    let place = place(&server.url());
    let told = watching(place.clone());
    let a = Life::begin(&place, "a", 1).await;
    let b = Life::begin(&place, "b", 2).await;
    let before = sees(&told, &["a", "b"]).await;
    assert!(told.borrow().answers);
    server.kill();
    until("the watcher to notice", async || {
        (!told.borrow().answers).then_some(())
    })
    .await;
    assert_eq!(told.borrow().view, Some(before.clone()));
    server.restart();
    until("both to know that their leases are over", async || {
        let over = |life: &Life| life.over.load(Ordering::Relaxed);
        (over(&a) && over(&b)).then_some(())
    })
    .await;
    // It has forgotten all, and numbers go on above what was seen.
    let _a = Life::begin(&place, "a", 3).await;
    let _b = Life::begin(&place, "b", 4).await;
    until("the new lives on the ring", async || {
        let view = told.borrow().view.clone()?;
        let live =
            |shard, number| view.standing(&name(shard), Incarnation(number)) == Standing::Member;
        (live("a", 3) && live("b", 4)).then_some(())
    })
    .await;
    let after = told.borrow().view.clone().unwrap();
    assert!(after.ring().epoch() > before.ring().epoch());
    assert!(told.borrow().answers);
}

#[tokio::test]
async fn gateways_are_seen_within_an_epoch() {
    let server = Server::start();
    let place = place(&server.url());
    let told = watching(place.clone());
    let _a = Life::begin(&place, "a", 1).await;
    sees(&told, &["a"]).await;
    let mut registry = Registry::new(&place, Duration::from_secs(5));
    registry
        .announce(By::Clients, "im.example:7100")
        .await
        .unwrap();
    until("the gateway", async || {
        let view = told.borrow().view.clone()?;
        (view.gateways() == ["im.example:7100"]).then_some(())
    })
    .await;
    assert_eq!(
        told.borrow().view.as_ref().unwrap().ring().epoch(),
        Epoch(1)
    );
}
