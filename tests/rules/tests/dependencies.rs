//! Who may depend on whom, as the design draws it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rules::hold;
use rules::package::{Package, all, locked, manifest};

/// Each package, and those of the workspace that it may be built with. What is
/// below names nothing above.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("proto", &[]),
    ("service", &["proto"]),
    ("connd-core", &["proto"]),
    ("connd-line", &["proto"]),
    ("msgd-core", &["proto"]),
    ("friendd-core", &["proto"]),
    ("store", &[]),
    ("node", &["proto"]),
    ("shared", &["node"]),
    ("registry-core", &["proto"]),
    ("registry", &["node", "proto", "registry-core", "shared"]),
    (
        "connd",
        &[
            "connd-core",
            "connd-line",
            "node",
            "proto",
            "registry",
            "service",
        ],
    ),
    (
        "msgd",
        &[
            "msgd-core",
            "node",
            "proto",
            "registry",
            "service",
            "shared",
            "store",
        ],
    ),
    (
        "friendd",
        &[
            "friendd-core",
            "node",
            "proto",
            "registry",
            "service",
            "shared",
            "store",
        ],
    ),
    // The public protocol and nothing else.
    ("client", &["proto"]),
    (
        "deploy",
        &[
            "connd",
            "connd-core",
            "friendd",
            "msgd",
            "msgd-core",
            "node",
            "proto",
            "registry",
            "service",
            // `imctl store copy` fills a Redis.
            "shared",
            "store",
        ],
    ),
    (
        "sim",
        &[
            "connd-core",
            "friendd-core",
            "msgd-core",
            "proto",
            "registry-core",
        ],
    ),
    ("store-suite", &["msgd-core", "proto"]),
    (
        "fuzz",
        &[
            "connd",
            "connd-core",
            "friendd-core",
            "msgd-core",
            "proto",
            "service",
            "sim",
        ],
    ),
    ("bench", &["proto"]),
    (
        "cluster",
        &["client", "node", "proto", "redis-stage", "registry"],
    ),
    (
        "faults",
        &["client", "cluster", "proto", "redis-stage", "registry"],
    ),
    ("redis-stage", &[]),
    ("rules", &[]),
];

/// What tests of a package may name besides.
const TESTS_MAY_NAME: &[(&str, &[&str])] = &[
    ("msgd", &["friendd"]),
    ("shared", &["redis-stage"]),
    ("friendd", &["redis-stage"]),
    ("registry", &["redis-stage"]),
    (
        "store-suite",
        &["msgd", "redis-stage", "registry", "shared", "sim", "store"],
    ),
    ("rules", &["connd", "friendd", "msgd", "node"]),
];

/// Without I/O, whatever lies around them.
const CORES: &[&str] = &[
    "proto",
    "connd-core",
    "connd-line",
    "msgd-core",
    "friendd-core",
    "registry-core",
];

/// What does I/O.
const OUTSIDE: &[&str] = &[
    "axum", "fjall", "hyper", "mio", "redis", "rustix", "socket2", "tokio", "tonic",
];

/// Chance: a core is given it.
const CHANCE: &[&str] = &["fastrand", "getrandom", "rand"];

fn may(table: &[(&str, &'static [&'static str])], name: &str) -> Option<&'static [&'static str]> {
    let entry = table.iter().find(|(package, _)| *package == name);
    entry.map(|(_, names)| *names)
}

#[test]
fn packages_depend_on_those_below_them() {
    let packages = all();
    let own: BTreeSet<&String> = packages.iter().map(|package| &package.name).collect();
    let mut broken = Vec::new();
    for Package {
        name,
        dependencies,
        test_dependencies,
        ..
    } in &packages
    {
        let Some(allowed) = may(MAY_NAME, name) else {
            broken.push(format!("{name} is not in the list"));
            continue;
        };
        let tests = may(TESTS_MAY_NAME, name).unwrap_or_default();
        for other in dependencies.iter().filter(|other| own.contains(other)) {
            if !allowed.contains(&other.as_str()) {
                broken.push(format!("{name} -> {other}"));
            }
        }
        for other in test_dependencies.iter().filter(|other| own.contains(other)) {
            if !allowed.contains(&other.as_str()) && !tests.contains(&other.as_str()) {
                broken.push(format!("{name} -> {other}, in tests"));
            }
        }
    }
    hold(
        "A package names only those that MAY_NAME of this test draws. Take what is needed as an \
         argument, move a type that both need below both, or draw the edge and say why.",
        &broken,
    );
}

#[test]
fn cores_and_proto_do_no_io() {
    let locked = locked();
    let packages = all();
    let own: BTreeMap<&str, &Package> = packages
        .iter()
        .map(|package| (package.name.as_str(), package))
        .collect();
    let mut broken = Vec::new();
    for core in CORES {
        let mut ways = vec![vec![*core]];
        let mut seen = BTreeSet::from([*core]);
        while let Some(way) = ways.pop() {
            let last = way[way.len() - 1];
            if OUTSIDE.contains(&last) {
                broken.push(way.join(" -> "));
            }
            // Of our own packages what they run with; of others all.
            let next: Vec<&str> = match own.get(last) {
                Some(package) => package.runs_with(),
                None => locked[last].iter().map(String::as_str).collect(),
            };
            let new = next.into_iter().filter(|name| seen.insert(name));
            ways.extend(new.map(|name| [&way[..], &[name]].concat()));
        }
    }
    hold(
        "Cores and proto are built without sockets, files and runtimes. Give the core an event \
         and take an effect from it; the I/O belongs in the shell.",
        &broken,
    );
}

#[test]
fn cores_draw_no_lots() {
    let mut broken = Vec::new();
    for package in all()
        .iter()
        .filter(|package| CORES.contains(&package.name.as_str()))
    {
        let names = package.runs_with().into_iter();
        let drawn = names.filter(|name| CHANCE.contains(name));
        broken.extend(drawn.map(|name| format!("{} -> {name}", package.name)));
    }
    hold(
        "A core is given its random numbers, or a seed could not replay it.",
        &broken,
    );
}

#[test]
fn every_package_has_the_lints_of_the_workspace() {
    let root = manifest(Path::new(""));
    let lints = &root["workspace"]["lints"]["rust"];
    assert_eq!(lints["unsafe_code"].as_str(), Some("forbid"));
    let without = |package: &Package| {
        let lints = package.manifest.get("lints");
        let shared = lints.and_then(|lints| lints.get("workspace"));
        shared.and_then(toml::Value::as_bool) != Some(true)
    };
    let packages = all().into_iter().filter(without);
    let broken: Vec<String> = packages.map(|package| package.name).collect();
    hold(
        "A package has `[lints] workspace = true`: no unsafe code, everything documented.",
        &broken,
    );
}

#[test]
fn every_shared_dependency_is_used() {
    let root = manifest(Path::new(""));
    let shared = root["workspace"]["dependencies"]
        .as_table()
        .expect("a table");
    let mut unused: BTreeSet<&str> = shared.keys().map(String::as_str).collect();
    for package in all() {
        let used = package
            .dependencies
            .iter()
            .chain(&package.test_dependencies);
        used.for_each(|name| {
            unused.remove(name.as_str());
        });
    }
    let broken: Vec<String> = unused.into_iter().map(str::to_owned).collect();
    hold(
        "Nobody uses these lines of [workspace.dependencies]: take them out.",
        &broken,
    );
}
