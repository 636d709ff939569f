//! Watching and keeping, on a real server.

mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proto::ids::{Epoch, Incarnation, ShardId};
use redis_stage::Server;
use registry::client::{By, Place, Registry};
use registry::keep::{Holder, keep};
use registry::lease::counted;
use registry::look::{Found, Record, Sign};
use registry::metrics::Metrics;
use registry::tenure::Tenure;
use registry::view::{Standing, View};
use registry::watch::{Watched, Watching, watch};
use registry::watcher::Own;
use server::{LEASE, place, record, until};
use tokio::sync::watch as channel;
use tokio::task::JoinHandle;
use tokio::time::sleep;

fn name(text: &str) -> ShardId {
    text.parse().unwrap()
}

/// A process of a shard that only watches and keeps its lease.
struct Life {
    tasks: [JoinHandle<()>; 2],
    over: Arc<AtomicBool>,
    until: channel::Receiver<Instant>,
    told: channel::Receiver<Watched>,
}

impl Life {
    async fn begin(place: &Place, shard: &str, incarnation: u64) -> Self {
        Self::begin_as(place, shard, record(incarnation)).await
    }

    async fn begin_as(place: &Place, shard: &str, record: Record) -> Self {
        Self::begin_with(place, (shard, 0), record).await
    }

    /// Its renewals count when so many replicas have them.
    async fn begin_with(place: &Place, (shard, replicas): (&str, u32), record: Record) -> Self {
        let watching = Watching::new(place);
        let asked = watching.clock().now().moment;
        let mut registry = Registry::new(place, Duration::from_secs(5));
        let joined = registry.join(Epoch(0), &name(shard), &record).await;
        let own = Own {
            name: name(shard),
            incarnation: record.incarnation,
        };
        let tenure = Tenure::new(LEASE, own.incarnation, joined.unwrap(), asked);
        watching.lock().sits(Some(own));
        let (tell, told) = channel::channel(Watched::default());
        let looking = watch(place.clone(), watching.clone(), Metrics::default(), tell);
        let looking = tokio::spawn(looking);
        let holder = Holder::new(
            (name(shard), replicas),
            tenure,
            watching,
            Metrics::default(),
        );
        let over = Arc::new(AtomicBool::new(false));
        let (place, ended) = (place.clone(), over.clone());
        let (tell, until) = channel::channel(holder.until());
        let knows = holder.clone();
        let mut seen = told.clone();
        let keeping = tokio::spawn(async move {
            let learning = async {
                while seen.changed().await.is_ok() {
                    if let Some(view) = seen.borrow_and_update().view.clone() {
                        knows.knows(&view);
                    }
                }
            };
            let tell = |until| {
                tell.send_replace(until);
            };
            tokio::select! {
                () = keep(&place, &holder, asked, tell) => ended.store(true, Ordering::Relaxed),
                () = learning => {}
            }
        });
        let tasks = [looking, keeping];
        Self {
            tasks,
            over,
            until,
            told,
        }
    }

    /// It does nothing any more.
    fn kill(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn watching(place: Place) -> channel::Receiver<Watched> {
    let (tell, told) = channel::channel(Watched::default());
    let watching = Watching::new(&place);
    tokio::spawn(watch(place, watching, Metrics::default(), tell));
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
    let gateway = watching(place.clone());
    let a = Life::begin(&place, "a", 1).await;
    let b = Life::begin(&place, "b", 2).await;
    let c = Life::begin(&place, "c", 3).await;
    sees(&gateway, &["a", "b", "c"]).await;
    // They have told that they know of each other.
    sleep(LEASE * 2).await;
    b.kill();
    let began = Instant::now();
    for told in [&gateway, &a.told, &c.told] {
        sees(told, &["a", "c"]).await;
    }
    let took = began.elapsed();
    assert!(took < LEASE + Duration::from_millis(500), "{took:?}");
    // One change, whoever saw it first, and how many did.
    let view = sees(&gateway, &["a", "c"]).await;
    assert_eq!(view.ring().epoch(), Epoch(4));
}

#[tokio::test]
async fn who_only_watches_calls_nobody_dead() {
    let server = Server::start();
    let place = place(&server.url());
    let gateway = watching(place.clone());
    let a = Life::begin(&place, "a", 1).await;
    let b = Life::begin(&place, "b", 2).await;
    sees(&gateway, &["a", "b"]).await;
    a.kill();
    b.kill();
    sleep(LEASE * 3).await;
    let view = sees(&gateway, &["a", "b"]).await;
    assert_eq!(view.ring().epoch(), Epoch(2));
}

#[tokio::test]
async fn a_former_life_at_the_same_place_is_dead_after_a_lease() {
    let server = Server::start();
    let place = place(&server.url());
    let a = Life::begin(&place, "a", 1).await;
    a.kill();
    let again = Record {
        address: record(1).address,
        berth: record(1).berth,
        ..record(2)
    };
    let began = Instant::now();
    let _a = Life::begin_as(&place, "a", again).await;
    let mut registry = Registry::new(&place, Duration::from_secs(5));
    until("the end of the former life", async || {
        registry
            .look()
            .await
            .unwrap()
            .leavers
            .is_empty()
            .then_some(())
    })
    .await;
    let took = began.elapsed();
    assert!(took > LEASE && took < LEASE * 2, "{took:?}");
}

#[tokio::test]
async fn a_renewal_that_no_replica_has_does_not_count() {
    let server = Server::start();
    let place = place(&server.url());
    let a = Life::begin_with(&place, ("a", 1), record(1)).await;
    let b = Life::begin_with(&place, ("b", 0), record(2)).await;
    let mut registry = Registry::new(&place, Duration::from_secs(5));
    until("three renewals", async || {
        let look = registry.look().await.unwrap();
        let number = |sign| match sign {
            Sign::Renewed { number, .. } => number,
            Sign::Lost | Sign::Over => 0,
        };
        let three = |found: &Found| number(found.sign) >= 3;
        (look.found.len() == 2 && look.found.iter().all(three)).then_some(())
    })
    .await;
    assert!(!a.until.has_changed().unwrap(), "nothing was confirmed");
    assert!(b.until.has_changed().unwrap());
}

#[tokio::test]
async fn a_lease_is_kept_and_counted_from_before_it_was_asked_for() {
    let server = Server::start();
    let place = place(&server.url());
    let _b = Life::begin(&place, "b", 2).await;
    let asked = Instant::now();
    let mut a = Life::begin(&place, "a", 1).await;
    for _ in 0..6 {
        a.until.changed().await.unwrap();
        let until = *a.until.borrow_and_update();
        assert!(until <= Instant::now() + counted(LEASE));
        assert!(until > Instant::now());
    }
    assert!(asked.elapsed() > LEASE);
    // It is taken away: that is told, and the end of it.
    let mut registry = Registry::new(&place, Duration::from_secs(5));
    registry.end(Incarnation(1)).await.unwrap();
    until("the end of the lease", async || {
        a.over.load(Ordering::Relaxed).then_some(())
    })
    .await;
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
