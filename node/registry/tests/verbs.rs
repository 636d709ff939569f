//! What the scripts do, on a real server.

mod server;
#[path = "verbs/slots.rs"]
mod slots;

use std::time::Duration;

use proto::ids::{Epoch, Incarnation, ShardId};
use redis_stage::{Cluster, Server};
use registry::RegistryError;
use registry::admin::AdminAt;
use registry::client::{By, Registry};
use registry::look::{Look, Record, Sign};
use registry::watcher::{Dead, Errand, Own};
use server::{LEASE, place, record, until};

const NONE: Epoch = Epoch(0);

fn registry(server: &Server) -> Registry {
    Registry::new(&place(&server.url()), Duration::from_secs(5))
}

fn name(text: &str) -> ShardId {
    text.parse().unwrap()
}

/// Renews as one that knows the second ring.
async fn renews(
    registry: &mut Registry,
    shard: &str,
    incarnation: u64,
    number: u64,
) -> Result<bool, RegistryError> {
    let holder = (&name(shard), Incarnation(incarnation));
    registry.renew(holder, (number, Epoch(2))).await
}

/// The epoch, and each shard by name, weight, incarnation and whether it lives.
fn shown(look: &Look) -> (u64, Vec<String>) {
    let mut shards: Vec<String> = look
        .found
        .iter()
        .map(|found| {
            let Record {
                weight,
                incarnation,
                ..
            } = found.record;
            let lives = if found.lease.is_some() { "" } else { " dead" };
            format!("{} {weight} {}{lives}", found.name, incarnation.0)
        })
        .collect();
    shards.sort();
    (look.epoch.0, shards)
}

async fn shows(registry: &mut Registry, epoch: u64, shards: &[&str]) {
    let look = registry.look().await.unwrap();
    let shards = shards.iter().map(|s| (*s).to_owned()).collect();
    assert_eq!(shown(&look), (epoch, shards));
}

/// Waits until the lease of a shard that nobody renews is over.
async fn dies(registry: &mut Registry, shard: &str) {
    until("the end of a lease", async || {
        let look = registry.look().await.unwrap();
        let mut found = look.found.iter();
        let found = found.find(|found| found.name == name(shard));
        found.is_none_or(|f| f.lease.is_none()).then_some(())
    })
    .await;
}

#[tokio::test]
async fn each_change_has_a_number_of_its_own() {
    let server = Server::start();
    let mut registry = registry(&server);
    shows(&mut registry, 0, &[]).await;
    registry.join(NONE, &name("a"), &record(1)).await.unwrap();
    registry.join(NONE, &name("b"), &record(2)).await.unwrap();
    shows(&mut registry, 2, &["a 1 1", "b 1 2"]).await;
    registry.weigh(NONE, &name("b"), 3).await.unwrap();
    shows(&mut registry, 3, &["a 1 1", "b 3 2"]).await;
    // What it has already is no change.
    registry.weigh(NONE, &name("b"), 3).await.unwrap();
    registry.weigh(NONE, &name("b"), 0).await.unwrap();
    shows(&mut registry, 4, &["a 1 1", "b 0 2"]).await;
    registry.remove(NONE, &name("b")).await.unwrap();
    shows(&mut registry, 5, &["a 1 1"]).await;
    assert_eq!(
        registry.weigh(NONE, &name("b"), 1).await,
        Err(RegistryError::Unknown)
    );
    // One that saw more: the number goes on above that.
    let b = registry.join(Epoch(90), &name("b"), &record(3)).await;
    b.unwrap();
    shows(&mut registry, 91, &["a 1 1", "b 1 3"]).await;
}

#[tokio::test]
async fn many_at_once_make_as_many_rings() {
    let server = Server::start();
    let mut tasks = Vec::new();
    for number in 1..=40_u64 {
        let mut registry = registry(&server);
        tasks.push(tokio::spawn(async move {
            let shard = name(&format!("s{number}"));
            registry.join(NONE, &shard, &record(number)).await.unwrap();
            registry.weigh(NONE, &shard, 2).await.unwrap();
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let look = registry(&server).look().await.unwrap();
    assert_eq!((look.epoch, look.found.len()), (Epoch(80), 40));
    assert!(look.found.iter().all(|found| found.record.weight == 2));
}

#[tokio::test]
async fn the_last_one_stays() {
    let server = Server::start();
    let mut registry = registry(&server);
    let (a, b) = (name("a"), name("b"));
    registry.join(NONE, &a, &record(1)).await.unwrap();
    let last = Err(RegistryError::Last);
    assert_eq!(registry.leave(NONE, &a, Incarnation(1)).await, last);
    assert_eq!(registry.remove(NONE, &a).await, last);
    assert_eq!(registry.weigh(NONE, &a, 0).await, last);
    // One that has no slots does not count, nor one that is dead.
    registry.join(NONE, &b, &record(2)).await.unwrap();
    registry.weigh(NONE, &b, 0).await.unwrap();
    assert_eq!(registry.remove(NONE, &a).await, last);
    registry.weigh(NONE, &b, 1).await.unwrap();
    registry.end(Incarnation(2)).await.unwrap();
    assert_eq!(registry.remove(NONE, &a).await, last);
    shows(&mut registry, 4, &["a 1 1", "b 1 2 dead"]).await;
}

#[tokio::test]
async fn a_lease_that_is_over_never_comes_back() {
    let server = Server::start();
    let mut registry = registry(&server);
    let (a, one) = (name("a"), Incarnation(1));
    let joined = registry.join(NONE, &a, &record(1)).await;
    assert_eq!(joined, Ok(Epoch(1)));
    let sign = async |registry: &mut Registry| registry.look().await.unwrap().found[0].sign;
    let (number, known) = (0, Epoch(1));
    assert_eq!(sign(&mut registry).await, Sign::Renewed { number, known });
    let renewed = registry.renew((&a, one), (5, Epoch(1))).await;
    assert_eq!(renewed, Ok(true));
    let (number, known) = (5, Epoch(1));
    assert_eq!(sign(&mut registry).await, Sign::Renewed { number, known });
    let look = registry.look().await.unwrap();
    let left = look.found[0].lease.unwrap();
    assert!(left <= LEASE && left > LEASE / 4, "{left:?}");
    // As long as nobody calls it dead, it may be late.
    dies(&mut registry, "a").await;
    let renewed = registry.renew((&a, one), (6, Epoch(1))).await;
    assert_eq!(renewed, Ok(true));
    registry.end(one).await.unwrap();
    assert_eq!(sign(&mut registry).await, Sign::Over);
    let renewed = registry.renew((&a, one), (7, Epoch(1))).await;
    assert_eq!(renewed, Ok(false));
    shows(&mut registry, 1, &["a 1 1 dead"]).await;
    let unknown = registry.renew((&a, Incarnation(9)), (1, NONE)).await;
    assert_eq!(unknown, Ok(false));
}

#[tokio::test]
async fn a_name_is_taken_over_from_the_dead_and_from_a_former_life_alone() {
    let server = Server::start();
    let mut registry = registry(&server);
    let a = name("a");
    registry.join(NONE, &a, &record(1)).await.unwrap();
    let elsewhere = registry.join(NONE, &a, &record(2)).await;
    let taken = RegistryError::Taken("127.0.0.1:1".to_owned());
    assert_eq!(elsewhere, Err(taken));
    let again = Record {
        incarnation: Incarnation(3),
        ..record(1)
    };
    registry.join(NONE, &a, &again).await.unwrap();
    shows(&mut registry, 2, &["a 1 3"]).await;
    dies(&mut registry, "a").await;
    registry.join(NONE, &a, &record(2)).await.unwrap();
    shows(&mut registry, 3, &["a 1 2"]).await;
    // The former ones have no place, and are known until they have ended.
    let late = registry.leave(NONE, &a, Incarnation(3)).await;
    assert_eq!(late, Err(RegistryError::Unknown));
    let gone = registry.look().await.unwrap().leavers;
    let mut gone: Vec<_> = gone.iter().map(|l| (l.incarnation.0, l.berth.0)).collect();
    gone.sort_unstable();
    assert_eq!(gone, [(1, 1), (3, 1)]);
    let renewed = registry.renew((&a, Incarnation(3)), (1, NONE)).await;
    assert_eq!(renewed, Ok(true));
    registry.end(Incarnation(1)).await.unwrap();
    registry.end(Incarnation(3)).await.unwrap();
    assert_eq!(registry.look().await.unwrap().leavers, []);
}

#[tokio::test]
async fn only_who_stays_silent_expires_and_only_by_a_member() {
    let server = Server::start();
    let mut registry = registry(&server);
    for (shard, number) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
        let shard = name(shard);
        registry.join(NONE, &shard, &record(number)).await.unwrap();
    }
    let renewed = renews(&mut registry, "a", 1, 4).await;
    assert_eq!(renewed, Ok(true));
    let errand = |by: (&str, u64, u64), dead: &[(&str, u64, u64, u64)]| Errand::Expire {
        by: Own {
            name: name(by.0),
            incarnation: Incarnation(by.1),
        },
        since: Epoch(by.2),
        dead: dead
            .iter()
            .map(|(shard, incarnation, number, known)| Dead {
                name: name(shard),
                incarnation: Incarnation(*incarnation),
                sign: Sign::Renewed {
                    number: *number,
                    known: Epoch(*known),
                },
            })
            .collect(),
    };
    // More was heard of it, or it is there as another incarnation.
    let wrong = errand(
        ("c", 3, 3),
        &[("a", 1, 3, 2), ("b", 9, 0, 2), ("x", 7, 0, 1)],
    );
    registry.carry_out(NONE, &wrong).await.unwrap();
    let all = ["a 1 1", "b 1 2", "c 1 3", "d 1 4"];
    shows(&mut registry, 4, &all).await;
    // Said by one who has no place.
    let dead = [("a", 1, 4, 2), ("b", 2, 0, 2)];
    let nobody = errand(("c", 9, 3), &dead);
    registry.carry_out(NONE, &nobody).await.unwrap();
    shows(&mut registry, 4, &all).await;
    let former = errand(("c", 3, 2), &dead);
    registry.carry_out(NONE, &former).await.unwrap();
    shows(&mut registry, 4, &all).await;
    let right = errand(("c", 3, 3), &dead);
    registry.carry_out(NONE, &right).await.unwrap();
    shows(&mut registry, 5, &["c 1 3", "d 1 4"]).await;
    let renewed = renews(&mut registry, "a", 1, 5).await;
    assert_eq!(renewed, Ok(false));
    // Said again, it is no news.
    registry.carry_out(NONE, &right).await.unwrap();
    // One that is going has no place to lose.
    registry
        .leave(NONE, &name("d"), Incarnation(4))
        .await
        .unwrap();
    let going = errand(("c", 3, 3), &[("d", 4, 0, 4)]);
    registry.carry_out(NONE, &going).await.unwrap();
    shows(&mut registry, 6, &["c 1 3"]).await;
    assert_eq!(registry.look().await.unwrap().leavers, []);
    let renewed = renews(&mut registry, "d", 4, 1).await;
    assert_eq!(renewed, Ok(false));
    // Nobody else lives who could have the slots.
    let last = errand(("c", 3, 3), &[("c", 3, 0, 3)]);
    registry.carry_out(NONE, &last).await.unwrap();
    shows(&mut registry, 6, &["c 1 3"]).await;
}

#[tokio::test]
async fn a_server_that_forgot_goes_on_above_what_was_seen() {
    let mut server = Server::start();
    let mut registry = registry(&server);
    let a = name("a");
    registry.join(NONE, &a, &record(1)).await.unwrap();
    server.kill();
    server.restart();
    until("the registry to be there", async || {
        registry.look().await.ok()
    })
    .await;
    registry.join(NONE, &a, &record(2)).await.unwrap();
    shows(&mut registry, 1, &["a 1 2"]).await;
    registry.carry_out(Epoch(7), &Errand::Raise).await.unwrap();
    shows(&mut registry, 8, &["a 1 2"]).await;
    // The next who saw as much need not raise it again.
    registry.carry_out(Epoch(7), &Errand::Raise).await.unwrap();
    shows(&mut registry, 8, &["a 1 2"]).await;
}

#[tokio::test]
async fn gateways_are_there_for_a_lease() {
    let server = Server::start();
    let mut registry = registry(&server);
    registry
        .announce(By::Clients, "im.example:7100")
        .await
        .unwrap();
    registry
        .announce(By::Clients, "10.0.0.1:7100")
        .await
        .unwrap();
    let mut both = registry.look().await.unwrap().gateways;
    both.sort();
    assert_eq!(both, ["10.0.0.1:7100", "im.example:7100"]);
    registry
        .withdraw(By::Clients, "10.0.0.1:7100")
        .await
        .unwrap();
    let one = registry.look().await.unwrap().gateways;
    assert_eq!(one, ["im.example:7100"]);
    until("the end of the lease", async || {
        let look = registry.look().await.unwrap();
        look.gateways.is_empty().then_some(())
    })
    .await;
}

#[tokio::test]
async fn operators_are_told_of_daemons_apart_from_gateways() {
    let server = Server::start();
    let mut registry = registry(&server);
    for (by, address) in [
        (By::Clients, "im.example:7100"),
        (By::Operators, "127.0.0.1:7192"),
        (By::Operators, "127.0.0.1:7191"),
    ] {
        registry.announce(by, address).await.unwrap();
    }
    let shown = |daemons: Vec<AdminAt>| daemons.iter().map(AdminAt::to_string).collect::<Vec<_>>();
    let daemons = shown(registry.daemons().await.unwrap());
    assert_eq!(daemons, ["127.0.0.1:7191", "127.0.0.1:7192"]);
    assert_eq!(registry.look().await.unwrap().gateways.len(), 1);
    registry
        .withdraw(By::Operators, "127.0.0.1:7191")
        .await
        .unwrap();
    until("the end of the leases but one", async || {
        registry
            .announce(By::Operators, "127.0.0.1:7193")
            .await
            .ok()?;
        let daemons = shown(registry.daemons().await.ok()?);
        (daemons == ["127.0.0.1:7193"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn what_is_no_record_is_named() {
    let server = Server::start();
    let mut registry = registry(&server);
    registry.join(NONE, &name("a"), &record(1)).await.unwrap();
    let weight = registry.weigh(NONE, &name("a"), 101).await;
    weight.unwrap();
    let error = registry.look().await.unwrap_err().to_string();
    assert_eq!(
        error,
        "the registry holds something else: `101 1 1 1 127.0.0.1:1` is no shard: it is `WEIGHT RING INCARNATION BERTH HOST:PORT`"
    );
}

#[tokio::test]
async fn a_cluster_of_servers_holds_it_as_well() {
    let servers = Cluster::start();
    let mut registry = Registry::new(&place(&servers.url()), Duration::from_secs(5));
    let (a, b) = (name("a"), name("b"));
    registry.join(NONE, &a, &record(1)).await.unwrap();
    registry.join(NONE, &b, &record(2)).await.unwrap();
    registry
        .announce(By::Clients, "im.example:7100")
        .await
        .unwrap();
    let renewed = registry.renew((&a, Incarnation(1)), (1, Epoch(2)));
    assert_eq!(renewed.await, Ok(true));
    shows(&mut registry, 2, &["a 1 1", "b 1 2"]).await;
    registry.news(Epoch(1), LEASE).await.unwrap();
    registry.leave(NONE, &b, Incarnation(2)).await.unwrap();
    shows(&mut registry, 3, &["a 1 1"]).await;
}
