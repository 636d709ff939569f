//! Every input that was kept runs through its target: what fuzzing found once
//! is not found again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use fuzz::TARGETS;

/// All corpora together, in bytes: they are cloned by everybody.
const BYTES_MAX: u64 = 300 * 1024;

fn corpora() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn what_was_kept_holds() {
    for (target, run) in TARGETS {
        let folder = corpora().join(target);
        let inputs = names(&folder);
        assert!(!inputs.is_empty(), "{target} has no input");
        for input in inputs {
            // What a failing test prints last names the input.
            println!("{target}/{input}");
            run(&fs::read(folder.join(input)).unwrap());
        }
    }
}

#[test]
fn each_target_has_a_corpus_and_a_program() {
    let targets: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names(&corpora()), targets);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("libfuzzer");
    let programs = names(&manifest.join("targets")).into_iter();
    let programs = programs.map(|name| name.trim_end_matches(".rs").to_owned());
    assert_eq!(programs.collect::<BTreeSet<_>>(), targets);
}

#[test]
fn corpora_stay_small() {
    let mut bytes = 0;
    for (target, _) in TARGETS {
        let folder = corpora().join(target);
        for input in names(&folder) {
            bytes += fs::metadata(folder.join(input)).unwrap().len();
        }
    }
    assert!(bytes <= BYTES_MAX, "{bytes} bytes: minimise what is kept");
}
