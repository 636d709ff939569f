//! What survives the death of the process, and a disk that refuses.
//!
//! Both need a process of their own: this test program starts itself again
//! and runs one of the ignored tests there.

mod stage;

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use msgd_core::store::{
    Claim, Letter, LogSettings, MailboxSettings, Outcome, Position, Remembered, Request,
    StoreSettings,
};
use proto::ids::{Incarnation, Stamp};
use proto::server::Outcome as Fate;
use proto::slot::Slot;
use rlimit::Resource;
use stage::Embedded;
use stage::entries::{
    claims_group, entry, finds_group, group, make, member, write, writes, writing,
};
use stage::letters::{append, letter, user};
use store_suite::Carries;

const DATA: &str = "STORE_SUITE_DATA";
const SETTINGS: StoreSettings = StoreSettings {
    mailbox: MailboxSettings {
        messages_max: 1_000_000,
        bytes_max: 1_000_000_000,
        age_max: Duration::from_secs(1_000_000),
    },
    log: LogSettings {
        log_max: 1_000_000,
        keep: Duration::from_secs(1_000_000),
    },
};
const USERS: [&str; 3] = ["ann", "ben", "carl"];

#[test]
fn what_was_told_survives_a_kill() {
    let directory = tempfile::tempdir().unwrap();
    for round in 1..=3 {
        let mut child = run("child_that_appends_for_ever", directory.path());
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut told = BTreeMap::new();
        for _ in 0..round * 700 {
            note(&mut told, &lines.next().expect("still writing").unwrap());
        }
        child.kill().unwrap();
        // What it had told before it died counts as well.
        for line in lines.map_while(Result::ok) {
            note(&mut told, &line);
        }
        assert_eq!(child.wait().unwrap().signal(), Some(9));

        let mut store = Embedded::open(directory.path(), SETTINGS);
        for name in USERS {
            let claim = claims(&mut store, Incarnation(1_000), name);
            let letters = reads(&mut store, claim, name);
            let (cursor, end) = told[name];
            let first = letters.first().map_or(end, |(position, _)| position.0);
            let last = letters.last().map_or(0, |(position, _)| position.0);
            assert!(first >= cursor, "{name}: {first} was acknowledged");
            assert!(last + 1 >= end, "{name}: {last} is the last");
            for (number, (position, letter)) in (first..).zip(&letters) {
                assert_eq!(position.0, number, "{name}");
                assert_eq!(letter, &self::letter(name, number));
            }
        }
        let claim = claims_group(&mut store, Incarnation(1_000), "team");
        let (team, log) = finds_group(&mut store, claim, "team").expect("it was made");
        let last = team.head.place.seq;
        assert!(
            last + 1 >= told["team"].1,
            "{last} is the last of the group"
        );
        let entries: Vec<_> = (1..=last).map(entry).collect();
        assert!(log.entries == entries, "{last}");
        // What was written with an entry is there if that is.
        assert_eq!(team.members, [(user("ann"), member(last))]);
        store.stop();
    }
}

/// Two shards append to the mailboxes of three users in batches, and move
/// cursors behind, and one of them writes to a group. What was told is told on stderr, which the test harness
/// leaves alone.
#[test]
#[ignore = "started by what_was_told_survives_a_kill"]
fn child_that_appends_for_ever() {
    let mut store = Embedded::open(&data(), SETTINGS);
    let mut users: Vec<(&str, Claim, u64)> = Vec::new();
    for name in USERS {
        let claim = claims(&mut store, Incarnation(1), name);
        let end = bounds(&mut store, claim, name).1;
        users.push((name, claim, end));
    }
    let team = claims_group(&mut store, Incarnation(1), "team");
    let mut last = match finds_group(&mut store, team, "team") {
        Some((group, _)) => group.head.place.seq,
        None => {
            assert!(writes(&mut store, team, "team", make()));
            0
        }
    };
    // Where the log ends with each write that was asked.
    let mut ends = VecDeque::new();
    let mut told = std::io::stderr().lock();
    let mut untold = 0;
    loop {
        let mut requests = VecDeque::new();
        for count in 1..=3 {
            let write = write(last + 1..last + 1 + count);
            requests.push_back(writing(team, "team", write));
            last += count;
            ends.push_back(last + 1);
        }
        untold += requests.len();
        store.place(0).ask(&mut requests).unwrap();
        for (at, (name, claim, end)) in users.iter_mut().enumerate() {
            let mut requests = VecDeque::new();
            for count in 1..=4 {
                requests.push_back(append(*claim, name, *end..*end + count));
                *end += count;
            }
            requests.push_back(Request::Advance {
                claim: *claim,
                user: user(name),
                cursor: Position(end.saturating_sub(15).max(1)),
            });
            untold += requests.len();
            store.place(at % 2).ask(&mut requests).unwrap();
        }
        // Groups overlap: the next batch waits while the former is synced.
        while untold > 15 {
            let line = match store.next().1 {
                Outcome::Appended {
                    user, first, count, ..
                } => format!("{user} end {}\n", first.0 + count as u64),
                Outcome::Advanced { user, .. } => format!("{user} advanced\n"),
                Outcome::GroupWritten { done: true, .. } => {
                    format!("team end {}\n", ends.pop_front().unwrap())
                }
                other => panic!("not {other:?}"),
            };
            told.write_all(line.as_bytes()).unwrap();
            untold -= 1;
        }
    }
}

/// Remembers the cursor and the end that a line tells of.
fn note(told: &mut BTreeMap<String, (u64, u64)>, line: &str) {
    let words: Vec<&str> = line.split(' ').collect();
    let (cursor, end) = told.entry(words[0].to_owned()).or_insert((1, 1));
    match words[1..] {
        ["end", number] => *end = number.parse().unwrap(),
        // It was asked after the appends before it.
        ["advanced"] => *cursor = end.saturating_sub(15).max(1),
        _ => panic!("what is {line:?}?"),
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
}

/// A limit on the size of files stands for the full disk.
#[test]
#[ignore = "started by a_full_disk_is_told_and_overcome"]
fn child_on_a_full_disk() {
    let mut store = Embedded::open(&data(), SETTINGS);
    let name = "ann";
    let claim = claims(&mut store, Incarnation(1), name);
    store.carry_out(append(claim, name, 1..3));
    let team = claims_group(&mut store, Incarnation(1), "team");
    assert!(writes(&mut store, team, "team", make()));
    assert!(writes(&mut store, team, "team", write(1..3)));
    let leaving = claims(&mut store, Incarnation(1), "carl");
    let recent = vec![Remembered {
        to: user("carl"),
        identity: letter("carl", 1).message.identity(),
        stamp: Stamp(1),
        fingerprint: 1,
        fate: Fate::Stored,
    }];
    let release = Request::Release {
        claim: leaving,
        recent: recent.clone(),
    };

    let (_, hard) = Resource::FSIZE.get().unwrap();
    Resource::FSIZE.set(1, hard).unwrap();
    // The first group fails with the disk, later ones find the database closed.
    let appended = Outcome::AppendFailed {
        claim,
        user: user(name),
    };
    let released = Outcome::ReleaseFailed {
        claim: leaving,
        recent: recent.clone(),
    };
    let slot = Slot::of(&user("ben"));
    let not_written = Outcome::GroupWritten {
        claim: team,
        group: group("team"),
        done: false,
    };
    let claim_ben = Request::Claim {
        slots: vec![slot],
        shard: Incarnation(1),
    };
    for (requests, outcomes) in [
        (
            vec![
                append(claim, name, 3..5),
                writing(team, "team", write(3..5)),
                release.clone(),
            ],
            vec![appended.clone(), not_written.clone(), released],
        ),
        (vec![writing(team, "team", write(3..5))], vec![not_written]),
        (vec![append(claim, name, 3..5)], vec![appended]),
        (vec![claim_ben], vec![Outcome::ClaimFailed { slot }]),
    ] {
        store.place(0).ask(&mut requests.into()).unwrap();
        for outcome in outcomes {
            assert_eq!(store.next(), (0, outcome));
        }
    }

    Resource::FSIZE.set(hard, hard).unwrap();
    let patience = Instant::now() + Duration::from_secs(20);
    while !store.is_open() {
        assert!(Instant::now() < patience, "never open again");
        std::thread::yield_now();
    }
    // The claim is as good as before, and the mailbox is read again: what
    // failed may have been appended whole, once or twice, or not at all.
    let (cursor, end) = bounds(&mut store, claim, name);
    assert_eq!(cursor, 1);
    assert!([3, 5].contains(&end), "{end}");
    let appended = Outcome::Appended {
        claim,
        user: user(name),
        first: Position(end),
        count: 2,
    };
    let outcomes = store.carry_out(append(claim, name, end..end + 2));
    assert_eq!(outcomes, [appended]);
    for (number, (position, letter)) in (1..end + 2).zip(reads(&mut store, claim, name)) {
        assert_eq!(position.0, number);
        assert_eq!(letter, self::letter(name, number));
    }
    // So is the log of the group.
    let (found, _) = finds_group(&mut store, team, "team").expect("it is there");
    let last = found.head.place.seq;
    assert!([2, 4].contains(&last), "{last}");
    assert_eq!(found.members, [(user("ann"), member(last))]);
    assert!(writes(&mut store, team, "team", write(last + 1..last + 3)));
    let (_, log) = finds_group(&mut store, team, "team").expect("it is there");
    assert_eq!(log.entries, (1..last + 3).map(entry).collect::<Vec<_>>());
    // Who was told that the slot is held claims it again.
    claims(&mut store, Incarnation(1), "ben");
    // Who was told that a release failed releases again.
    assert_eq!(store.carry_out(release), []);
    let slots = vec![leaving.slot];
    let shard = Incarnation(2);
    let outcomes = store.carry_out(Request::Claim { slots, shard });
    match &outcomes[..] {
        [Outcome::Claimed { recent: told, .. }] => assert_eq!(*told, recent),
        _ => panic!("claimed expected, not {outcomes:?}"),
    }
    store.stop();
}

/// Starts this program again for one of its ignored tests. The shell makes a
/// write beyond the limit an error instead of the end of the process.
fn run(test: &str, data: &Path) -> Child {
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

fn claims(store: &mut Embedded, shard: Incarnation, name: &str) -> Claim {
    let slots = vec![Slot::of(&user(name))];
    let outcomes = store.carry_out(Request::Claim { slots, shard });
    match outcomes[..] {
        [Outcome::Claimed { claim, .. }] => claim,
        _ => panic!("claimed expected, not {outcomes:?}"),
    }
}

/// Cursor and end.
fn bounds(store: &mut Embedded, claim: Claim, name: &str) -> (u64, u64) {
    let outcomes = store.carry_out(Request::Open {
        claim,
        user: user(name),
        since: Stamp(u64::MAX),
    });
    match &outcomes[..] {
        [
            Outcome::Opened {
                mailbox: Some(mailbox),
                ..
            },
        ] => (mailbox.cursor.0, mailbox.end.0),
        _ => panic!("opened expected, not {outcomes:?}"),
    }
}

fn reads(store: &mut Embedded, claim: Claim, name: &str) -> Vec<(Position, Letter)> {
    let outcomes = store.carry_out(Request::Read {
        claim,
        user: user(name),
        reader: 0,
        from: Position(1),
        count_max: usize::MAX,
        bytes_max: usize::MAX,
    });
    match outcomes.into_iter().next() {
        Some(Outcome::Read {
            letters: Some(letters),
            ..
        }) => letters,
        other => panic!("read expected, not {other:?}"),
    }
}
