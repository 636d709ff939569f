//! Where the programs under test are.
//!
//! Owns the way from the running test to them. Must not know what they do.

use std::path::PathBuf;

/// What builds them; in the profile of the tests.
const BUILD: &str = "cargo build -p deploy -p connd -p msgd -p friendd -p client --bins --examples";

/// A program of the workspace, from the target directory of the running test or
/// program.
///
/// # Panics
/// It is not built; the text says how to.
pub fn program(name: &str) -> PathBuf {
    built(name.as_ref())
}

/// An example of the workspace, likewise.
///
/// # Panics
/// It is not built; the text says how to.
pub fn example(name: &str) -> PathBuf {
    built(&PathBuf::from("examples").join(name))
}

fn built(path: &std::path::Path) -> PathBuf {
    // A test runs from `deps` in the directory of its profile, a program from
    // that directory itself.
    let own = std::env::current_exe().expect("the process's own path");
    let folder = own.parent().expect("a target directory");
    let profile = match folder.parent() {
        Some(profile) if folder.ends_with("deps") => profile,
        _ => folder,
    };
    let program = profile.join(path);
    assert!(
        program.is_file(),
        "{} is missing; build it first: {BUILD}",
        program.display()
    );
    program
}
