//! How modules of a crate hang together.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rules::module::{Crate, knots};
use rules::package::{Package, all};
use rules::source::name;
use rules::{files, hold, root};

/// The root files of a package's library and programs.
fn roots(package: &Package) -> Vec<PathBuf> {
    let source = package.folder.join("src");
    let mut roots = vec![source.join("lib.rs"), source.join("main.rs")];
    let named = package.manifest.get("bin").and_then(|bins| bins.as_array());
    let paths = named
        .into_iter()
        .flatten()
        .filter_map(|bin| bin.get("path")?.as_str());
    roots.extend(paths.map(|path| package.folder.join(path)));
    let programs = source.join("bin");
    roots.extend(files(&programs).into_iter().filter(|path| {
        let is_file = path.parent() == Some(Path::new(&programs));
        is_file || path.file_name().is_some_and(|name| name == "main.rs")
    }));
    roots.retain(|path| root().join(path).exists());
    roots
}

#[test]
fn modules_name_each_other_one_way() {
    let mut broken = Vec::new();
    for package in all() {
        for root in roots(&package) {
            let edges = Crate::read(&root).edges();
            broken.extend(knots(&edges).into_iter().map(|edge| edge.evidence.clone()));
        }
    }
    hold(
        "Modules that name each other are one module, or hide a third below both: move what both \
         need into a module that names neither.",
        &broken,
    );
}

#[test]
fn every_file_is_part_of_a_crate() {
    let mut broken = Vec::new();
    for package in all() {
        let roots = roots(&package);
        let known: BTreeSet<PathBuf> = roots
            .iter()
            .flat_map(|root| Crate::read(root).files().clone())
            .collect();
        let found = files(&package.folder.join("src")).into_iter();
        let rust = found.filter(|path| path.extension().is_some_and(|e| e == "rs"));
        broken.extend(
            rust.filter(|path| !known.contains(path))
                .map(|path| name(&path)),
        );
    }
    hold(
        "No `mod` leads to these files: declare them, or delete them.",
        &broken,
    );
}
