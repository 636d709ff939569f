//! No descriptors are left: who is there stays, who comes waits or is told to
//! come later, and the log says it once.

use client::Code;
use cluster::admin::{figure, risen};
use cluster::bystanders::Bystanders;
use cluster::imd::Imd;
use cluster::line::Line;
use cluster::person::Person;
use proto::server::ServerPacket;
use rustix::process::{Resource, Rlimit, getrlimit, prlimit};
use std::time::{Duration, Instant};

/// Of these files 64 are not for clients.
const FILES: usize = 200;
const CLIENTS: usize = FILES - 64;

const SETTINGS: &str = "\
    policy = \"open\"\n\
    [gateway]\nlogin_patience = \"5 min\"\n\
    [shard]\ndelivery_patience = \"10 s\"";

#[tokio::test]
async fn the_store_and_who_is_there_keep_their_files_in_a_crowd() {
    let starter = [
        "sh",
        "-c",
        &format!("ulimit -n {FILES} && exec \"$0\" \"$@\""),
    ];
    let starter = starter.map(str::to_owned).to_vec();
    let mut imd = Imd::start_inside(|_| starter, |_| SETTINGS.to_owned()).await;
    let (at, admin) = (imd.address(), imd.admin());
    let mut others = Bystanders::come(&at).await;
    let mut crowd = Vec::new();
    for _ in 2..CLIENTS {
        crowd.push(Line::to(&at).await);
    }
    risen(admin, "im_connd_sessions", CLIENTS as u64).await;
    for _ in 0..20 {
        let heard = Line::to(&at).await.hears_all().await;
        let [ServerPacket::Closing(closing)] = &heard[..] else {
            panic!("{heard:?}");
        };
        assert_eq!(closing.code, Code::Overloaded);
    }
    others.go_on().await;
    // One comes in for one who leaves, and the store works.
    drop(crowd.pop());
    let cat = Person::comes(&at, "cat", "phone").await;
    let dan = "dan".parse().unwrap();
    cat.leaves_word(&dan, "nobody is here").await;
    others.end().await;
    let lines = |log: &str| log.lines().filter(|line| line.contains("WARN")).count();
    let log = imd.log();
    assert!(log.contains("limit on open files"), "{log}");
    assert_eq!(lines(&log), 1, "{log}");
}

#[tokio::test]
async fn where_the_system_gives_none_who_comes_waits() {
    let mut imd = Imd::start_by(|_| SETTINGS.to_owned()).await;
    let (at, admin) = (imd.address(), imd.admin());
    let mut others = Bystanders::come(&at).await;
    let before = getrlimit(Resource::Nofile);
    let give = |files: Option<u64>, imd: &mut Imd| {
        let limit = Rlimit {
            current: files,
            maximum: before.maximum,
        };
        prlimit(Some(imd.pid()), Resource::Nofile, limit).unwrap();
    };
    // Fewer than it has, so there is no new one.
    give(Some(3), &mut imd);
    let cat = Person::begins(cluster::person::settings(&at, "cat", "phone"));
    imd.says("cannot accept clients").await;
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(1) {
        others.go_on().await;
    }
    give(before.maximum, &mut imd);
    cat.connected(1).await;
    others.end().await;
    let failures = figure(admin, "im_connd_accept_failures_total").await;
    assert!(failures > Some(4), "{failures:?} times in a second");
    let log = imd.log();
    let lines = log
        .lines()
        .filter(|line| line.contains("cannot accept clients"));
    assert_eq!(lines.count(), 1, "{log}");
}
