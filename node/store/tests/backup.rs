//! Copies of a directory in use, and of one that nobody uses.

mod stage;

use std::path::Path;
use std::time::{Duration, Instant};

use fjall::{KeyspaceCreateOptions, SingleWriterTxDatabase};
use stage::*;
use store::{BackupError, Progress, Settings, copy};

/// Far above what a copy takes.
const PATIENCE: Duration = Duration::from_secs(20);

fn name(number: usize) -> String {
    format!("note-{number:06}")
}

/// Waits for the end of a copy, while more is written.
fn backed_up(stage: &mut Stage, path: &Path, mut number: usize) -> (Progress, usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let progress = stage.running().backup(path).expect("a copy");
        if progress.ended.is_some() {
            return (progress, number);
        }
        assert!(Instant::now() < deadline, "{progress:?}");
        stage.ask(put(&name(number), "later")).expect("written");
        number += 1;
    }
}

fn names(path: &Path) -> Vec<String> {
    let mut stage = Stage::started(path);
    let all = Request::List("note".to_owned(), "notf".to_owned(), false);
    match stage.ask(all) {
        Ok(Outcome::Names(names)) => names,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_directory_in_use_is_copied_as_it_was_at_one_moment() {
    let home = tempfile::tempdir().unwrap();
    let (data, to) = (home.path().join("data"), home.path().join("copy"));
    let mut stage = Stage::started(&data);
    stage.submit((0..20_000).map(|number| put(&name(number), &"text".repeat(50))));
    (0..20_000).for_each(|_| assert_eq!(stage.next_ok(), Outcome::Done));
    let (progress, written) = backed_up(&mut stage, &to, 20_000);
    assert_eq!(progress.ended, Some(Ok(())));
    assert!(progress.bytes > 20_000 * 200, "{progress:?}");
    // Notes were written in their order: the copy has all up to one of them.
    let copied = names(&to);
    assert!(
        (20_000..=written).contains(&copied.len()),
        "{}",
        copied.len()
    );
    assert_eq!(copied.len() as u64, progress.entries);
    let mut numbers = copied.iter().enumerate();
    assert!(numbers.all(|(number, found)| *found == name(number)));
    // Nothing is written over, not even the copy by the next.
    let mut third = home.path().join("data");
    let refused = stage.running().backup(&third).unwrap_err();
    assert!(matches!(refused, BackupError::Exists(path) if path == third));
    third = home.path().join("third");
    backed_up(&mut stage, &third, written);
    let refused = stage.running().backup(&to).unwrap_err();
    assert!(matches!(refused, BackupError::Exists(_)), "{refused}");
}

#[test]
fn what_cannot_be_written_is_told_and_leaves_nothing_of_that_name() {
    let home = tempfile::tempdir().unwrap();
    let mut stage = Stage::started(&home.path().join("data"));
    let file = home.path().join("file");
    std::fs::write(&file, "no directory").unwrap();
    let to = file.join("copy");
    let (progress, _) = backed_up(&mut stage, &to, 0);
    assert!(matches!(progress.ended, Some(Err(_))), "{progress:?}");
    assert!(!to.exists());
    assert!(stage.is_open());
}

#[test]
fn a_directory_that_nobody_uses_is_copied_whole_or_refused() {
    let home = tempfile::tempdir().unwrap();
    let (data, to) = (home.path().join("data"), home.path().join("copy"));
    let settings = Settings::default();
    let refused = copy(&data, &to, &settings).unwrap_err();
    assert!(refused.to_string().contains("data"), "{refused}");
    assert!(!data.exists(), "looking makes nothing");
    let mut stage = Stage::started(&data);
    stage.submit((0..100).map(|number| put(&name(number), "text")));
    (0..100).for_each(|_| assert_eq!(stage.next_ok(), Outcome::Done));
    let refused = copy(&data, &to, &settings).unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    stage.stop().unwrap();
    assert_eq!(copy(&data, &to, &settings).unwrap().0, 100);
    assert_eq!(names(&to).len(), 100);
    let refused = copy(&data, &to, &settings).unwrap_err();
    assert!(matches!(refused, BackupError::Exists(_)), "{refused}");
}

/// How many tables come of three MiB that are written into the directory.
fn tables(path: &Path) -> usize {
    let database = SingleWriterTxDatabase::builder(path.join("database"));
    let database = database.open().unwrap();
    let notes = database.keyspace("notes", || -> KeyspaceCreateOptions {
        panic!("it is there")
    });
    let notes = notes.unwrap();
    // What was written before lies in a table of its own.
    notes.inner().rotate_memtable_and_wait().unwrap();
    let before = notes.inner().table_count();
    for number in 0..48 {
        let text: Vec<u8> = (0..64 * 1024).map(|_| fastrand::u8(..)).collect();
        notes.insert(name(number), text).unwrap();
    }
    notes.inner().rotate_memtable_and_wait().unwrap();
    notes.inner().table_count() - before
}

#[test]
fn a_copy_gathers_as_much_in_memory_as_its_original() {
    let home = tempfile::tempdir().unwrap();
    let [data, backup, restored] =
        ["data", "backup", "restored"].map(|name| home.path().join(name));
    let mut stage = Stage::started(&data);
    stage.ask(put(&name(0), "text")).unwrap();
    let (progress, _) = backed_up(&mut stage, &backup, 1);
    assert_eq!(progress.ended, Some(Ok(())));
    stage.stop().unwrap();
    // As an operator's hand does it, beside other daemons.
    copy(&backup, &restored, &Settings::least()).unwrap();
    for path in [data, backup, restored] {
        assert_eq!(tables(&path), 1, "{}", path.display());
    }
}
