//! The daemon as a process: what it keeps when it is killed, how it stops,
//! what it refuses, what it shows.

mod stage;

use std::os::unix::process::ExitStatusExt;
use std::process::Command;
use std::time::{Duration, Instant};

use proto::codes::Code;
use proto::friends::FriendAction;
use proto::graph::GraphAnswer;
use tokio::sync::watch;
use tokio::task::JoinSet;

use stage::pairs::{check, request_for_ever};
use stage::{Process, change, command, get, page};

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let data = tempfile::tempdir().unwrap();
    let mut pairs = Vec::new();
    for round in 1..=3 {
        let mut process = Process::started(data.path(), &[]);
        check(&mut process.asker().await, &pairs).await;
        let (told, mut acknowledged) = watch::channel(0);
        let mut askers = JoinSet::new();
        for number in 0..8 {
            let asker = process.asker().await;
            askers.spawn(request_for_ever(asker, (round, number), told.clone()));
        }
        acknowledged.wait_for(|n| *n > round * 100).await.unwrap();
        process.child.kill().unwrap();
        assert_eq!(process.child.wait().unwrap().signal(), Some(9));
        pairs.extend(askers.join_all().await.into_iter().flatten());
    }
    let process = Process::started(data.path(), &[]);
    check(&mut process.asker().await, &pairs).await;
}

#[tokio::test]
async fn it_stops_within_a_second_though_somebody_is_connected() {
    let data = tempfile::tempdir().unwrap();
    let mut process = Process::started(data.path(), &[]);
    let mut asker = process.asker().await;
    asker.ask(get("ann")).await.unwrap();
    let began = Instant::now();
    let pid = process.child.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    assert!(process.child.wait().unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(1));
    asker.ask(get("ann")).await.unwrap_err();
}

#[test]
fn it_serves_nobody_beyond_this_machine() {
    let data = tempfile::tempdir().unwrap();
    for port in ["--listen", "--admin"] {
        let output = command(data.path(), &[port, "0.0.0.0:0"]).output().unwrap();
        assert!(!output.status.success(), "{port}");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(said.contains("0.0.0.0:0"), "{said}");
        assert!(said.contains("loopback"), "{said}");
    }
}

#[test]
fn a_wrong_flag_is_named_with_what_is_allowed() {
    let data = tempfile::tempdir().unwrap();
    let output = command(data.path(), &["--blocks", "loud"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    for part in ["--blocks", "told", "hidden", "loud"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[tokio::test]
async fn blocks_are_told_or_hidden_as_flagged() {
    for (flags, told) in [(&[][..], true), (&["--blocks", "hidden"][..], false)] {
        let data = tempfile::tempdir().unwrap();
        let process = Process::started(data.path(), flags);
        let mut asker = process.asker().await;
        let block = change("ben", FriendAction::Block, "ann", (0, 0));
        let blocked = asker.ask(block).await.unwrap();
        assert!(matches!(blocked, GraphAnswer::Changed { .. }));
        let request = change("ann", FriendAction::Request, "ben", (0, 1));
        let answer = asker.ask(request).await.unwrap();
        let code = Code::Blocked;
        assert_eq!(answer == GraphAnswer::Refused { code }, told, "{answer:?}");
    }
}

#[tokio::test]
async fn it_shows_its_figures() {
    let data = tempfile::tempdir().unwrap();
    let process = Process::started(data.path(), &[]);
    let mut asker = process.asker().await;
    asker.ask(get("ann")).await.unwrap();
    asker.ask(get("ann")).await.unwrap();
    let request = change("ann", FriendAction::Request, "ben", (7, 7));
    asker.ask(request).await.unwrap();
    assert!(page(process.admin, "/readyz").contains("200 OK"));
    let figures = page(process.admin, "/metrics");
    for figure in [
        "im_friendd_requests_total{kind=\"get\"} 2",
        "im_friendd_requests_total{kind=\"request\"} 1",
        "im_friendd_answers_total{kind=\"list\"} 2",
        "im_friendd_answers_total{kind=\"conflict\"} 1",
        "im_friendd_loads_total 2",
        "im_friendd_users 2",
        "im_friendd_waiting 0",
        "im_store_open 1",
    ] {
        assert!(
            figures.lines().any(|line| line == figure),
            "{figure} in {figures}"
        );
    }
}
