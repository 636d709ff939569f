//! What a watcher concludes, look by look.

use super::*;
use crate::look::{Berth, Leaver};

const LEASE: Duration = Duration::from_secs(3);

/// Shards as name, incarnation, and the number of the last renewal, in which
/// they knew the ring 5; without one the registry has forgotten it.
fn look(epoch: u64, shards: &[(&str, u64, Option<u64>)]) -> Look {
    let found = |(name, incarnation, number): &(&str, u64, Option<u64>)| Found {
        name: name.parse().unwrap(),
        record: Record {
            weight: 1,
            since: Epoch(5),
            incarnation: Incarnation(*incarnation),
            berth: Berth(u64::from(name.as_bytes()[0])),
            address: format!("{name}:1"),
        },
        lease: Some(LEASE),
        sign: number.map_or(Sign::Lost, sign),
    };
    Look {
        epoch: Epoch(epoch),
        found: shards.iter().map(found).collect(),
        leavers: Vec::new(),
        gateways: Vec::new(),
    }
}

fn sign(number: u64) -> Sign {
    let known = Epoch(5);
    Sign::Renewed { number, known }
}

fn at(ms: u64) -> Moment {
    Moment(ms * 1_000)
}

/// The same, where the first, `a`, has had slots since a later ring.
fn later(epoch: u64, shards: &[(&str, u64, Option<u64>)]) -> Look {
    let mut look = look(epoch, shards);
    look.found[0].record.since = Epoch(6);
    look
}

fn looked(watcher: &mut Watcher, ms: u64, look: &Look) -> Concluded {
    watcher.looked(at(ms), look)
}

/// The shard `a`.
fn own() -> Own {
    Own {
        name: "a".parse().unwrap(),
        incarnation: Incarnation(1),
    }
}

fn a() -> Watcher {
    let mut watcher = Watcher::new(LEASE);
    watcher.sits(Some(own()));
    watcher
}

/// Whom it calls dead.
fn dead(concluded: &Concluded) -> Vec<u64> {
    match &concluded.errand {
        Some(Errand::Expire { dead, .. }) => dead.iter().map(|d| d.incarnation.0).collect(),
        _ => Vec::new(),
    }
}

/// Looks each 250 ms of a range; when it first calls somebody dead.
fn first_dead(watcher: &mut Watcher, ms: std::ops::Range<u64>, look: &Look) -> Option<u64> {
    let mut times = ms.step_by(250);
    times.find(|ms| !dead(&looked(watcher, *ms, look)).is_empty())
}

#[test]
fn a_ring_is_taken_once_and_only_forward() {
    let mut watcher = Watcher::new(LEASE);
    let none = looked(&mut watcher, 10, &look(0, &[]));
    assert_eq!((none.is_newer, none.errand), (false, None));
    let seven = look(7, &[("a", 1, Some(1))]);
    assert!(looked(&mut watcher, 11, &seven).is_newer);
    assert!(!looked(&mut watcher, 12, &seven).is_newer);
    assert_eq!(watcher.epoch(), Epoch(7));
    let eight = look(8, &[("a", 1, Some(1)), ("b", 2, Some(0))]);
    assert!(looked(&mut watcher, 13, &eight).is_newer);
}

#[test]
fn who_stays_silent_for_a_lease_is_dead() {
    let mut watcher = a();
    let both = |a, b| look(7, &[("a", 1, Some(a)), ("b", 2, Some(b))]);
    looked(&mut watcher, 1_000, &both(1, 1));
    looked(&mut watcher, 2_000, &both(2, 2));
    assert_eq!(
        first_dead(&mut watcher, 2_250..9_000, &both(3, 2)),
        Some(5_000)
    );
    // Until the registry says so, it is said again, and no more in haste.
    let again = looked(&mut watcher, 5_010, &both(3, 2));
    assert_eq!((dead(&again), again.next), (vec![2], LEASE / LOOKS));
    let renewed = looked(&mut watcher, 5_020, &both(3, 3));
    assert_eq!(dead(&renewed), []);
}

#[test]
fn silence_counts_from_the_answer_that_shows_it() {
    let mut watcher = a();
    let silent = look(7, &[("a", 1, Some(1)), ("b", 2, Some(2))]);
    // It renewed after this was asked, perhaps.
    watcher.looked(at(1_900), &silent);
    let early = watcher.looked(at(4_899), &silent);
    assert_eq!((dead(&early), early.next.as_millis()), (vec![], 10));
    let due = watcher.looked(at(4_900), &silent);
    assert_eq!(dead(&due), [2]);
}

#[test]
fn over_a_gap_silence_counts_anew() {
    let silent = look(7, &[("a", 1, Some(1)), ("b", 2, Some(2))]);
    for is_told in [false, true] {
        let mut watcher = a();
        looked(&mut watcher, 1_000, &silent);
        if is_told {
            looked(&mut watcher, 3_000, &silent);
            watcher.silent();
        }
        looked(&mut watcher, 5_500, &silent);
        assert_eq!(
            first_dead(&mut watcher, 5_750..20_000, &silent),
            Some(8_500)
        );
    }
}

#[test]
fn who_is_no_member_calls_nobody_dead() {
    let mut watcher = Watcher::new(LEASE);
    let silent = look(7, &[("a", 1, Some(1)), ("b", 2, Some(2))]);
    assert_eq!(first_dead(&mut watcher, 1_000..20_000, &silent), None);
}

#[test]
fn a_newcomer_waits_until_who_never_heard_of_it_is_gone_in_any_case() {
    let orphaned = orphaned(LEASE).as_millis() as u64;
    let mut watcher = a();
    let silent = later(7, &[("a", 1, Some(1)), ("b", 2, Some(2))]);
    let first = first_dead(&mut watcher, 1_000..orphaned * 2, &silent);
    assert_eq!(first, Some(1_000 + orphaned));
    // So does everybody where the registry has forgotten it.
    let mut watcher = a();
    let forgotten = look(7, &[("a", 1, Some(1)), ("b", 2, None)]);
    let first = first_dead(&mut watcher, 1_000..orphaned * 2, &forgotten);
    assert_eq!(first, Some(1_000 + orphaned));
}

#[test]
fn a_former_life_at_the_same_place_is_dead_after_a_lease() {
    let here = Berth(u64::from(b'a'));
    for (berth, first) in [(here, Some(4_000)), (Berth(0), None)] {
        let mut watcher = a();
        let mut found = later(7, &[("a", 1, Some(1))]);
        found.leavers.push(Leaver {
            name: "a".parse().unwrap(),
            incarnation: Incarnation(9),
            berth,
            sign: sign(3),
        });
        assert_eq!(first_dead(&mut watcher, 1_000..20_000, &found), first);
        // That hangs on no slots.
        found.epoch = Epoch(8);
        found
            .found
            .push(look(7, &[("b", 2, Some(1))]).found.remove(0));
        found.found[0].record.weight = 0;
        let mut watcher = a();
        assert_eq!(first_dead(&mut watcher, 1_000..4_250, &found), first);
    }
}

#[test]
fn who_has_no_slots_calls_nobody_dead() {
    let mut watcher = a();
    let mut silent = look(
        7,
        &[("a", 1, Some(1)), ("b", 2, Some(2)), ("c", 3, Some(9))],
    );
    silent.found[0].record.weight = 0;
    assert_eq!(first_dead(&mut watcher, 1_000..200_000, &silent), None);
    // It is given some: by now all is due that one who has just come may say.
    silent.found[0].record.weight = 1;
    silent.found[0].record.since = Epoch(8);
    silent.epoch = Epoch(8);
    let concluded = looked(&mut watcher, 200_000, &silent);
    assert_eq!(dead(&concluded), [2, 3]);
    let mut watcher = a();
    assert_eq!(dead(&looked(&mut watcher, 200_000, &silent)), []);
    assert_eq!(first_dead(&mut watcher, 200_250..204_000, &silent), None);
}

#[test]
fn who_ended_is_off_the_ring_at_once_if_somebody_could_have_its_place() {
    let mut watcher = a();
    let mut ended = look(7, &[("a", 1, Some(1)), ("b", 2, Some(2))]);
    ended.found[1].sign = Sign::Over;
    ended.found[1].lease = None;
    assert_eq!(dead(&looked(&mut watcher, 1_000, &ended)), [2]);
    let mut watcher = a();
    ended.found[0].record.weight = 0;
    assert_eq!(dead(&looked(&mut watcher, 1_000, &ended)), []);
}

#[test]
fn the_first_by_name_look_more_often() {
    let mut watcher = Watcher::new(LEASE);
    let all = ["a", "b", "c", "d"].map(|name| (name, u64::from(name.as_bytes()[0]), Some(1)));
    let all = look(7, &all);
    assert_eq!(looked(&mut watcher, 1_000, &all).next, POLL);
    let next = |name: &str| {
        let mut watcher = a();
        watcher.sits(Some(Own {
            name: name.parse().unwrap(),
            incarnation: Incarnation(u64::from(name.as_bytes()[0])),
        }));
        looked(&mut watcher, 1_000, &all).next
    };
    assert_eq!(next("c"), LEASE / LOOKS);
    assert_eq!(next("d"), POLL);
}

#[test]
fn a_promise_is_given_by_who_does_not_reach_the_registry_and_is_kept() {
    let mut watcher = a();
    let silent = look(7, &[("a", 1, Some(1)), ("b", 2, Some(2))]);
    looked(&mut watcher, 1_000, &silent);
    watcher.reached(at(1_000));
    assert!(
        !watcher.promises(at(2_000), Incarnation(2)),
        "it is reached"
    );
    assert!(
        !watcher.promises(at(2_300), Incarnation(3)),
        "nobody knows it"
    );
    assert!(watcher.promises(at(2_300), Incarnation(2)));
    // The registry is back, and shows no renewal.
    assert_eq!(first_dead(&mut watcher, 2_550..9_000, &silent), Some(5_300));
    // It may be carried out whenever the registry is there again.
    assert!(!watcher.promises(at(20_000), Incarnation(2)));
    looked(
        &mut watcher,
        20_000,
        &look(7, &[("a", 1, Some(1)), ("b", 2, Some(3))]),
    );
    assert!(watcher.promises(at(22_000), Incarnation(2)));
    watcher.sits(None);
    assert!(
        !watcher.promises(at(23_000), Incarnation(2)),
        "it is no member"
    );
}

#[test]
fn a_registry_that_forgot_is_told() {
    let mut watcher = Watcher::new(LEASE);
    looked(
        &mut watcher,
        1_000,
        &look(7, &[("a", 1, Some(1)), ("b", 2, Some(1))]),
    );
    // It is back at a ring before.
    let concluded = looked(&mut watcher, 5_000, &look(6, &[("a", 1, Some(1))]));
    assert_eq!(concluded.errand, Some(Errand::Raise));
    assert!(!concluded.is_newer);
    // It gave the same number to another ring.
    let other = look(7, &[("a", 1, Some(1)), ("c", 3, Some(1))]);
    let concluded = looked(&mut watcher, 5_010, &other);
    assert_eq!(concluded.errand, Some(Errand::Raise));
    assert_eq!(watcher.epoch(), Epoch(7));
    let raised = look(8, &[("a", 1, Some(1)), ("c", 3, Some(1))]);
    let concluded = looked(&mut watcher, 5_020, &raised);
    assert_eq!((concluded.is_newer, concluded.errand), (true, None));
}

#[test]
fn an_empty_registry_goes_on_above_what_was_seen_and_leaves_the_ring() {
    let mut watcher = Watcher::new(LEASE);
    looked(
        &mut watcher,
        1_000,
        &look(7, &[("a", 1, Some(1)), ("b", 2, Some(1))]),
    );
    let concluded = looked(&mut watcher, 5_000, &look(0, &[]));
    assert_eq!(concluded.errand, Some(Errand::Raise));
    // Nobody has joined yet: the ring that was stays.
    let concluded = looked(&mut watcher, 5_010, &look(8, &[]));
    assert_eq!((concluded.is_newer, concluded.errand), (false, None));
    assert_eq!(watcher.epoch(), Epoch(7));
    let joined = look(9, &[("a", 9, Some(0))]);
    assert!(looked(&mut watcher, 5_020, &joined).is_newer);
}
