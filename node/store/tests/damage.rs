//! A table that cannot be read fails who needs it, and nobody else.

mod stage;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use prometheus_client::registry::Registry;
use stage::{Outcome, Stage, get, put, value};
use store::{Failure, Settings};

#[test]
fn what_cannot_be_read_fails_alone() {
    let directory = tempfile::tempdir().unwrap();
    let names = written_out(directory.path());
    tables(directory.path()).iter().for_each(|path| spoil(path));

    let mut stage = Stage::set_by(directory.path(), 10_000, settings());
    let mut registry = Registry::default();
    stage.engine().metrics().register(&mut registry);
    // One group: before, between and after those that fail are writes.
    for name in &names {
        stage.submit([get(name), put(&format!("new {name}"), "text")]);
    }
    stage.submit([get(&format!("new {}", names[0]))]);
    stage.start();
    let mut unreadable = 0;
    for _ in &names {
        match stage.next().outcome {
            Ok(found) => assert_ne!(found, Outcome::Value(None)),
            Err(Failure::Unreadable(_)) => unreadable += 1,
            Err(failure) => panic!("{failure}"),
        }
        assert_eq!(stage.next_ok(), Outcome::Done);
    }
    assert_eq!(stage.next_ok(), value("text"));
    assert!((1..names.len()).contains(&unreadable), "{unreadable}");
    assert!(stage.is_open());
    assert_eq!(stage.rollbacks.load(Ordering::SeqCst), 0);
    let mut figures = String::new();
    prometheus_client::encoding::text::encode(&mut figures, &registry).unwrap();
    let line = format!("store_unreadable_total {unreadable}\n");
    assert!(figures.contains(&line), "{figures}");
    stage.stop().unwrap();

    // What the group wrote is there.
    let mut stage = Stage::started(directory.path());
    for name in &names {
        let new = stage.ask(get(&format!("new {name}"))).unwrap();
        assert_eq!(new, value("text"));
    }
}

/// Writes until there is a table; the names that it may hold.
fn written_out(path: &Path) -> Vec<String> {
    let mut stage = Stage::set_by(path, 100, settings());
    stage.start();
    let mut names = Vec::new();
    while tables(path).is_empty() {
        assert!(names.len() < 1_000, "no table is written");
        let name = format!("{:03}", names.len());
        let text: String = (0..30_000).map(|_| fastrand::alphanumeric()).collect();
        assert_eq!(stage.ask(put(&name, &text)).unwrap(), Outcome::Done);
        names.push(name);
    }
    stage.stop().unwrap();
    names
}

fn settings() -> Settings {
    Settings {
        memtable_bytes: 1024 * 1024,
        ..Settings::default()
    }
}

fn tables(path: &Path) -> Vec<PathBuf> {
    let keyspaces = fs::read_dir(path.join("database/keyspaces")).unwrap();
    keyspaces
        .flat_map(|keyspace| fs::read_dir(keyspace.unwrap().path().join("tables")))
        .flatten()
        .map(|table| table.unwrap().path())
        .filter(|table| fs::metadata(table).is_ok_and(|about| about.len() > 100_000))
        .collect()
}

fn spoil(table: &Path) {
    let mut bytes = fs::read(table).unwrap();
    let middle = bytes.len() / 2;
    (middle..middle + 16).for_each(|at| bytes[at] ^= 0x55);
    fs::write(table, bytes).unwrap();
}
