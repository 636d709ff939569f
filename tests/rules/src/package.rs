//! Packages of the workspace, as their manifests tell.
//!
//! Owns which packages there are and what each depends on. Must not know what
//! they may depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::source::Source;
use crate::{files, read};

/// A package of the workspace.
#[derive(Debug)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its folder, from the root.
    pub folder: PathBuf,
    /// What it is built and runs with, by name: also what only its build
    /// script needs.
    pub dependencies: BTreeSet<String>,
    /// What only its tests need.
    pub test_dependencies: BTreeSet<String>,
    /// Its manifest.
    pub manifest: Table,
}

/// The manifest in a folder.
///
/// # Panics
/// If there is none that can be read.
pub fn manifest(folder: &Path) -> Table {
    let path = folder.join("Cargo.toml");
    read(&path)
        .parse()
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// All packages of the workspace.
///
/// # Panics
/// If a manifest cannot be read.
pub fn all() -> Vec<Package> {
    let root = manifest(Path::new(""));
    let members = root["workspace"]["members"].as_array().expect("members");
    let folders = members.iter().filter_map(Value::as_str);
    folders
        .map(|folder| Package::at(Path::new(folder)))
        .collect()
}

impl Package {
    fn at(folder: &Path) -> Self {
        let manifest = manifest(folder);
        let names = |key: &str| -> Vec<String> {
            let table = manifest.get(key).and_then(Value::as_table);
            table.into_iter().flat_map(Table::keys).cloned().collect()
        };
        let built = names("build-dependencies");
        let runs = names("dependencies");
        Self {
            name: manifest["package"]["name"].as_str().expect("name").into(),
            folder: folder.to_owned(),
            dependencies: built.into_iter().chain(runs).collect(),
            test_dependencies: names("dev-dependencies").into_iter().collect(),
            manifest,
        }
    }

    /// Whether it is one of the packages below `tests`: never shipped.
    pub fn is_for_tests(&self) -> bool {
        self.folder.starts_with("tests")
    }

    /// What it needs to run, without what only builds it.
    pub fn runs_with(&self) -> Vec<&str> {
        let table = self.manifest.get("dependencies").and_then(Value::as_table);
        let names = table.into_iter().flat_map(Table::keys);
        names.map(String::as_str).collect()
    }

    /// Its Rust files, tests and examples too.
    pub fn sources(&self) -> Vec<Source> {
        let mut paths = vec![self.folder.join("build.rs")];
        for folder in ["src", "tests", "examples", "benches"] {
            paths.extend(files(&self.folder.join(folder)));
        }
        let is_rust = |path: &PathBuf| {
            path.extension().is_some_and(|e| e == "rs") && crate::root().join(path).exists()
        };
        let sources = paths.into_iter().filter(is_rust);
        sources.map(Source::read).collect()
    }

    /// Its Rust files that are shipped.
    pub fn product_sources(&self) -> Vec<Source> {
        if self.is_for_tests() {
            return Vec::new();
        }
        let sources = self.sources().into_iter();
        sources.filter(|source| !source.is_aside()).collect()
    }
}

/// What each package of `Cargo.lock` depends on, on any system and with any
/// feature that the workspace asks for.
///
/// # Panics
/// If the lock cannot be read.
pub fn locked() -> BTreeMap<String, BTreeSet<String>> {
    let lock: Table = read("Cargo.lock").parse().expect("Cargo.lock");
    let mut needs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in lock["package"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("name");
        let list = package.get("dependencies").and_then(Value::as_array);
        // An entry is `name`, or `name version` where there are several.
        let names = list.into_iter().flatten().filter_map(Value::as_str);
        let names = names.filter_map(|entry| entry.split(' ').next());
        let entry = needs.entry(name.to_owned()).or_default();
        entry.extend(names.map(str::to_owned));
    }
    needs
}
