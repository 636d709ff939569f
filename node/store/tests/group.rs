//! What a group promises: its reads, its order, its fsync, its bounds.

mod stage;

use prometheus_client::registry::Registry;
use stage::{Outcome, Request, Stage, get, put, value};
use store::Refusal;

#[test]
fn a_group_reads_what_it_wrote() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::started(directory.path());
    stage.ask(put("b", "of an earlier group")).unwrap();
    stage.ask(put("d", "of an earlier group")).unwrap();
    stage.stop().unwrap();

    let mut stage = Stage::set(directory.path(), 100);
    stage.submit([
        put("a", "new"),
        put("c", "new"),
        put("c", "newer"),
        Request::Remove("d".to_owned()),
        get("a"),
        get("b"),
        get("c"),
        get("d"),
        Request::List("a".to_owned(), "z".to_owned(), false),
        Request::List("a".to_owned(), "c".to_owned(), true),
    ]);
    stage.start();
    for _ in 0..4 {
        assert_eq!(stage.next_ok(), Outcome::Done);
    }
    assert_eq!(stage.next_ok(), value("new"));
    assert_eq!(stage.next_ok(), value("of an earlier group"));
    assert_eq!(stage.next_ok(), value("newer"));
    assert_eq!(stage.next_ok(), Outcome::Value(None));
    assert_eq!(stage.next_ok(), names(&["a", "b", "c"]));
    assert_eq!(stage.next_ok(), names(&["b", "a"]));
}

#[test]
fn outcomes_come_in_the_order_submitted() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::started(directory.path());
    for round in 0..20 {
        stage.submit((0..300).map(|at| put("same", &format!("{round} {at}"))));
        stage.submit([get("same")]);
    }
    for round in 0..20 {
        for at in 0..300 {
            let completion = stage.next();
            assert_eq!(completion.ticket, round * 301 + at);
            assert_eq!(completion.outcome.unwrap(), Outcome::Done);
        }
        assert_eq!(stage.next_ok(), value(&format!("{round} 299")));
    }
}

#[test]
fn only_groups_that_write_are_synced_and_each_is_bounded() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::set(directory.path(), 100_000);
    let mut registry = Registry::default();
    stage.engine().metrics().register(&mut registry);
    stage.submit((0..2048).map(|at| put(&at.to_string(), "text")));
    stage.start();
    (0..2048).for_each(|_| assert_eq!(stage.next_ok(), Outcome::Done));
    assert_eq!(figure(&registry, "store_commit_seconds_count"), 2);

    stage.submit((0..100).map(|at| get(&at.to_string())));
    (0..100).for_each(|_| assert_eq!(stage.next_ok(), value("text")));
    assert_eq!(figure(&registry, "store_commit_seconds_count"), 2);
    assert_eq!(figure(&registry, "store_requests_total"), 2148);
}

#[test]
fn a_group_ends_at_its_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::set(directory.path(), 100);
    let mut registry = Registry::default();
    stage.engine().metrics().register(&mut registry);
    let text = "x".repeat(600 * 1024);
    stage.submit((0..4).map(|at| put(&at.to_string(), &text)));
    stage.start();
    (0..4).for_each(|_| assert_eq!(stage.next_ok(), Outcome::Done));
    assert_eq!(figure(&registry, "store_commit_seconds_count"), 2);
}

#[test]
fn a_full_queue_hands_back() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::set(directory.path(), 3);
    stage.submit([put("a", "1")]);
    let mut batch = [(7, put("b", "2")), (8, put("c", "3")), (9, put("d", "4"))].into();
    assert_eq!(stage.notes.submit_all(&mut batch), Err(Refusal::Full));
    assert_eq!(batch, [(9, put("d", "4"))]);
    let refused = stage.notes.submit(10, put("e", "5")).unwrap_err();
    assert_eq!(refused.refusal, Refusal::Full);
    assert_eq!((refused.ticket, refused.request), (10, put("e", "5")));

    stage.start();
    let tickets: Vec<_> = (0..3).map(|_| stage.next().ticket).collect();
    assert_eq!(tickets, [0, 7, 8]);
    stage.notes.submit(11, get("d")).unwrap();
    assert_eq!(stage.next_ok(), Outcome::Value(None));
}

#[test]
fn stopping_finishes_what_is_queued_and_takes_no_more() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::set(directory.path(), 10_000);
    stage.submit((0..5000).map(|at| put(&at.to_string(), "text")));
    stage.start();
    stage.stop().unwrap();
    assert_eq!(stage.outcomes.try_iter().count(), 5000);
    let refused = stage.notes.submit(1, get("0")).unwrap_err();
    assert_eq!(refused.refusal, Refusal::Stopped);

    let mut stage = Stage::started(directory.path());
    assert_eq!(stage.ask(get("4999")).unwrap(), value("text"));
}

#[test]
fn a_panic_of_a_service_stops_the_engine() {
    let directory = tempfile::tempdir().unwrap();
    let mut stage = Stage::started(directory.path());
    stage.ask(put("safe", "text")).unwrap();
    stage.submit([put("lost", "text"), Request::Panic]);
    stage.stop().unwrap_err();
    let refused = stage.notes.submit(1, get("safe")).unwrap_err();
    assert_eq!(refused.refusal, Refusal::Stopped);

    let mut stage = Stage::started(directory.path());
    assert_eq!(stage.ask(get("safe")).unwrap(), value("text"));
    assert_eq!(stage.ask(get("lost")).unwrap(), Outcome::Value(None));
}

fn names(names: &[&str]) -> Outcome {
    Outcome::Names(names.iter().map(|name| (*name).to_owned()).collect())
}

fn figure(registry: &Registry, name: &str) -> u64 {
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, registry).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(&format!("{name} ")))
        .unwrap_or_else(|| panic!("{name} in {text}"));
    line.parse().unwrap()
}
