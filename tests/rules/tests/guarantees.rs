//! What tests/GUARANTEES.md names is there: tests, packages, scripts.

use rules::package::{Package, all};
use rules::source::Source;
use rules::{hold, read};

const PAGE: &str = "tests/GUARANTEES.md";

/// A test, as a filter finds it.
struct Test {
    package: String,
    /// The file in `tests` that it is built from, if it is in one.
    target: Option<String>,
    /// `file::function`.
    name: String,
}

/// The name of a file that is a module, or of the folder whose module it is.
fn stem(source: &Source) -> String {
    let stem = source.path.file_stem().expect("a file");
    let folder = source.path.parent().and_then(|folder| folder.file_name());
    let is_folder = stem == "mod" || stem == "main";
    let stem = folder.filter(|_| is_folder).unwrap_or(stem);
    stem.to_string_lossy().into_owned()
}

/// The functions below an attribute `test`, whatever path it has.
fn functions(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = source.code.lines();
    while let Some(line) = lines.next() {
        let line = line.trim();
        if line.starts_with("#[") && (line.contains("[test") || line.contains("::test")) {
            let function = lines.by_ref().find_map(|line| line.split_once("fn "));
            let name = function.and_then(|(_, rest)| rest.split_once('('));
            found.extend(name.map(|(name, _)| name.to_owned()));
        }
    }
    found
}

fn tests(package: &Package) -> Vec<Test> {
    let folder = package.folder.join("tests");
    let of = |source: Source| {
        let below = source.path.strip_prefix(&folder).ok();
        let first = below.and_then(|path| path.iter().next()?.to_str());
        let target = first.map(|first| first.trim_end_matches(".rs").to_owned());
        let file = stem(&source);
        functions(&source).into_iter().map(move |function| Test {
            package: package.name.clone(),
            target: target.clone(),
            name: format!("{file}::{function}"),
        })
    };
    package.sources().into_iter().flat_map(of).collect()
}

/// The lines of the blocks of commands.
fn commands(page: &str) -> Vec<&str> {
    let blocks = page.split("\n```").skip(1).step_by(2);
    blocks.flat_map(|block| block.lines().skip(1)).collect()
}

/// What is wrong with a command, if anything.
fn mistake(command: &str, packages: &[Package], tests: &[Test]) -> Option<&'static str> {
    let words: Vec<&str> = command.split(' ').collect();
    let after = |flag: &str| {
        let at = words.iter().position(|word| *word == flag)?;
        words.get(at + 1).copied()
    };
    match words[..] {
        ["cargo", "test", ..] => {
            let (package, target) = (after("-p"), after("--test"));
            let filter = words.last().filter(|word| Some(**word) != target);
            let is_meant = |test: &&Test| {
                let of_target = target.is_none() || test.target.as_deref() == target;
                Some(test.package.as_str()) == package && of_target
            };
            let mut meant = tests.iter().filter(is_meant);
            let is_there = meant.any(|test| filter.is_none_or(|filter| test.name.contains(filter)));
            (!is_there).then_some("runs no test")
        }
        ["cargo", "build" | "run", ..] => {
            let mut named = words.windows(2).filter(|pair| pair[0] == "-p");
            let is_there = named.all(|pair| packages.iter().any(|p| p.name == pair[1]));
            (!is_there).then_some("names a package that is not there")
        }
        ["python3", script, .., _] => {
            let at = if script.ends_with("xmpp.py") { 3 } else { 2 };
            let scene = words.get(at).copied().unwrap_or_default();
            let is_there = rules::root().join(script).exists()
                && read(script).contains(&format!("\ndef {scene}(server"));
            (!is_there).then_some("runs no scene")
        }
        ["apt-get", "install", ..] | ["seq", ..] => None,
        _ => Some("is of a kind that nobody checks"),
    }
}

#[test]
fn what_the_page_of_guarantees_names_is_there() {
    let page = read(PAGE);
    let packages = all();
    let tests: Vec<Test> = packages.iter().flat_map(tests).collect();
    let mut broken = Vec::new();
    let prose: String = page.split("```").step_by(2).collect();
    let quoted = prose.split('`').skip(1).step_by(2);
    let named: Vec<&str> = quoted.filter(|quoted| quoted.contains("::")).collect();
    assert!(named.len() > 20, "only {} tests are named", named.len());
    for name in named {
        if !tests.iter().any(|test| test.name == name) {
            broken.push(format!("`{name}`: no such test"));
        }
    }
    let commands = commands(&page);
    assert!(commands.len() > 30, "only {} commands", commands.len());
    for command in commands {
        if let Some(mistake) = mistake(command, &packages, &tests) {
            broken.push(format!("{command}: {mistake}"));
        }
    }
    hold("tests/GUARANTEES.md names what is not there:", &broken);
}
