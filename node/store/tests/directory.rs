//! Who may open a data directory.

use std::fs;

use store::{Engine, OpenError, Settings};

#[test]
fn a_missing_directory_is_made_and_found_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deep").join("data");
    let engine = Engine::open(&path, Settings::default()).unwrap();
    drop(engine.start().unwrap());
    assert_eq!(fs::read_to_string(path.join("format")).unwrap(), "1\n");
    drop(Engine::open(&path, Settings::default()).unwrap());
}

#[test]
fn what_a_directory_has_had_and_has_not_any_more_is_missed() {
    let directory = tempfile::tempdir().unwrap();
    let mut engine = Engine::open(directory.path(), Settings::default()).unwrap();
    engine.keyspace("notes").unwrap();
    drop(engine.start().unwrap());
    let database = directory.path().join("database");
    for (gone, words) in [
        ("keyspaces/1", "all of \"notes\" is missing"),
        ("0.jnl", "a journal is missing"),
        ("", "has no database any more"),
    ] {
        let aside = directory.path().join("aside");
        fs::rename(database.join(gone), &aside).unwrap();
        let opened = Engine::open(directory.path(), Settings::default());
        let refused = opened.and_then(|mut engine| engine.keyspace("notes"));
        let text = refused.err().unwrap().to_string();
        assert!(text.contains(words), "{text}");
        assert!(text.contains("put a copy"), "{text}");
        fs::rename(&aside, database.join(gone)).unwrap();
        let mut engine = Engine::open(directory.path(), Settings::default()).unwrap();
        engine.keyspace("notes").unwrap();
        drop(engine.start().unwrap());
    }
}

#[test]
fn a_second_user_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let first = Engine::open(directory.path(), Settings::default()).unwrap();
    let refused = open_error(directory.path());
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused}");
    assert!(refused.to_string().contains("in use by another process"));
    drop(first);
    Engine::open(directory.path(), Settings::default()).unwrap();
}

#[test]
fn a_newer_format_is_refused_by_both_versions() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("format"), "7\n").unwrap();
    let text = open_error(directory.path()).to_string();
    assert!(text.contains("has format version 7"), "{text}");
    assert!(text.contains("versions up to 1"), "{text}");
    assert!(!directory.path().join("database").exists());
}

#[test]
fn an_unreadable_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("format"), "soon").unwrap();
    let refused = open_error(directory.path());
    assert!(matches!(refused, OpenError::UnreadableFormat { .. }));
    assert!(refused.to_string().contains("\"soon\""), "{refused}");
}

#[test]
fn a_setting_out_of_bounds_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings {
        journal_bytes: 1000,
        ..Settings::default()
    };
    let refused = Engine::open(directory.path(), settings).err().unwrap();
    assert_eq!(
        refused.to_string(),
        "setting journal_bytes is 1000, allowed is 67108864 or more"
    );
}

fn open_error(path: &std::path::Path) -> OpenError {
    Engine::open(path, Settings::default())
        .err()
        .expect("refused")
}
