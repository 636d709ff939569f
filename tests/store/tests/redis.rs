//! The store in Redis keeps the contract, with a server alone and in a Cluster.

mod stage;

use std::time::{Duration, Instant};

use bytes::Bytes;
use msgd_core::store::{Claim, Letter, MailboxSettings, Outcome, Position, Request, StoreSettings};
use proto::ids::{Incarnation, MessageId, Stamp, UserId};
use proto::link::Message;
use proto::slot::Slot;
use redis_stage::{Cluster, Server};
use stage::redis::{InRedis, Process, asking, settings};
use store_suite::conforms;

#[test]
fn the_store_in_one_redis_conforms() {
    let server = Server::start();
    conforms(|settings| {
        server.ask(&["FLUSHALL"]);
        InRedis::new(&server.url(), settings, asking(&server))
    });
}

#[test]
fn the_store_in_a_cluster_conforms() {
    let mut cluster = Cluster::start();
    let url = cluster.url();
    conforms(|settings| {
        for server in cluster.servers() {
            server.ask(&["FLUSHALL"]);
        }
        InRedis::new(&url, settings, asking(&cluster.servers()[0]))
    });
}

/// Nobody pays for mailboxes that were emptied.
#[test]
fn the_streams_of_empty_mailboxes_go() {
    let server = Server::start();
    let process = Process::start(&settings(&server.url(), None), StoreSettings::default());
    let claim = claims(&process, "ann");
    let streams = || server.ask(&["EXISTS", &format!("im:{{{}}}:m:ann", claim.slot)]);
    process.carry_out([append(claim, "ann", 1), append(claim, "ann", 2)]);
    process.carry_out([advance(claim, "ann", 3)]);
    assert_eq!(streams(), "1", "mail may come again soon");
    let begun = Instant::now();
    while streams() == "1" {
        assert!(begun.elapsed() < Duration::from_secs(60), "never removed");
        std::thread::sleep(Duration::from_millis(100));
    }
    let name = format!("im:{{{}}}:mail", claim.slot);
    assert_eq!(server.ask(&["SCARD", &name]), "0");
    // Positions go on.
    let appended = Outcome::Appended {
        claim,
        user: user("ann"),
        first: Position(3),
        count: 1,
    };
    assert_eq!(process.carry_out([append(claim, "ann", 3)]), [appended]);
}

/// What a request could not do, those behind it on the same user do not do
/// either, or not so that it counts.
#[test]
fn what_follows_a_failure_fails() {
    let server = Server::start();
    let process = Process::start(&settings(&server.url(), None), StoreSettings::default());
    let ann = claims(&process, "ann");
    let ben = claims(&process, "ben");
    process.carry_out([append(ann, "ann", 1), append(ben, "ben", 1)]);
    // An append needs memory, trimming does not.
    server.ask(&["CONFIG", "SET", "maxmemory", "1"]);
    let told = process.carry_out([
        append(ann, "ann", 2),
        advance(ben, "ben", 2),
        advance(ann, "ann", 2),
    ]);
    let (claim, user) = (ann, user("ann"));
    let appended = Outcome::AppendFailed {
        claim,
        user: user.clone(),
    };
    let advanced = |claim, user, done| Outcome::Advanced { claim, user, done };
    let expected = [
        appended,
        advanced(ben, self::user("ben"), true),
        advanced(ann, user.clone(), false),
    ];
    assert_eq!(told, expected);
    server.ask(&["CONFIG", "SET", "maxmemory", "0"]);
    let first = Position(2);
    let count = 1;
    let expected = Outcome::Appended {
        claim,
        user,
        first,
        count,
    };
    assert_eq!(process.carry_out([append(ann, "ann", 2)]), [expected]);
}

/// What is known of them stays good.
#[test]
fn who_is_on_another_server_than_the_lost_one_is_not_looked_up_again() {
    let mut cluster = Cluster::start_partial();
    let process = Process::start(&settings(&cluster.url(), None), StoreSettings::default());
    let mut claimed = |name: &str| {
        let claim = claims(&process, name);
        process.carry_out([append(claim, name, 1)]);
        let key = format!("im:{{{}}}:m:{name}", claim.slot);
        let has = |server: &Server| server.ask(&["EXISTS", &key]) == "1";
        let server = cluster.servers().iter().position(has).expect("the key");
        (claim, server)
    };
    let (ann, lost) = claimed("ann");
    let names = (0..100).map(|number| format!("ben{number}"));
    let mut bens = names.map(|name| (claimed(&name), name));
    let ((ben, kept), name) = bens
        .find(|((_, at), _)| *at != lost)
        .expect("another server");
    drop(bens);
    cluster.servers()[lost].kill();
    let failed = Outcome::AppendFailed {
        claim: ann,
        user: user("ann"),
    };
    assert_eq!(process.carry_out([append(ann, "ann", 2)]), [failed]);
    let scripts = |cluster: &mut Cluster| {
        let says = cluster.servers()[kept].ask(&["INFO", "commandstats"]);
        let line = says
            .lines()
            .find(|line| line.starts_with("cmdstat_evalsha:"));
        let calls = line.and_then(|line| line.split([':', ',']).nth(1));
        calls.expect("scripts were called").to_owned()
    };
    let before = scripts(&mut cluster);
    let appended = Outcome::Appended {
        claim: ben,
        user: user(&name),
        first: Position(2),
        count: 1,
    };
    assert_eq!(process.carry_out([append(ben, &name, 2)]), [appended]);
    assert_eq!(scripts(&mut cluster), before);
}

/// A Cluster is resharded under a shard: what it asks meanwhile is done or
/// told as failed, and it goes on under a new claim.
#[test]
fn a_slot_of_the_cluster_moves_under_a_shard() {
    let cluster = Cluster::start();
    let process = Process::start(&settings(&cluster.url(), None), StoreSettings::default());
    let claim = claims(&process, "ann");
    process.carry_out([append(claim, "ann", 1)]);
    let moving = cluster.begin_move(&format!("im:{{{}}}", claim.slot));
    let appended = |first| Outcome::Appended {
        claim,
        user: user("ann"),
        first: Position(first),
        count: 1,
    };
    assert_eq!(process.carry_out([append(claim, "ann", 2)]), [appended(2)]);
    moving.move_all();
    assert_eq!(process.carry_out([append(claim, "ann", 3)]), [appended(3)]);
    moving.finish();
    // Whether the other has all that this one had is for a new claim to find out.
    let refused = Outcome::Refused { claim };
    assert_eq!(process.carry_out([append(claim, "ann", 4)]), [refused]);
    let claim = claims(&process, "ann");
    let appended = Outcome::Appended {
        claim,
        user: user("ann"),
        first: Position(4),
        count: 1,
    };
    assert_eq!(process.carry_out([append(claim, "ann", 4)]), [appended]);
}

/// A server that was started again may have forgotten what it answered: nothing
/// is built upon that.
#[test]
fn a_claim_is_good_for_one_life_of_the_server() {
    let mut server = Server::start();
    let process = Process::start(&settings(&server.url(), None), StoreSettings::default());
    let former = claims(&process, "ann");
    for number in 1..=3 {
        process.carry_out([append(former, "ann", number)]);
    }
    server.kill();
    server.restart();
    let refused = Outcome::Refused { claim: former };
    let begun = Instant::now();
    while process.carry_out([append(former, "ann", 4)]) != [refused.clone()] {
        assert!(begun.elapsed() < Duration::from_secs(10), "never refused");
    }
    let mail = format!("im:{{{}}}:m:ann", former.slot);
    assert_eq!(server.ask(&["EXISTS", &mail]), "0");
    let claim = claims(&process, "ann");
    let appended = Outcome::Appended {
        claim,
        user: user("ann"),
        first: Position(1),
        count: 1,
    };
    assert_eq!(process.carry_out([append(claim, "ann", 4)]), [appended]);
}

/// What messages take in the memory of the server, printed.
///
/// `cargo test -p store-suite --test redis -- --ignored --nocapture`
#[test]
#[ignore = "measures"]
fn memory_of_messages() {
    const MESSAGES: u64 = 100_000;
    for mailboxes in [10, 1_000, 10_000, 100_000] {
        let server = Server::start();
        let process = Process::start(
            &settings(&server.url(), None),
            StoreSettings {
                mailbox: MailboxSettings {
                    messages_max: MESSAGES,
                    ..MailboxSettings::default()
                },
                ..StoreSettings::default()
            },
        );
        let slots = Slot::all().collect();
        let shard = Incarnation(1);
        let claimed = process.carry_out([Request::Claim { slots, shard }]);
        let tokens: Vec<Claim> = claimed
            .into_iter()
            .map(|outcome| match outcome {
                Outcome::Claimed { claim, .. } => claim,
                other => panic!("claimed expected, not {other:?}"),
            })
            .collect();
        let used = || {
            let info = server.ask(&["INFO", "memory"]);
            let line = info
                .lines()
                .find_map(|line| line.strip_prefix("used_memory:"));
            line.and_then(|text| text.trim().parse::<u64>().ok())
                .expect("used_memory")
        };
        let before = used();
        for number in 0..MESSAGES / mailboxes {
            for first in (0..mailboxes).step_by(1_000) {
                let names = (first..mailboxes.min(first + 1_000)).map(|at| format!("user{at:06}"));
                let requests: Vec<Request> = names
                    .map(|name| append(tokens[Slot::of(&user(&name)).index()], &name, number + 1))
                    .collect();
                let count = requests.len();
                assert_eq!(process.carry_out(requests).len(), count);
            }
        }
        let taken = used() - before;
        println!(
            "{} messages in each of {mailboxes} mailboxes: {} bytes a message, {} a mailbox",
            MESSAGES / mailboxes,
            taken / MESSAGES,
            taken / mailboxes
        );
        process.stop();
    }
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn claims(process: &Process, name: &str) -> Claim {
    let slots = vec![Slot::of(&user(name))];
    let shard = Incarnation(1);
    match process.carry_out([Request::Claim { slots, shard }])[..] {
        [Outcome::Claimed { claim, .. }] => claim,
        ref other => panic!("claimed expected, not {other:?}"),
    }
}

fn append(claim: Claim, name: &str, number: u64) -> Request {
    let message = Message {
        from: user("carl"),
        id: MessageId::mint(number, [3; 10]),
        to: user(name),
        stamp: Stamp(1_795_000_000_000_000 + number),
        body: Bytes::from_static(&[7; 100]),
    };
    let fingerprint = number;
    Request::Append {
        claim,
        user: user(name),
        behind: Position(0),
        messages: vec![Letter {
            message,
            fingerprint,
        }],
    }
}

fn advance(claim: Claim, name: &str, cursor: u64) -> Request {
    Request::Advance {
        claim,
        user: user(name),
        cursor: Position(cursor),
    }
}
