//! What a stored message, and a page of a log, cost in CPU time, printed.
//!
//! `cargo test --release -p store-suite --test cost -- --ignored --nocapture`

mod stage;

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::time::{Duration, Instant};

use bytes::Bytes;
use msgd_core::store::{Claim, Found, Letter, Outcome, Position, Request, StoreSettings};
use proto::group::Range;
use proto::ids::{Incarnation, MessageId, Stamp, UserId};
use proto::link::Message;
use proto::slot::Slot;
use redis_stage::Server;
use stage::Embedded;
use stage::entries::{group, make, member, write, writing};
use stage::redis::{Process, settings};
use store_suite::Carries;

const USERS: u64 = 10_000;
const ROUNDS: u64 = 20;
const BODY_BYTES: usize = 100;
/// What is done with each message.
type Step = fn(Claim, UserId, u64) -> Request;
const STEPS: [(&str, Step); 3] = [("append", append), ("read", read), ("advance", advance)];

/// A store that is asked and tells, however it does that.
trait Works {
    fn ask(&self, requests: VecDeque<Request>);
    fn next(&self) -> Outcome;
    fn claim(&mut self, request: Request) -> Vec<Outcome>;
    fn stop(self);
}

impl Works for Embedded {
    fn ask(&self, mut requests: VecDeque<Request>) {
        self.place(0).ask(&mut requests).unwrap();
    }

    fn next(&self) -> Outcome {
        Embedded::next(self).1
    }

    fn claim(&mut self, request: Request) -> Vec<Outcome> {
        self.carry_out(request)
    }

    fn stop(self) {
        Embedded::stop(self);
    }
}

impl Works for Process {
    fn ask(&self, requests: VecDeque<Request>) {
        Process::ask(self, requests);
    }

    fn next(&self) -> Outcome {
        Process::next(self)
    }

    fn claim(&mut self, request: Request) -> Vec<Outcome> {
        Self::carry_out(self, [request])
    }

    fn stop(self) {
        Process::stop(self);
    }
}

#[test]
#[ignore = "measures"]
fn cost_of_a_stored_message() {
    for group in [64, 256, 1024] {
        // Mailboxes that are emptied each time, and mailboxes that fill first.
        for rounds in [1, ROUNDS] {
            let directory = tempfile::tempdir().unwrap();
            let store = Embedded::open(directory.path(), StoreSettings::default());
            measure(store, (group, rounds), None);
        }
    }
}

#[test]
#[ignore = "measures"]
fn cost_of_a_message_in_redis() {
    for fsync in ["everysec", "always"] {
        println!("appendfsync {fsync}");
        for group in [64, 256, 1024] {
            for rounds in [1, ROUNDS] {
                let server = Server::start_with(&["--appendonly", "yes", "--appendfsync", fsync]);
                let redis = settings(&server.url(), None);
                let store = Process::start(&redis, StoreSettings::default());
                measure(store, (group, rounds), Some(server.process()));
            }
        }
    }
}

#[test]
#[ignore = "measures"]
fn cost_of_a_group() {
    let directory = tempfile::tempdir().unwrap();
    let store = Embedded::open(directory.path(), StoreSettings::default());
    measure_group(store, None);
}

#[test]
#[ignore = "measures"]
fn cost_of_a_group_in_redis() {
    for fsync in ["everysec", "always"] {
        println!("appendfsync {fsync}");
        let server = Server::start_with(&["--appendonly", "yes", "--appendfsync", fsync]);
        let redis = settings(&server.url(), None);
        let store = Process::start(&redis, StoreSettings::default());
        measure_group(store, Some(server.process()));
    }
}

/// One group with a log as long as it gets, and longer: so the oldest go.
fn measure_group<S: Works>(mut store: S, server: Option<u32>) {
    const ENTRIES: u64 = 120_000;
    const PAGES: u64 = 10_000;
    const PAGE: usize = 100;
    const MEMBERS: u64 = 10_000;
    let claim = claims(&mut store)[&Slot::of_group(&group("team"))];
    let mut begin = make();
    begin.members.clear();
    store.ask(VecDeque::from([writing(claim, "team", begin)]));
    check(store.next());
    let append = |seq| {
        let mut write = write(seq..seq + 1);
        write.members.clear();
        writing(claim, "team", write)
    };
    let page = |range| Request::ReadLog {
        claim,
        group: group("team"),
        reader: 1,
        range,
        count_max: PAGE,
        bytes_max: usize::MAX,
    };
    let join = |number| {
        let mut write = write(ENTRIES + 1..ENTRIES + 1);
        write.members = vec![(user(number), Some(member(0)))];
        writing(claim, "team", write)
    };
    let open = Request::OpenGroup {
        claim,
        group: group("team"),
        since: Stamp(0),
    };
    // Everywhere in what is kept.
    let place = |number| 20_001 + number * 7_919 % (100_000 - 2 * PAGE as u64);
    type Ask<'a> = &'a dyn Fn(u64) -> Request;
    let steps: [(&str, u64, Ask<'_>); 6] = [
        ("append", ENTRIES, &|number| append(number + 1)),
        ("page after", PAGES, &|n| page(Range::After(place(n)))),
        ("page before", PAGES, &|n| {
            page(Range::Before(place(n) + PAGE as u64))
        }),
        ("page since", PAGES, &|n| {
            page(Range::Since(Stamp(place(n))))
        }),
        ("row of a member", MEMBERS, &join),
        ("open", 64, &|_| open.clone()),
    ];
    for (step, count, request) in steps {
        let (before, began) = (cpu_us(server), Instant::now());
        for first in (0..count).step_by(64) {
            let numbers = first..count.min(first + 64);
            store.ask(numbers.clone().map(request).collect());
            numbers.for_each(|_| check(store.next()));
        }
        println!(
            "{step}: {:.0} a second",
            count as f64 / began.elapsed().as_secs_f64()
        );
        for (thread, us) in cpu_us(server) {
            let us = us.saturating_sub(before.get(&thread).copied().unwrap_or(0));
            if us > 0 {
                println!("  {thread}: {:.2} us of CPU", us as f64 / count as f64);
            }
        }
    }
    store.stop();
}

fn measure<S: Works>(mut store: S, (group, rounds): (u64, u64), server: Option<u32>) {
    let began = Instant::now();
    let claims = claims(&mut store);
    println!("all slots claimed in {:?}", began.elapsed());
    let mut spent: HashMap<(&str, String), u64> = HashMap::new();
    let mut took: HashMap<&str, Duration> = HashMap::new();
    for round in (0..ROUNDS).step_by(rounds as usize) {
        for (step, request) in STEPS {
            let before = cpu_us(server);
            let began = Instant::now();
            for number in round..round + rounds {
                each_user(&store, group, |user| {
                    let claim = claims[&Slot::of(&user)];
                    request(claim, user, number + 1)
                });
            }
            *took.entry(step).or_default() += began.elapsed();
            for (thread, us) in cpu_us(server) {
                let before = before.get(&thread).copied().unwrap_or(0);
                *spent.entry((step, thread)).or_default() += us.saturating_sub(before);
            }
        }
    }
    println!("groups of {group}, {rounds} messages in a mailbox, us of CPU:");
    let mut spent: Vec<_> = spent.into_iter().collect();
    spent.sort();
    for ((step, thread), us) in spent {
        println!(
            "  {step} {thread}: {:.2}",
            us as f64 / (USERS * ROUNDS) as f64
        );
    }
    for (step, _) in STEPS {
        let rate = (USERS * ROUNDS) as f64 / took[step].as_secs_f64();
        println!("  {step}: {rate:.0} a second");
    }
    store.stop();
}

/// Asks one request for each user, in groups, and takes the outcomes.
fn each_user(store: &impl Works, group: u64, request: impl Fn(UserId) -> Request) {
    for first in (0..USERS).step_by(group as usize) {
        let users = first..USERS.min(first + group);
        store.ask(users.clone().map(user).map(&request).collect());
        for _ in users {
            check(store.next());
        }
    }
}

fn claims(store: &mut impl Works) -> HashMap<Slot, Claim> {
    let slots = Slot::all().collect();
    let shard = Incarnation(1);
    let outcomes = store.claim(Request::Claim { slots, shard });
    outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Claimed { claim, .. } => (claim.slot, claim),
            other => panic!("claimed expected, not {other:?}"),
        })
        .collect()
}

fn user(number: u64) -> UserId {
    UserId::new(format!("user{number:05}")).unwrap()
}

fn append(claim: Claim, user: UserId, number: u64) -> Request {
    let message = Message {
        from: self::user(number),
        id: MessageId::mint(number, [1; 10]),
        to: user.clone(),
        stamp: Stamp(number),
        body: Bytes::from_static(&[7; BODY_BYTES]),
    };
    let fingerprint = number;
    Request::Append {
        claim,
        user,
        behind: Position(0),
        messages: vec![Letter {
            message,
            fingerprint,
        }],
    }
}

fn read(claim: Claim, user: UserId, number: u64) -> Request {
    Request::Read {
        claim,
        user,
        reader: 1,
        from: Position(number),
        count_max: 1,
        bytes_max: 1_000,
    }
}

fn advance(claim: Claim, user: UserId, number: u64) -> Request {
    Request::Advance {
        claim,
        user,
        cursor: Position(number + 1),
    }
}

fn check(outcome: Outcome) {
    match outcome {
        Outcome::Appended { count: 1, .. } | Outcome::Advanced { done: true, .. } => {}
        Outcome::Read {
            letters: Some(letters),
            ..
        } if letters.len() == 1 => {}
        Outcome::GroupWritten { done: true, .. } => {}
        Outcome::GroupOpened {
            found: Found::Group(found),
            ..
        } if found.members.len() == 10_000 => {}
        Outcome::LogRead {
            page: Some(page), ..
        } if page.entries.len() == 100 => {}
        other => panic!("not {other:?}"),
    }
}

/// By name of the threads of this process, and of a server's main thread and
/// its others, by the scheduler's accounts.
fn cpu_us(server: Option<u32>) -> HashMap<String, u64> {
    let mut spent = HashMap::new();
    let server = server.map(|process| format!("/proc/{process}/task"));
    for tasks in ["/proc/self/task".to_owned()].into_iter().chain(server) {
        for task in fs::read_dir(tasks).unwrap() {
            let task = task.unwrap().path();
            // A thread may end meanwhile.
            let name = fs::read_to_string(task.join("comm")).unwrap_or_default();
            let stat = fs::read_to_string(task.join("schedstat")).unwrap_or_default();
            let nanos = stat.split(' ').next().and_then(|text| text.parse().ok());
            *spent.entry(name.trim().to_owned()).or_default() += nanos.unwrap_or(0) / 1_000;
        }
    }
    spent
}
