//! What survives the death of the process, and a disk that refuses.
//!
//! Both need a process of their own: this test program starts itself again
//! and runs one of the ignored tests there.

mod stage;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rlimit::Resource;
use stage::{Outcome, Request, Stage, get, put, value};
use store::Failure;

const DATA: &str = "STORE_TEST_DATA";

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    let mut acknowledged = 0;
    for round in 1..=3 {
        let mut child = run("child_that_writes_for_ever", directory.path());
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        for _ in 0..round * 700 {
            acknowledged = lines
                .next()
                .expect("still writing")
                .unwrap()
                .parse()
                .unwrap();
        }
        child.kill().unwrap();
        // What it had told before it died counts as well.
        for line in lines.map_while(Result::ok) {
            acknowledged = line.parse().unwrap();
        }
        assert_eq!(child.wait().unwrap().signal(), Some(9));

        let mut stage = Stage::started(directory.path());
        for number in 0..=acknowledged {
            let name = format!("{number:08}");
            assert_eq!(
                stage.ask(get(&name)).unwrap(),
                value(&text(number)),
                "{name}"
            );
        }
        stage.stop().unwrap();
    }
}

/// Continues where the former one was killed, and tells each acknowledged
/// number on stderr, which the test harness leaves alone.
#[test]
#[ignore = "started by what_was_acknowledged_survives_a_kill"]
fn child_that_writes_for_ever() {
    let mut stage = Stage::started(&data());
    let all = Request::List("0".to_owned(), "9".to_owned(), false);
    let Outcome::Names(names) = stage.ask(all).unwrap() else {
        panic!("names expected")
    };
    let mut number = names.len();
    let first = number;
    let mut told = std::io::stderr().lock();
    loop {
        // Groups overlap: the next batch waits while the former is synced.
        stage.submit((number..number + 50).map(|at| put(&format!("{at:08}"), &text(at))));
        number += 50;
        if number - first <= 50 {
            continue;
        }
        for at in number - 100..number - 50 {
            assert_eq!(stage.next_ok(), Outcome::Done);
            told.write_all(format!("{at}\n").as_bytes()).unwrap();
        }
    }
}

#[test]
fn a_full_disk_is_told_and_overcome() {
    let directory = tempfile::tempdir().unwrap();
    let child = run("child_on_a_full_disk", directory.path());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let mut stage = Stage::started(directory.path());
    assert_eq!(stage.ask(get("before")).unwrap(), value("text"));
    assert_eq!(stage.ask(get("after")).unwrap(), value("text"));
}

/// A limit on the size of files stands for the full disk.
#[test]
#[ignore = "started by a_full_disk_is_told_and_overcome"]
fn child_on_a_full_disk() {
    let mut stage = Stage::started(&data());
    assert_eq!(stage.ask(put("before", "text")).unwrap(), Outcome::Done);
    assert!(stage.is_open());

    let (_, hard) = Resource::FSIZE.get().unwrap();
    Resource::FSIZE.set(1, hard).unwrap();
    // More than a group holds: the rest comes when the database is closed.
    stage.submit((0..1100).map(|at| put(&format!("lost {at}"), "text")));
    for at in 0..1100 {
        let failure = stage.next().outcome.unwrap_err();
        let unknown = matches!(failure, Failure::Storage(_));
        assert_eq!(unknown, at < 1024, "{at}: {failure}");
    }
    assert_eq!(stage.rollbacks.load(Ordering::SeqCst), 1);

    Resource::FSIZE.set(hard, hard).unwrap();
    // It opens by itself: a daemon that is not ready gets no requests.
    let patience = Instant::now() + Duration::from_secs(20);
    while !stage.is_open() {
        assert!(Instant::now() < patience, "never open again");
        std::thread::yield_now();
    }
    assert_eq!(stage.ask(put("after", "text")).unwrap(), Outcome::Done);
    assert!(stage.is_open());
    assert_eq!(stage.ask(get("before")).unwrap(), value("text"));
    let cached = Request::Cached("before".to_owned());
    assert_eq!(stage.ask(cached).unwrap(), Outcome::Value(None));
    stage.stop().unwrap();
}

/// Starts this program again for one of its ignored tests. The shell makes a
/// write beyond the limit an error instead of the end of the process.
fn run(test: &str, data: &Path) -> std::process::Child {
    Command::new("sh")
        .args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .env(DATA, data)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn data() -> PathBuf {
    std::env::var_os(DATA)
        .expect("started by another test")
        .into()
}

fn text(number: usize) -> String {
    format!("text {number} ").repeat(20)
}
