//! What code may say, and where.

use rules::hold;
use rules::package::{Package, all};
use rules::source::{Source, block_end};

/// Lines of a file, and of a function.
const FILE_LINES_MAX: usize = 400;
const FUNCTION_LINES_MAX: usize = 70;

/// What a core is given as an event or an argument.
const NOT_IN_CORES: &[&str] = &[
    "Instant::now",
    "SystemTime::now",
    ".elapsed()",
    "now_v7",
    "fastrand",
    "getrandom",
    "rand::",
    "thread_rng",
    "tokio",
    "tonic",
    "async",
    ".await",
    "std::fs",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "std::sync::mpsc",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "Mutex",
    "RwLock",
    "println!",
    "eprintln!",
    "tracing",
];

/// Channels without a bound.
const UNBOUNDED: &[&str] = &[
    "unbounded",
    "unbounded_channel",
    "UnboundedSender",
    "UnboundedReceiver",
    "mpsc::channel()",
    "sync_channel(usize::MAX)",
];

/// What ends the process, or the thread.
const PANICS: &[&str] = &[
    ".unwrap()",
    ".expect(",
    ".unwrap_err()",
    ".expect_err(",
    "panic!",
    "unreachable!",
];

/// What is not finished.
const UNFINISHED: &[&str] = &["todo!", "unimplemented!", "dbg!"];

/// Where a message is told to be safe (`settle`), told again (`forward`), and
/// what carries that to the client.
const SENT_IS_SPOKEN: &[&str] = &[
    "msgd/core/src/shard/settle.rs",
    "msgd/core/src/shard/forward.rs",
    "msgd/core/src/shard/groups/written.rs",
    "msgd/core/src/shard/groups/post.rs",
    "proto/src/convert/down.rs",
    "proto/src/convert/server.rs",
    "connd/core/src/gateway/answers.rs",
];

/// Names that say nothing of what is inside.
const LUMBER: &[&str] = &[
    "common", "helper", "helpers", "misc", "types", "util", "utils",
];

fn is_core(package: &Package) -> bool {
    package.name.ends_with("-core") || package.name == "proto"
}

fn shipped(which: impl Fn(&Package) -> bool) -> Vec<Source> {
    let packages = all().into_iter().filter(|package| which(package));
    packages
        .flat_map(|package| package.product_sources())
        .collect()
}

fn everything() -> Vec<Source> {
    all().iter().flat_map(Package::sources).collect()
}

fn said(sources: &[Source], words: &[&str]) -> Vec<String> {
    let mut broken = Vec::new();
    for source in sources {
        let lines = source.lines_with(words).into_iter();
        broken.extend(lines.map(|(line, word)| format!("{} {word}", source.place(line))));
    }
    broken
}

#[test]
fn cores_take_time_and_chance_as_arguments() {
    hold(
        "A core knows no clock, chance, thread or socket: it is given an event and the time, and \
         returns effects.",
        &said(&shipped(is_core), NOT_IN_CORES),
    );
}

#[test]
fn every_channel_has_a_bound() {
    hold(
        "A channel has a bound, and a named answer when it is full.",
        &said(&shipped(|_| true), UNBOUNDED),
    );
}

#[test]
fn what_may_panic_says_why_it_does_not() {
    let mut broken = Vec::new();
    for source in shipped(|_| true) {
        for (line, word) in source.lines_with(PANICS) {
            if !is_explained(&source, line) {
                broken.push(format!("{} {word}", source.place(line)));
            }
        }
    }
    hold(
        "Bad input gets an error with a code. What cannot happen has a comment, above or behind \
         it, that proves it.",
        &broken,
    );
}

/// Whether the statement of a line has a comment in it or right above it.
fn is_explained(source: &Source, line: usize) -> bool {
    let code: Vec<&str> = source.code.lines().collect();
    let mut at = line;
    loop {
        if source.is_commented(at) {
            return true;
        }
        let Some(before) = at.checked_sub(1) else {
            return false;
        };
        let ended = code[before].trim_end();
        if ended.ends_with([';', '{', '}']) || ended.is_empty() && !source.is_commented(before) {
            return false;
        }
        at = before;
    }
}

#[test]
fn nothing_is_left_for_later() {
    let sources = everything();
    let mut broken = said(&sources, UNFINISHED);
    for source in &sources {
        let notes = source.text.lines().enumerate().filter(|(line, text)| {
            let later = ["TODO", "FIXME", "XXX"];
            source.is_commented(*line) && later.iter().any(|word| text.contains(word))
        });
        broken.extend(notes.map(|(line, text)| format!("{} {}", source.place(line), text.trim())));
    }
    hold("What is begun is finished, or not begun.", &broken);
}

#[test]
fn sent_is_spoken_where_a_message_became_safe() {
    let mut broken = Vec::new();
    for source in shipped(|package| package.name != "client") {
        let code = source.shipped();
        for word in ["Answer::Sent", "ServerPacket::Sent"] {
            let said = code.match_indices(word);
            let said = said.filter(|(at, _)| !is_pattern(&code[at + word.len()..]));
            for (at, _) in said.filter(|_| !SENT_IS_SPOKEN.contains(&source.name().as_str())) {
                broken.push(source.place(code[..at].matches('\n').count()));
            }
        }
    }
    hold(
        "'Sent' means safe. It is said in msgd/core/src/shard/settle.rs, when a device took the \
         message or its append is durable, and in groups/written.rs, when a group's log has it; \
         forward.rs and groups/post.rs repeat what was said.",
        &broken,
    );
}

/// Whether what follows a variant's name shows that it is looked for, not made.
fn is_pattern(rest: &str) -> bool {
    let closing = match rest.trim_start().chars().next() {
        Some('{') => '}',
        Some('(') => ')',
        _ => return true,
    };
    let Some((fields, after)) = rest.split_once(closing) else {
        return false;
    };
    let after = after.trim_start();
    let arm = ["=>", "= ", "|", "if "];
    fields.trim_end().ends_with("..") || arm.iter().any(|arm| after.starts_with(arm))
}

#[test]
fn a_variant_that_is_looked_for_is_a_pattern() {
    for pattern in [
        "(x) =>",
        "(_) | B",
        " { id, .. }) {",
        "(x) = y else",
        "(x) if z =>",
    ] {
        assert!(is_pattern(pattern), "{pattern}");
    }
    for made in ["(x.clone()), out)", " { id, sent }", "(x) }", "(x);"] {
        assert!(!is_pattern(made), "{made}");
    }
}

#[test]
fn a_file_is_one_idea() {
    let long = |source: &Source| {
        let lines = source.text.lines().count();
        (lines > FILE_LINES_MAX).then(|| format!("{}: {lines} lines", source.name()))
    };
    let broken: Vec<String> = everything().iter().filter_map(long).collect();
    hold(
        "A file has at most 400 lines: find the second idea in it and give it a file.",
        &broken,
    );
}

#[test]
fn a_function_fits_a_screen() {
    let mut broken = Vec::new();
    for source in shipped(|_| true) {
        let code = &source.shipped();
        for (at, _) in code.match_indices("fn ") {
            let begins = !code[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
            let Some(open) = code[at..].find(['{', ';']).map(|open| at + open) else {
                continue;
            };
            if !begins || code.as_bytes()[open] == b';' {
                continue;
            }
            let lines = code[at..block_end(code, open)].lines().count();
            if lines > FUNCTION_LINES_MAX {
                let line = code[..at].matches('\n').count();
                broken.push(format!("{}: {lines} lines", source.place(line)));
            }
        }
    }
    hold(
        "A function has at most 70 lines: name its steps, and give each a function.",
        &broken,
    );
}

#[test]
fn a_file_tells_what_it_owns() {
    let mut broken = Vec::new();
    for source in everything() {
        if !source.text.starts_with("//! ") {
            broken.push(source.name());
        }
    }
    hold(
        "A file begins with `//!`: what it owns, and what it must not know.",
        &broken,
    );
}

#[test]
fn a_file_has_a_name_of_its_own() {
    let lumber = |source: &Source| {
        let mut parts = source.path.iter().filter_map(|part| part.to_str());
        let found = parts.any(|part| LUMBER.contains(&part.trim_end_matches(".rs")));
        found.then(|| source.name())
    };
    let broken: Vec<String> = everything().iter().filter_map(lumber).collect();
    hold(
        "No lumber rooms: each thing goes to its user, or gets a name that tells what it is.",
        &broken,
    );
}
