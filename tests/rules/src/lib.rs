//! The repository as text: packages, sources, modules, pages.
//!
//! The tests of this package are rules about it. Owns what a rule looks at, and
//! how one that is broken is told. Must not know a rule.

pub mod module;
pub mod package;
pub mod path;
pub mod source;

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The content of a file, named from the root.
///
/// # Panics
/// If it cannot be read.
pub fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All files below a folder, named from the root, in order. None if there is no
/// such folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root().join(folder)) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    let mut found = Vec::new();
    for name in names {
        let path = folder.join(name);
        if root().join(&path).is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

/// Fails if a rule is broken, and says what to do.
///
/// # Panics
/// If there is anything in `broken`.
pub fn hold(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "\n{rule}\n  {}\n", broken.join("\n  "));
}
