//! What shards find in a Redis that was filled from a directory is what they
//! would have found in the directory.

mod stage;

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use msgd::transfer::{Groups, Mailboxes};
use msgd_core::store::{
    Claim, Letter, Mailbox, Outcome, Position, Remembered, Request, Seen, StoreSettings,
};
use proto::ids::{Identity, Incarnation, MessageId, Stamp, UserId};
use proto::link::Message;
use proto::server::{Outcome as Fate, Receipt, ReceiptKind};
use proto::slot::Slot;
use redis_stage::{Cluster, Server};
use shared::Redis;
use shared::transfer::{Step, Thing, TransferError, transfer};
use stage::Embedded;
use stage::entries::{claims_group, finds_group, group, kept, make, member, write, writes};
use stage::redis::{InRedis, asking, settings};
use store::{Settings, Unused};
use store_suite::Carries;

const FORMER: Incarnation = Incarnation(1);
const LATER: Incarnation = Incarnation(2);

/// Users in all states that a directory knows.
const USERS: [&str; 6] = ["dora", "emil", "fay", "gus", "hana", "nobody"];

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn letter(to: &str, number: u64) -> Letter {
    Letter {
        message: Message {
            from: user("carl"),
            id: MessageId::mint(number, [3; 10]),
            to: user(to),
            stamp: Stamp(number),
            body: Bytes::from(format!("text {number}")),
        },
        fingerprint: number * 7,
    }
}

fn claims(store: &mut impl Carries, shard: Incarnation, name: &str) -> (Claim, Vec<Remembered>) {
    let slots = vec![Slot::of(&user(name))];
    match store.carry_out(Request::Claim { slots, shard }).pop() {
        Some(Outcome::Claimed { claim, recent }) => (claim, recent),
        other => panic!("claimed expected, not {other:?}"),
    }
}

fn appends(store: &mut impl Carries, claim: Claim, name: &str, count: u64) -> Option<Position> {
    let outcomes = store.carry_out(Request::Append {
        claim,
        user: user(name),
        behind: Position(0),
        messages: (1..=count).map(|number| letter(name, number)).collect(),
    });
    match outcomes[..] {
        [Outcome::Appended { first, .. }] => Some(first),
        _ => None,
    }
}

fn advances(store: &mut impl Carries, claim: Claim, name: &str, cursor: u64) {
    let (user, cursor) = (user(name), Position(cursor));
    store.carry_out(Request::Advance {
        claim,
        user,
        cursor,
    });
}

fn sees(store: &mut impl Carries, claim: Claim, name: &str, seen: Seen) {
    let user = user(name);
    store.carry_out(Request::Seen { claim, user, seen });
}

fn notes(store: &mut impl Carries, claim: Claim, name: &str, peer: &str, kind: ReceiptKind) {
    let receipt = Receipt {
        peer: user(peer),
        kind,
        up_to: Stamp(77),
    };
    let user = user(name);
    store.carry_out(Request::Note {
        claim,
        user,
        receipt,
    });
}

/// Fills a directory.
fn fill(directory: &Path) {
    let mut store = Embedded::open(directory, StoreSettings::default());
    let mut claim = |name| claims(&mut store, FORMER, name).0;
    let [dora, emil, fay, gus, hana, _] = USERS.map(&mut claim);
    appends(&mut store, dora, "dora", 100);
    advances(&mut store, dora, "dora", 91);
    notes(&mut store, dora, "dora", "carl", ReceiptKind::Read);
    notes(&mut store, dora, "dora", "carl", ReceiptKind::Delivered);
    sees(&mut store, dora, "dora", Seen::At(Stamp(1_000)));
    // All is taken, and the shard has died since.
    appends(&mut store, emil, "emil", 5);
    advances(&mut store, emil, "emil", 6);
    sees(&mut store, emil, "emil", Seen::Here(FORMER));
    let (shard, stamp) = (FORMER, Stamp(2_000));
    let alive = Request::Alive {
        shard,
        stamp,
        steady: false,
    };
    store.carry_out(alive);
    // More is acknowledged than is removed at once.
    appends(&mut store, fay, "fay", 2_500);
    advances(&mut store, fay, "fay", 2_400);
    notes(&mut store, gus, "gus", "dora", ReceiptKind::Read);
    for (claim, name) in [(dora, "dora"), (gus, "gus")] {
        let (user, groups) = (user(name), vec![kept("team"), kept("anew")]);
        store.carry_out(Request::KeepGroups {
            claim,
            user,
            groups,
        });
    }
    // Nobody knows when that shard was alive.
    sees(&mut store, hana, "hana", Seen::Here(Incarnation(99)));
    let recent = vec![Remembered {
        to: user("dora"),
        identity: Identity {
            from: user("carl"),
            id: MessageId::mint(3, [3; 10]),
        },
        stamp: Stamp(3),
        fingerprint: 21,
        fate: Fate::Stored,
    }];
    let claim = dora;
    store.carry_out(Request::Release { claim, recent });
    fill_groups(&mut store);
    store.stop();
}

/// Groups in all states that a directory knows.
const GROUPS: [&str; 5] = ["team", "anew", "aged", "ended", "nothing"];

fn fill_groups(store: &mut Embedded) {
    let mut claim = |name| claims_group(store, FORMER, name);
    let [team, anew, aged, ended, _] = GROUPS.map(&mut claim);
    for (claim, name, entries) in [
        (team, "team", 150),
        (anew, "anew", 1_100),
        (aged, "aged", 80),
        (ended, "ended", 2_500),
    ] {
        assert!(writes(store, claim, name, make()));
        assert!(writes(store, claim, name, write(1..entries + 1)));
    }
    let group = group("ended");
    let claim = ended;
    store.carry_out(Request::EndGroup { claim, group });
    // Its log begins anew, and whom it knows stays.
    let mut begin = make();
    begin.epoch.0 += 1;
    begin.record.as_mut().unwrap().epoch.0 += 1;
    begin.members = vec![(user("ben"), Some(member(1)))];
    assert!(writes(store, anew, "anew", begin));
    // All of it is old, and so is the beginning of another.
    store.carry_out(Request::Alive {
        shard: FORMER,
        stamp: Stamp(100 + 90 * 24 * 60 * 60 * 1_000_000),
        steady: true,
    });
    assert!(writes(store, aged, "aged", write(81..81)));
    assert!(writes(store, team, "team", write(151..152)));
}

/// All that a shard finds of a user.
#[derive(Debug, PartialEq)]
struct Found {
    recent: Vec<Remembered>,
    mailbox: Mailbox,
    letters: Vec<(Position, Letter)>,
    receipts: BTreeMap<String, Stamp>,
    /// Where the next message goes.
    next: Option<Position>,
}

fn finds(store: &mut impl Carries, name: &str) -> Found {
    let (claim, recent) = claims(store, LATER, name);
    let open = Request::Open {
        claim,
        user: user(name),
        since: Stamp(0),
    };
    let Some(Outcome::Opened {
        mailbox: Some(mailbox),
        ..
    }) = store.carry_out(open).pop()
    else {
        panic!("a mailbox of {name}");
    };
    let read = Request::Read {
        claim,
        user: user(name),
        reader: 1,
        from: Position(1),
        count_max: 500,
        bytes_max: 1 << 20,
    };
    let Some(Outcome::Read {
        letters: Some(letters),
        ..
    }) = store.carry_out(read).pop()
    else {
        panic!("letters of {name}");
    };
    let take = Request::TakeNotes {
        claim,
        user: user(name),
    };
    let Some(Outcome::Notes { receipts, .. }) = store.carry_out(take).pop() else {
        panic!("receipts of {name}");
    };
    let named = |receipt: Receipt| {
        let name = format!("{:?} {}", receipt.kind, receipt.peer);
        (name, receipt.up_to)
    };
    Found {
        recent,
        mailbox,
        letters,
        receipts: receipts.into_iter().map(named).collect(),
        next: appends(store, claim, name, 1),
    }
}

/// Steps of a thing: what writes it, or looks for it.
type Way = fn(&dyn Thing) -> Vec<Step>;

/// Writes all of a directory to a Redis, or compares.
fn carries(directory: &Path, url: &str, way: Way) -> Result<(), TransferError> {
    let mut redis = Redis::new(&settings(url, None), Vec::new());
    let unused = Unused::open(directory, &Settings::least()).unwrap();
    let mailboxes = Mailboxes::of(&unused).unwrap().unwrap();
    let groups = Groups::of(&unused).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        transfer(&mut redis, mailboxes, |kept| way(kept)).await?;
        transfer(&mut redis, groups, |kept| way(kept)).await
    })
}

/// A shard finds there what it finds in the directory.
fn is_the_same(directory: &Path, mut redis: InRedis) {
    let mut embedded = Embedded::open(directory, StoreSettings::default());
    for name in USERS {
        let (here, there) = (finds(&mut embedded, name), finds(&mut redis, name));
        assert_eq!(here, there, "{name}");
        let expected = match name {
            "dora" => (91, 10, 2, 1),
            "emil" => (6, 0, 0, 0),
            "fay" => (2_400, 101, 0, 0),
            "gus" => (1, 0, 1, 0),
            _ => (1, 0, 0, 0),
        };
        let belongs = ["dora", "gus"].contains(&name);
        assert_eq!(!there.mailbox.groups.is_empty(), belongs, "{name}");
        let (letters, receipts) = (there.letters.len(), there.receipts.len());
        let cursor = there.mailbox.cursor.0;
        let found = (cursor, letters, receipts, there.recent.len());
        assert_eq!(found, expected, "{name}");
    }
    for (name, expected) in GROUPS.into_iter().zip([
        Some((100, 52, 1)),
        Some((1, 0, 2)),
        Some((81, 0, 1)),
        None,
        None,
    ]) {
        let claim = claims_group(&mut embedded, LATER, name);
        let here = finds_group(&mut embedded, claim, name);
        let claim = claims_group(&mut redis, LATER, name);
        let there = finds_group(&mut redis, claim, name);
        assert_eq!(here, there, "{name}");
        let found = there.map(|(group, log)| (log.first, log.entries.len(), group.members.len()));
        assert_eq!(found, expected, "{name}");
        // It goes on where it ended.
        let goes_on = write(152..153);
        let goes_on = writes(&mut redis, claim, name, goes_on);
        assert_eq!(goes_on, name == "team");
    }
    embedded.stop();
}

#[test]
fn a_redis_has_what_the_directory_had() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let server = Server::start();
    carries(directory.path(), &server.url(), |kept| kept.writes()).unwrap();
    carries(directory.path(), &server.url(), |kept| kept.looks()).unwrap();
    // Who is there already is not written over.
    let again = carries(directory.path(), &server.url(), |kept| kept.writes());
    assert!(again.is_err(), "{again:?}");
    let settings = StoreSettings::default();
    let redis = InRedis::new(&server.url(), settings, asking(&server));
    is_the_same(directory.path(), redis);
}

#[test]
fn a_cluster_has_what_the_directory_had() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let mut cluster = Cluster::start();
    let url = cluster.url();
    carries(directory.path(), &url, |kept| kept.writes()).unwrap();
    carries(directory.path(), &url, |kept| kept.looks()).unwrap();
    let settings = StoreSettings::default();
    let redis = InRedis::new(&url, settings, asking(&cluster.servers()[0]));
    is_the_same(directory.path(), redis);
}

#[test]
fn what_is_not_as_in_the_directory_is_named() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let server = Server::start();
    let slot = |name| format!("im:{{{}}}", Slot::of(&user(name)));
    let (dora, emil, gus) = (slot("dora"), slot("emil"), slot("gus"));
    let (team, aged) = (slot("team"), slot("aged"));
    let stream = format!("{dora}:m:dora");
    for (spoiled, named) in [
        (vec!["XDEL", &stream, "1-95"], "message 95 of dora"),
        (vec!["XADD", &stream, "1-101", "m", "x"], "mailbox of dora"),
        (
            vec!["SREM", &format!("{dora}:mail"), "dora"],
            "mailbox of dora",
        ),
        (vec!["DEL", &format!("{dora}:recent")], "answers of slot"),
        (
            vec!["HSET", &format!("{emil}:users"), "emil", "3"],
            "mailbox of emil",
        ),
        (
            vec!["HSET", &format!("{gus}:n:gus"), "rdora", "78"],
            "mailbox of gus",
        ),
        (
            vec!["HSET", &format!("{gus}:n:gus"), "rcarl", "1"],
            "mailbox of gus",
        ),
        (
            vec!["HDEL", &format!("{gus}:groups"), "gus"],
            "mailbox of gus",
        ),
        (
            vec!["XDEL", &format!("{team}:gl:team"), "140-0"],
            "entry 140 of group team",
        ),
        (
            vec!["XADD", &format!("{aged}:gl:aged"), "90-0", "m", "x"],
            "group aged",
        ),
        (
            vec!["HSET", &format!("{team}:gm:team"), "ann", "x"],
            "ann in group team",
        ),
        (
            vec!["HSET", &format!("{team}:gm:team"), "ben", "x"],
            "group team",
        ),
        (
            vec!["HSET", &format!("{team}:g:team"), "last", "152"],
            "group team",
        ),
    ] {
        server.ask(&["FLUSHALL"]);
        carries(directory.path(), &server.url(), |kept| kept.writes()).unwrap();
        server.ask(&spoiled);
        let found = carries(directory.path(), &server.url(), |kept| kept.looks());
        let found = found.unwrap_err().to_string();
        assert!(found.contains(named), "{spoiled:?}: {found}");
    }
}
