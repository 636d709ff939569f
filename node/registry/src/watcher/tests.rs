//! What a watcher concludes, look by look.

use super::*;
use crate::look::Found;

const LEASE: Duration = Duration::from_secs(3);

/// Shards as name, incarnation and what is left of the lease in ms.
fn look(epoch: u64, shards: &[(&str, u64, Option<u64>)]) -> Look {
    let found = |(name, incarnation, left): &(&str, u64, Option<u64>)| Found {
        name: name.parse().unwrap(),
        record: Record {
            weight: 1,
            incarnation: Incarnation(*incarnation),
            address: format!("{name}:1"),
        },
        lease: left.map(Duration::from_millis),
    };
    Look {
        epoch: Epoch(epoch),
        found: shards.iter().map(found).collect(),
        gateways: Vec::new(),
    }
}

fn at(ms: u64) -> Moment {
    Moment(ms * 1_000)
}

fn expire(name: &str, incarnation: u64) -> Option<Errand> {
    let dead = (name.parse().unwrap(), Incarnation(incarnation));
    Some(Errand::Expire(vec![dead]))
}

/// One who has watched for so long that it may say who is dead.
fn settled() -> Watcher {
    let mut watcher = Watcher::new(LEASE);
    for second in 0..5 {
        let healthy = look(7, &[("a", 1, Some(2_500)), ("b", 2, Some(2_500))]);
        watcher.looked(at(second * 1_000), &healthy);
    }
    watcher
}

#[test]
fn a_ring_is_taken_once_and_only_forward() {
    let mut watcher = Watcher::new(LEASE);
    let none = watcher.looked(at(0), &look(0, &[]));
    assert_eq!((none.is_newer, none.errand), (false, None));
    let seven = look(7, &[("a", 1, Some(2_500))]);
    assert!(watcher.looked(at(1), &seven).is_newer);
    assert!(!watcher.looked(at(2), &seven).is_newer);
    assert_eq!(watcher.epoch(), Epoch(7));
    let eight = look(8, &[("a", 1, Some(2_500)), ("b", 2, Some(2_500))]);
    assert!(watcher.looked(at(3), &eight).is_newer);
}

#[test]
fn who_has_no_lease_is_dead() {
    let mut watcher = settled();
    let dead = look(7, &[("a", 1, Some(2_500)), ("b", 2, None)]);
    let concluded = watcher.looked(at(5_000), &dead);
    assert_eq!(concluded.errand, expire("b", 2));
    assert_eq!(concluded.next, AGAIN);
    // Until the registry says so, it is said again.
    assert_eq!(watcher.looked(at(5_010), &dead).errand, expire("b", 2));
}

#[test]
fn a_lease_is_looked_at_when_it_ends() {
    let mut watcher = settled();
    let healthy = look(7, &[("a", 1, Some(2_500)), ("b", 2, Some(2_500))]);
    assert_eq!(watcher.looked(at(5_000), &healthy).next, POLL);
    let dying = look(7, &[("a", 1, Some(2_500)), ("b", 2, Some(300))]);
    let next = watcher.looked(at(6_000), &dying).next;
    assert_eq!(next, Duration::from_millis(301));
}

#[test]
fn who_just_came_says_of_nobody_that_it_is_dead() {
    let mut watcher = Watcher::new(LEASE);
    let dead = look(7, &[("a", 1, Some(2_500)), ("b", 2, None)]);
    let first = watcher.looked(at(10_000), &dead);
    assert!(first.is_newer);
    assert_eq!((first.errand, first.next), (None, POLL));
    assert_eq!(watcher.looked(at(11_000), &dead).errand, None);
    assert_eq!(watcher.looked(at(12_800), &dead).next.as_millis(), 200);
    assert_eq!(watcher.looked(at(13_000), &dead).errand, expire("b", 2));
}

#[test]
fn who_heard_nothing_for_a_lease_waits_for_those_who_come_back() {
    let mut watcher = settled();
    let dead = look(7, &[("a", 1, Some(2_500)), ("b", 2, None)]);
    assert_eq!(watcher.looked(at(7_001), &dead).errand, None);
    assert_eq!(watcher.looked(at(8_000), &dead).errand, None);
    let back = look(8, &[("a", 1, Some(2_500)), ("b", 3, Some(2_500))]);
    assert_eq!(watcher.looked(at(9_000), &back).errand, None);
    // As long as it was away is not too long.
    let dead = look(8, &[("a", 1, Some(2_500)), ("b", 3, None)]);
    assert_eq!(watcher.looked(at(10_001), &dead).errand, expire("b", 3));
}

#[test]
fn while_nobody_lives_nobody_is_dead() {
    let mut watcher = settled();
    let all_dead = look(7, &[("a", 1, None), ("b", 2, None)]);
    for second in 5..60 {
        assert_eq!(watcher.looked(at(second * 1_000), &all_dead).errand, None);
    }
    // The first is back: the second has a lease's time from when nobody lived.
    let one = look(8, &[("a", 3, Some(2_500)), ("b", 2, None)]);
    assert_eq!(watcher.looked(at(60_000), &one).errand, None);
    assert_eq!(watcher.looked(at(61_000), &one).errand, None);
    assert_eq!(watcher.looked(at(62_000), &one).errand, expire("b", 2));
}

#[test]
fn a_drained_shard_may_be_dead_and_does_not_count_as_living() {
    let mut watcher = settled();
    let mut drained = look(8, &[("a", 1, None), ("b", 2, Some(2_500))]);
    drained.found[0].record.weight = 0;
    assert_eq!(watcher.looked(at(5_000), &drained).errand, expire("a", 1));
    let mut watcher = settled();
    drained.found[0].lease = Some(Duration::from_secs(2));
    drained.found[1].lease = None;
    assert_eq!(watcher.looked(at(5_000), &drained).errand, None);
}

#[test]
fn a_registry_that_forgot_is_told() {
    let mut watcher = settled();
    // It is back at a ring before.
    let older = look(6, &[("a", 1, Some(2_500))]);
    let concluded = watcher.looked(at(5_000), &older);
    assert_eq!(concluded.errand, Some(Errand::Raise));
    assert!(!concluded.is_newer);
    // It gave the same number to another ring.
    let other = look(7, &[("a", 1, Some(2_500)), ("c", 3, Some(2_500))]);
    let concluded = watcher.looked(at(5_010), &other);
    assert_eq!(concluded.errand, Some(Errand::Raise));
    assert_eq!(watcher.epoch(), Epoch(7));
    let raised = look(8, &[("a", 1, Some(2_500)), ("c", 3, Some(2_500))]);
    let concluded = watcher.looked(at(5_020), &raised);
    assert_eq!((concluded.is_newer, concluded.errand), (true, None));
}

#[test]
fn an_empty_registry_goes_on_above_what_was_seen_and_leaves_the_ring() {
    let mut watcher = settled();
    let concluded = watcher.looked(at(5_000), &look(0, &[]));
    assert_eq!(concluded.errand, Some(Errand::Raise));
    // Nobody has joined yet: the ring that was stays.
    let concluded = watcher.looked(at(5_010), &look(8, &[]));
    assert_eq!((concluded.is_newer, concluded.errand), (false, None));
    assert_eq!(watcher.epoch(), Epoch(7));
    let joined = look(9, &[("a", 9, Some(2_900))]);
    assert!(watcher.looked(at(5_020), &joined).is_newer);
}
