//! The page of help.
//!
//! Owns its rows. Must not know how they are shown.

use crate::command::HELP;
use crate::fullscreen::text::{width, wrap};

/// The keys and what they do.
const KEYS: &[(&str, &str)] = &[
    ("Enter", "send; in the list: open the conversation"),
    ("Alt-Enter, Ctrl-J", "a new line in what you write"),
    ("Tab", "between the list and the conversation"),
    ("Up, Down", "lines of your text, then your earlier texts"),
    (
        "Ctrl-N, Ctrl-P",
        "next and previous conversation (Alt-Down, Alt-Up)",
    ),
    ("Ctrl-G", "the next conversation with something unread"),
    ("a, d (in the list)", "accept or decline an invitation"),
    ("PgUp, PgDn", "back and forth in the conversation"),
    (
        "Ctrl-Home, Ctrl-End",
        "the oldest and the newest (Esc: the newest)",
    ),
    ("Ctrl-F", "search: Up older, Down newer, Esc ends"),
    ("Ctrl-A, Ctrl-E", "begin and end of the line"),
    (
        "Ctrl-W, Ctrl-U, Ctrl-K",
        "delete a word, to the begin, to the end",
    ),
    ("Ctrl-Left, Ctrl-Right", "a word back and forth"),
    ("F3", "the bell on or off"),
    ("Ctrl-L", "draw the screen again"),
    ("Ctrl-Z", "back to the shell for a while; fg returns"),
    ("F1", "this page; Esc closes it"),
    ("Ctrl-Q, Ctrl-C", "log out and end; twice: end at once"),
];

/// The columns of what is explained.
const NAMES: usize = 24;

/// From this width on, name and explanation stand side by side.
const COLUMNS_FOR_BOTH: usize = 60;

/// The rows of the page.
pub fn rows(columns: usize) -> Vec<String> {
    let mut rows = vec!["Keys".to_owned()];
    for (name, meaning) in KEYS {
        row(name, meaning, columns, &mut rows);
    }
    rows.push(String::new());
    rows.push("Commands".to_owned());
    for line in HELP.lines() {
        let (name, meaning) = line.split_once("  ").unwrap_or((line, ""));
        row(name, meaning.trim_start(), columns, &mut rows);
    }
    rows.push(String::new());
    rows.push("In a conversation a friend's name may be left out: /accept".to_owned());
    rows
}

fn row(name: &str, meaning: &str, columns: usize, rows: &mut Vec<String>) {
    let side_by_side = columns >= COLUMNS_FOR_BOTH && width(name) < NAMES;
    let indent = if side_by_side { NAMES + 2 } else { 4 };
    let mut first = format!("  {name}");
    if side_by_side {
        first = format!("{first:indent$}");
    } else {
        rows.push(std::mem::take(&mut first));
    }
    for part in wrap(meaning, columns.saturating_sub(indent)) {
        if first.is_empty() {
            first = " ".repeat(indent);
        }
        rows.push(std::mem::take(&mut first) + &meaning[part]);
    }
}
