//! What a stored message costs in CPU time, printed.
//!
//! `cargo test --release -p store-suite --test cost -- --ignored --nocapture`

mod stage;

use std::collections::{HashMap, VecDeque};
use std::fs;
use std::time::Instant;

use bytes::Bytes;
use msgd_core::store::{Claim, Letter, MailboxSettings, Outcome, Position, Request};
use proto::ids::{Incarnation, MessageId, Stamp, UserId};
use proto::link::Message;
use proto::slot::Slot;
use stage::Embedded;
use store_suite::Carries;

const USERS: u64 = 10_000;
const MESSAGES: u64 = 200_000;
const BODY_BYTES: usize = 100;

#[test]
#[ignore = "measures"]
fn cost_of_a_stored_message() {
    for group in [64, 256, 1024] {
        let directory = tempfile::tempdir().unwrap();
        let mut store = Embedded::open(directory.path(), MailboxSettings::default());
        let began = Instant::now();
        let claims = claims(&mut store);
        println!("all slots claimed in {:?}", began.elapsed());

        // Each user gets one message after the other, reads it, acknowledges it.
        for (step, request) in [
            ("append", append as fn(Claim, UserId, u64) -> Request),
            ("read", read),
            ("advance", advance),
        ] {
            let before = cpu_us();
            let began = Instant::now();
            for first in (0..MESSAGES).step_by(group) {
                let mut requests: VecDeque<Request> = (first..first + group as u64)
                    .map(|number| {
                        let user = user(number % USERS);
                        request(claims[&Slot::of(&user)], user, 1 + number / USERS)
                    })
                    .collect();
                store.place(0).ask(&mut requests).unwrap();
                for _ in 0..group {
                    check(store.next().1);
                }
            }
            let messages = (MESSAGES.div_ceil(group as u64) * group as u64) as f64;
            println!(
                "groups of {group}: {step} {:.2} us CPU, {:.0} per s",
                (cpu_us() - before) as f64 / messages,
                messages / began.elapsed().as_secs_f64(),
            );
        }
        store.stop();
    }
}

fn claims(store: &mut Embedded) -> HashMap<Slot, Claim> {
    let slots = Slot::all().collect();
    let shard = Incarnation(1);
    let outcomes = store.carry_out(Request::Claim { slots, shard });
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
        other => panic!("not {other:?}"),
    }
}

/// Of all threads of this process, by the scheduler's accounts.
fn cpu_us() -> u64 {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    let nanos = tasks.map(|task| {
        // A thread may end meanwhile.
        let stat = fs::read_to_string(task.unwrap().path().join("schedstat"));
        let stat = stat.unwrap_or_default();
        let nanos = stat.split(' ').next().and_then(|text| text.parse().ok());
        nanos.unwrap_or(0)
    });
    nanos.sum::<u64>() / 1_000
}
