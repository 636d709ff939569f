//! Pages say what the code does.

use std::path::{Path, PathBuf};

use node::settings::sheet::{Line, Reload, Sheet};
use rules::package::{Package, all, manifest};
use rules::source::{Source, name};
use rules::{files, hold, read, root};

/// Every page that people read.
fn pages() -> Vec<(PathBuf, String)> {
    let is_page = |path: &PathBuf| path.extension().is_some_and(|e| e == "md");
    let folders = all().into_iter().map(|package| package.folder);
    let mut paths: Vec<PathBuf> = folders.flat_map(|folder| files(&folder)).collect();
    let top = ["README.md", "CHANGELOG.md", "tests/GUARANTEES.md"];
    paths.extend(top.map(PathBuf::from));
    paths.retain(is_page);
    paths.sort();
    paths.dedup();
    let with_text = |path: PathBuf| {
        let text = read(&path);
        (path, text)
    };
    paths.into_iter().map(with_text).collect()
}

/// What stands between two marks, each time.
fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    let parts = text.split(open).skip(1);
    parts
        .filter_map(|part| part.split_once(close))
        .map(|(inside, _)| inside)
        .collect()
}

/// The page without blocks of code.
fn prose(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

#[test]
fn links_and_names_of_files_lead_somewhere() {
    let mut broken = Vec::new();
    for (page, text) in pages() {
        let prose = prose(&text);
        let folder = page.parent().unwrap_or(Path::new(""));
        for link in between(&prose, "](", ")") {
            let file = link.split('#').next().unwrap_or_default();
            let is_here = !file.is_empty() && !file.contains("://");
            if is_here && !root().join(folder).join(file).exists() {
                broken.push(format!("{}: {link}", name(&page)));
            }
        }
        let endings = [".rs", ".md", ".toml", ".proto", ".py"];
        for quoted in prose.split('`').skip(1).step_by(2) {
            let is_path = quoted.contains('/') && !quoted.contains([' ', '*', '<']);
            if is_path && endings.iter().any(|end| quoted.ends_with(end)) {
                let known = [root().join(quoted), root().join(folder).join(quoted)];
                if !known.iter().any(|path| path.exists()) {
                    broken.push(format!("{}: {quoted}", name(&page)));
                }
            }
        }
    }
    hold("These are not there: mend the page, or the path.", &broken);
}

#[test]
fn the_first_lines_tell_what_it_needs() {
    let root = manifest(Path::new(""));
    let wanted = root["workspace"]["package"]["rust-version"].as_str();
    let wanted = format!("Rust {}", wanted.expect("rust-version"));
    let readme = read("README.md");
    let first: Vec<&str> = readme.lines().take(5).collect();
    assert!(
        first.join("\n").contains(&wanted),
        "README.md: say `{wanted}` in the first lines"
    );
}

/// The flags that a file declares, each with the line of its attribute.
fn flags(source: &Source) -> Vec<(usize, String)> {
    let shipped = source.shipped();
    let mut found = Vec::new();
    for (at, _) in shipped.match_indices("#[arg(") {
        let line = shipped[..at].matches('\n').count();
        let after = &shipped[at..];
        let Some((attribute, rest)) = after.split_once(")]") else {
            continue;
        };
        if !attribute.contains("long") {
            continue;
        }
        // Strings are blank in the code: a name that is given stands in the text.
        let text = &source.text[at..at + attribute.len()];
        let given = between(text, "long = \"", "\"")
            .first()
            .map(|n| (*n).to_owned());
        let field = rest
            .lines()
            .map(str::trim)
            .find(|l| l.contains(':') && !l.starts_with('#'));
        let field = field.and_then(|field| field.trim_start_matches("pub ").split(':').next());
        let name = given.or(field.map(|field| field.trim().replace('_', "-")));
        found.extend(name.map(|name| (line, name)));
    }
    found
}

#[test]
fn every_flag_is_in_the_readme_and_has_a_help_text() {
    let readme = read("README.md");
    let mut broken = Vec::new();
    let mut count = 0;
    for source in all().iter().flat_map(Package::product_sources) {
        for (line, flag) in flags(&source) {
            count += 1;
            if !readme.contains(&format!("`--{flag}`")) {
                broken.push(format!("{} --{flag}: not in README.md", source.place(line)));
            }
            let above = line
                .checked_sub(1)
                .and_then(|above| source.text.lines().nth(above));
            if !above.is_some_and(|above| above.trim_start().starts_with("///")) {
                broken.push(format!("{} --{flag}: no help text", source.place(line)));
            }
        }
    }
    assert!(count > 20, "only {count} flags were found");
    hold(
        "A flag has a line in the table of README.md, and a doc comment above its attribute.",
        &broken,
    );
}

/// Every section of settings, with its defaults.
fn sections() -> Sheet {
    let mut sheet = Sheet::default();
    connd::section::GatewaySection::default().describe(&mut sheet);
    connd::section::LeavingSection::default().describe(&mut sheet);
    msgd::section::ShardSection::default().describe(&mut sheet);
    msgd::section::MailboxSection::default().describe(&mut sheet);
    msgd::section::DatabaseSection::default().describe(&mut sheet);
    friendd::section::FriendsSection::default().describe(&mut sheet);
    friendd::section::DatabaseSection::default().describe(&mut sheet);
    sheet
}

#[test]
fn every_key_is_in_the_readme_with_its_default_and_whether_a_reload_takes_it() {
    let readme = read("README.md");
    let row = |line: &Line| {
        // A page groups digits by commas, and quotes nothing.
        let value = line.value.as_deref().unwrap_or_default();
        let value = value.trim_matches('"').replace('_', ",");
        let reload = match line.reload {
            Reload::Yes => "yes",
            Reload::No => "no",
        };
        format!("| `{}` | {value} | {reload} |", line.key)
    };
    let mut wanted: Vec<String> = sections().lines().iter().map(row).collect();
    assert!(wanted.len() > 30, "only {} keys were found", wanted.len());
    wanted.retain(|row| !readme.contains(row.as_str()));
    hold(
        "The tables of limits in README.md have a row for each key that begins so:",
        &wanted,
    );
}

#[test]
fn defaults_are_allowed() {
    let wrong = sections();
    let wrong: Vec<String> = wrong.mistakes().iter().map(ToString::to_string).collect();
    hold("A default lies in its own bounds.", &wrong);
}

#[test]
fn every_figure_that_the_readme_names_is_there() {
    let readme = prose(&read("README.md"));
    let registered: String = all()
        .iter()
        .flat_map(Package::product_sources)
        .filter(|source| source.path.ends_with("metrics.rs"))
        .map(|source| source.text)
        .collect();
    let quoted = readme.split('`').skip(1).step_by(2);
    let mut figures = quoted
        .filter_map(|quoted| quoted.strip_prefix("im_"))
        .peekable();
    assert!(figures.peek().is_some(), "README.md names no figure");
    let is_there = |figure: &&str| {
        let figure = figure.trim_end_matches("_total");
        figure.split_once('_').is_some_and(|(part, figure)| {
            let part = registered.contains(&format!("(\"{part}\")"));
            let named = [format!("\"{figure}\""), format!(" {figure}:")];
            part && named.iter().any(|named| registered.contains(named))
        })
    };
    let broken: Vec<String> = figures
        .filter(|f| !is_there(f))
        .map(str::to_owned)
        .collect();
    hold("No part has these figures:", &broken);
}
