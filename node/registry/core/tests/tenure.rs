//! Until when a holder may count on its lease.

use std::sync::Arc;
use std::time::Duration;

use proto::clock::Moment;
use proto::ids::{Epoch, Incarnation};
use proto::ring::Ring;
use registry_core::dead::Unknown;
use registry_core::lease::{counted, orphaned, outage};
use registry_core::look::{Berth, Found, Look, Record, Sign};
use registry_core::tenure::Tenure;
use registry_core::view::{View, members};

const LEASE: Duration = Duration::from_secs(3);

fn at(ms: u64) -> Moment {
    Moment(ms * 1_000)
}

/// From this incarnation on shards have no slots.
const DRAINED: u64 = 90;

/// The ring of these incarnations.
fn view(epoch: u64, shards: &[u64]) -> View {
    let found = shards.iter().map(|incarnation| Found {
        name: format!("s{incarnation}").parse().unwrap(),
        record: Record {
            weight: u16::from(*incarnation < DRAINED),
            since: Epoch(1),
            incarnation: Incarnation(*incarnation),
            berth: Berth(*incarnation),
            address: "127.0.0.1:1".to_owned(),
        },
        lease: None,
        sign: Sign::Lost,
    });
    let look = Look {
        epoch: Epoch(epoch),
        found: found.collect(),
        leavers: Vec::new(),
        gateways: Vec::new(),
    };
    let ring = Ring::build(look.epoch, members(&look)).unwrap();
    View::of(Arc::new(ring), &look)
}

/// The incarnation 1, which came with the ring 4 as it asked at 10 s.
fn tenure() -> Tenure {
    Tenure::new(LEASE, Incarnation(1), Epoch(4), at(10_000))
}

/// Asks the others at this time; the number of the question.
fn asks(tenure: &mut Tenure, ms: u64, others: &[u64]) -> u64 {
    let questions = tenure.questions(at(ms));
    let asked: Vec<u64> = questions.iter().map(|(_, other, _)| other.0).collect();
    assert_eq!(asked, others);
    questions[0].2
}

#[test]
fn a_lease_counts_from_before_it_was_asked_for_and_a_twentieth_less() {
    let mut tenure = tenure();
    tenure.knows(&view(4, &[1, 2]));
    assert_eq!(tenure.until(), at(12_850));
    tenure.renewed(at(11_000));
    assert_eq!(tenure.until(), at(13_850));
    // An answer to an older question.
    tenure.renewed(at(10_500));
    assert_eq!(tenure.until(), at(13_850));
}

#[test]
fn each_renewal_has_a_number_and_tells_of_the_newest_ring() {
    let mut tenure = tenure();
    assert_eq!(tenure.asks(), (1, Epoch(4)));
    tenure.knows(&view(3, &[1]));
    assert_eq!(tenure.asks(), (2, Epoch(4)));
    tenure.knows(&view(6, &[1, 2]));
    assert_eq!(tenure.asks(), (3, Epoch(6)));
}

#[test]
fn without_the_registry_it_goes_on_while_all_others_promise() {
    let mut tenure = tenure();
    tenure.knows(&view(4, &[1, 2, 3]));
    assert!(tenure.questions(at(11_199)).is_empty());
    let first = asks(&mut tenure, 11_200, &[2, 3]);
    assert!(tenure.questions(at(11_699)).is_empty());
    tenure.promised(Incarnation(2), first);
    assert_eq!(tenure.until(), at(12_850), "one has not promised");
    let second = asks(&mut tenure, 11_700, &[2, 3]);
    tenure.promised(Incarnation(3), second);
    // From when the first of the promises was asked for.
    assert_eq!(tenure.until(), at(11_200) + counted(LEASE));
    tenure.promised(Incarnation(2), second);
    assert_eq!(tenure.until(), at(11_700) + counted(LEASE));
    assert!(!tenure.is_degraded(at(12_849)));
    assert!(tenure.is_degraded(at(12_850)));
    // One that it does not know, and a question that nobody asked.
    tenure.promised(Incarnation(9), second);
    tenure.promised(Incarnation(2), at(99_000).0);
    assert_eq!(tenure.until(), at(11_700) + counted(LEASE));
    // Who has come has promised nothing.
    tenure.knows(&view(5, &[1, 2, 3, 4]));
    assert_eq!(tenure.until(), at(12_850));
}

#[test]
fn promises_end_before_anybody_may_call_it_dead_in_any_case() {
    let mut tenure = tenure();
    tenure.knows(&view(4, &[1, 2]));
    let mut ms = 11_200;
    while ms < 10_000 + orphaned(LEASE).as_millis() as u64 {
        let number = asks(&mut tenure, ms, &[2]);
        tenure.promised(Incarnation(2), number);
        ms += 500;
    }
    assert_eq!(tenure.until(), at(10_000) + outage(LEASE));
    assert!(outage(LEASE) * 6 / 5 < orphaned(LEASE));
}

#[test]
fn who_is_alone_has_nobody_to_ask_once_the_ring_is_known() {
    let mut tenure = tenure();
    assert_eq!(tenure.until(), at(12_850));
    tenure.knows(&view(3, &[1]));
    assert_eq!(tenure.until(), at(12_850), "that was before it came");
    tenure.knows(&view(4, &[1]));
    assert_eq!(tenure.until(), at(10_000) + outage(LEASE));
}

#[test]
fn who_has_no_slots_is_not_asked() {
    let mut tenure = tenure();
    tenure.knows(&view(4, &[1, 2, DRAINED]));
    let number = asks(&mut tenure, 11_200, &[2]);
    tenure.promised(Incarnation(2), number);
    assert_eq!(tenure.until(), at(11_200) + counted(LEASE));
}

#[test]
fn who_is_unknown_is_dead_when_nothing_can_be_left_of_it() {
    let mut unknown = Unknown::new(LEASE);
    let (holder, renewed) = (
        Incarnation(7),
        Sign::Renewed {
            number: 1,
            known: Epoch(1),
        },
    );
    assert!(unknown.is_dead(at(1_000), holder, Sign::Over));
    assert!(!unknown.is_dead(at(1_000), holder, Sign::Lost));
    let orphaned = orphaned(LEASE).as_millis() as u64;
    let mut first_dead = |from: u64, to: u64| {
        let mut times = (from..to).step_by(1_000);
        times.find(|ms| unknown.is_dead(at(*ms), holder, Sign::Lost))
    };
    let end = 2_000 + orphaned;
    assert_eq!(first_dead(2_000, end * 2), Some(end - 1_000));
    // Nobody has asked for longer than a lease.
    let later = end + 3_000;
    assert_eq!(first_dead(later, end * 3), Some(later + orphaned));
    let now = at(later + orphaned);
    assert!(!unknown.is_dead(now, holder, renewed));
    assert!(!unknown.is_dead(now + LEASE / 10, holder, Sign::Lost));
    // Without leases nobody holds one.
    assert!(Unknown::new(Duration::ZERO).is_dead(at(1), holder, Sign::Lost));
}
