//! The daemon over a Redis that dies and comes back.

mod stage;

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use proto::friends::FriendAction;
use proto::graph::GraphAnswer;
use redis_stage::{Server, Watched};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use stage::pairs::{check, request_for_ever};
use stage::{Process, change, get, page};

/// For a daemon to see that Redis is there, or is not.
const PATIENCE: Duration = Duration::from_secs(30);

/// For so long a replica hears nothing.
const DEAF: Duration = Duration::from_millis(300);

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill_of_redis() {
    let mut server = Server::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
    let process = over(&server.url());
    let mut pairs = Vec::new();
    for round in 1..=3 {
        is_ready(process.admin, true).await;
        let (told, mut acknowledged) = watch::channel(0);
        let mut askers = JoinSet::new();
        for number in 0..16 {
            let asker = process.asker().await;
            askers.spawn(request_for_ever(asker, (round, number), told.clone()));
        }
        acknowledged.wait_for(|n| *n > round * 100).await.unwrap();
        server.kill();
        pairs.extend(askers.join_all().await.into_iter().flatten());
        is_ready(process.admin, false).await;
        server.restart();
    }
    is_ready(process.admin, true).await;
    check(&mut process.asker().await, &pairs).await;
}

#[tokio::test]
async fn what_a_replica_has_confirmed_survives_the_primary() {
    let mut watched = Watched::start();
    let process = over_confirmed(&watched.url());
    is_ready(process.admin, true).await;
    let (told, mut acknowledged) = watch::channel(0);
    let mut askers = JoinSet::new();
    for number in 0..16 {
        let asker = process.asker().await;
        askers.spawn(request_for_ever(asker, (0, number), told.clone()));
    }
    acknowledged.wait_for(|n| *n > 100).await.unwrap();
    // What comes while the replica hears nothing is not to be acknowledged.
    signal(&watched.second, "-STOP");
    watched.first.ask(&["CLIENT", "KILL", "TYPE", "replica"]);
    sleep(DEAF).await;
    watched.first.kill();
    signal(&watched.second, "-CONT");
    let pairs: Vec<_> = askers.join_all().await.into_iter().flatten().collect();
    watched.second_takes_over();
    // What was left half done is brought to its end with a replica too.
    watched.second_is_followed();
    is_ready(process.admin, true).await;
    check(&mut process.asker().await, &pairs).await;
}

#[tokio::test]
async fn without_redis_it_starts_and_says_what_is_missing() {
    let mut server = Server::start();
    server.kill();
    let process = over(&server.url());
    let readiness = page(process.admin, "/readyz");
    assert!(readiness.contains("503"), "{readiness}");
    assert!(
        readiness.contains("the store does not answer"),
        "{readiness}"
    );
    let mut asker = process.asker().await;
    let answer = asker.ask(get("ann")).await.unwrap();
    assert_eq!(answer, GraphAnswer::Unavailable);
    server.restart();
    is_ready(process.admin, true).await;
    let answer = asker.ask(get("ann")).await.unwrap();
    assert!(matches!(answer, GraphAnswer::List(_)), "{answer:?}");
}

/// Else an earlier change without an answer, which would end the block, might
/// still come through after it was acknowledged.
#[tokio::test]
async fn a_block_that_stands_is_written_again() {
    let server = Server::start();
    let process = over(&server.url());
    is_ready(process.admin, true).await;
    let mut asker = process.asker().await;
    let mut versions = Vec::new();
    for known in 0..3 {
        let block = change("ann", FriendAction::Block, "ben", (known, 0));
        let answer = asker.ask(block).await.unwrap();
        let GraphAnswer::Changed { actor, .. } = answer else {
            panic!("{answer:?}");
        };
        versions.push(actor.version().0);
    }
    assert_eq!(versions, [1, 2, 3]);
}

fn over(url: &str) -> Process {
    // It has no use for a directory.
    Process::started(Path::new("/dev/null"), &["--store", url])
}

fn over_confirmed(url: &str) -> Process {
    let flags = ["--store", url, "--replicas", "1"];
    Process::started(Path::new("/dev/null"), &flags)
}

fn signal(server: &Server, which: &str) {
    let process = server.process().to_string();
    let sent = Command::new("kill").args([which, &process]).status();
    assert!(sent.unwrap().success());
}

/// Waits until it says so by itself.
async fn is_ready(admin: SocketAddr, ready: bool) {
    let end = Instant::now() + PATIENCE;
    while page(admin, "/readyz").contains("200 OK") != ready {
        assert!(Instant::now() < end, "never: ready is {ready}");
        sleep(Duration::from_millis(20)).await;
    }
}
