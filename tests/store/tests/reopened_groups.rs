//! What another process finds of groups in the directory.

mod stage;

use std::ops::Range;
use std::time::Duration;

use msgd_core::store::{Claim, LogSettings, Request, StoreSettings};
use proto::ids::{Incarnation, Stamp};
use stage::Embedded;
use stage::entries::{claims_group, entry, finds_group, group, make, member, write, writes};
use stage::letters::user;
use store::{Engine, Settings, Unused};
use store_suite::Carries;

const FORMER: Incarnation = Incarnation(1);
const LATER: Incarnation = Incarnation(2);

/// Where a log begins and ends by the group, and the numbers in it.
fn bounds(store: &mut Embedded, claim: Claim) -> Option<(u64, u64, Vec<u64>)> {
    let (group, page) = finds_group(store, claim, "team")?;
    let seqs: Vec<u64> = page.entries.iter().map(|entry| entry.seq).collect();
    assert!(page.entries.iter().all(|found| *found == entry(found.seq)));
    assert_eq!(group.latest.len(), seqs.len());
    let last = group.head.place.seq;
    assert_eq!((group.head.messages, group.newest), (last, Stamp(last)));
    assert_eq!(group.record, make().record.unwrap());
    assert_eq!(group.members, [(user("ann"), member(last))]);
    Some((page.first, last, seqs))
}

/// One write for each number; one without a message if there is none.
fn goes_on(store: &mut Embedded, claim: Claim, seqs: Range<u64>) {
    if seqs.is_empty() {
        assert!(writes(store, claim, "team", write(seqs)));
        return;
    }
    for seq in seqs {
        assert!(writes(store, claim, "team", write(seq..seq + 1)));
    }
}

fn time_is(store: &mut Embedded, seconds: u64) {
    let outcomes = store.carry_out(Request::Alive {
        shard: FORMER,
        stamp: Stamp(seconds * 1_000_000),
        steady: true,
    });
    assert_eq!(outcomes, []);
}

#[test]
fn groups_are_found_as_they_were() {
    let directory = tempfile::tempdir().unwrap();
    let settings = StoreSettings {
        log: LogSettings {
            log_max: 200,
            keep: Duration::from_secs(60),
        },
        ..StoreSettings::default()
    };
    // What is done in each process, and where the log begins and ends then.
    type Act = fn(&mut Embedded, Claim);
    let acts: [(Act, Option<(u64, u64)>); 8] = [
        (|_, _| {}, None),
        (
            |store, claim| assert!(writes(store, claim, "team", make())),
            Some((1, 0)),
        ),
        (|store, claim| goes_on(store, claim, 1..4), Some((1, 3))),
        // The oldest go, and the row says so now and then.
        (
            |store, claim| goes_on(store, claim, 4..231),
            Some((31, 230)),
        ),
        (
            |store, claim| goes_on(store, claim, 231..431),
            Some((231, 430)),
        ),
        // All of it is old.
        (
            |store, claim| {
                time_is(store, 70);
                goes_on(store, claim, 431..431);
            },
            Some((431, 430)),
        ),
        (
            |store, claim| goes_on(store, claim, 431..440),
            Some((431, 439)),
        ),
        (
            |store, claim| {
                let group = group("team");
                store.carry_out(Request::EndGroup { claim, group });
            },
            None,
        ),
    ];
    for (shard, (act, expected)) in (1..).zip(acts) {
        let mut store = Embedded::open(directory.path(), settings);
        let claim = claims_group(&mut store, Incarnation(shard), "team");
        act(&mut store, claim);
        let now = bounds(&mut store, claim);
        store.stop();

        let mut store = Embedded::open(directory.path(), settings);
        let claim = claims_group(&mut store, Incarnation(shard + 100), "team");
        let expected = expected.map(|(first, last)| (first, last, (first..=last).collect()));
        assert_eq!(bounds(&mut store, claim), expected, "{shard}");
        assert_eq!(now, expected, "{shard}");
        store.stop();
    }
}

/// What an ended group left is removed by whoever comes later, and is nobody's
/// meanwhile.
#[test]
fn what_an_ended_group_left_goes_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let settings = StoreSettings::default();
    let mut store = Embedded::open(directory.path(), settings);
    let claim = claims_group(&mut store, FORMER, "team");
    assert!(writes(&mut store, claim, "team", make()));
    for begin in (1..5_001).step_by(1_000) {
        let write = write(begin..begin + 1_000);
        assert!(writes(&mut store, claim, "team", write));
    }
    let group = group("team");
    store.carry_out(Request::EndGroup { claim, group });
    store.stop();

    let mut store = Embedded::open(directory.path(), settings);
    let claim = claims_group(&mut store, LATER, "team");
    assert_eq!(bounds(&mut store, claim), None);
    assert!(writes(&mut store, claim, "team", make()));
    goes_on(&mut store, claim, 1..3);
    for _ in 0..5 {
        time_is(&mut store, 1);
    }
    assert_eq!(bounds(&mut store, claim), Some((1, 2, vec![1, 2])));
    store.stop();
    let unused = Unused::open(directory.path(), &Settings::least()).unwrap();
    let rows = unused.rows("groups").unwrap();
    // Two entries, the group, its log, one member, and the number of lives.
    assert_eq!(rows.all().count(), 6);
}

#[test]
fn a_directory_from_before_there_were_groups_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = Engine::open(directory.path(), Settings::default()).unwrap();
    engine.keyspace("mailboxes").unwrap();
    engine.start().unwrap().stop().unwrap();

    let mut store = Embedded::open(directory.path(), StoreSettings::default());
    let claim = claims_group(&mut store, FORMER, "team");
    assert_eq!(bounds(&mut store, claim), None);
    assert!(writes(&mut store, claim, "team", make()));
    goes_on(&mut store, claim, 1..3);
    assert_eq!(bounds(&mut store, claim), Some((1, 2, vec![1, 2])));
    store.stop();
}
