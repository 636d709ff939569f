//! Text on a grid of cells: made harmless, cut into rows, searched.
//!
//! Owns what a cell can hold. Must not know messages or screens.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The longest cluster of characters that shares a cell. A flag or a family
/// is shorter; more is a heap of marks that would be written at every frame.
const CLUSTER_BYTES_MAX: usize = 64;

/// What stands for what cannot be shown. Terminals agree that it has one
/// column, unlike U+FFFD.
const HARMLESS: char = '␦';

/// The pictures of the control characters of ASCII begin here.
const PICTURES: u32 = 0x2400;

/// Others' text, so that it cannot steer the terminal: line breaks stay, all
/// other control characters, and those that turn the direction of what follows,
/// become visible.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let text = text.trim_end().replace("\r\n", "\n");
    for cluster in text.graphemes(true) {
        if cluster.len() > CLUSTER_BYTES_MAX {
            out.push(HARMLESS);
            continue;
        }
        for c in cluster.chars() {
            match c {
                '\n' | '\r' | '\u{2028}' | '\u{2029}' => out.push('\n'),
                '\t' => out.push_str("    "),
                '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push(HARMLESS),
                c if c.is_ascii_control() => out.push(picture(c)),
                c if c.is_control() => out.push(HARMLESS),
                c => out.push(c),
            }
        }
    }
    out
}

/// Which control character it was.
fn picture(control: char) -> char {
    match control {
        '\u{7f}' => '␡',
        control => char::from_u32(PICTURES + u32::from(control)).unwrap_or(HARMLESS),
    }
}

/// The same on one line.
pub fn clean_line(text: &str) -> String {
    clean(text).replace('\n', " ")
}

/// The columns that a text takes.
pub fn width(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The beginning of a text in at most `columns`; one that is cut ends with `…`.
pub fn cut(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut left = columns.saturating_sub(1);
    for cluster in text.graphemes(true) {
        let Some(rest) = left.checked_sub(cluster.width()) else {
            break;
        };
        left = rest;
        out.push_str(cluster);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}

/// Cuts a text into rows of at most `columns`, at spaces where there are some.
/// There is at least one row; the space at which a row ends belongs to none.
pub fn wrap(text: &str, columns: usize) -> Vec<Range<usize>> {
    let columns = columns.max(1);
    let mut rows = Vec::new();
    let mut start = 0;
    for line in text.split('\n') {
        wrap_line(line, start, columns, &mut rows);
        start += line.len() + 1;
    }
    rows
}

fn wrap_line(line: &str, offset: usize, columns: usize, rows: &mut Vec<Range<usize>>) {
    let mut begin = 0;
    let mut taken = 0;
    // Where the last word of this row begins.
    let mut word = None;
    for (at, cluster) in line.grapheme_indices(true) {
        let columns_needed = cluster.width();
        if taken + columns_needed > columns && at > begin {
            if cluster == " " {
                rows.push(offset + begin..offset + at);
                begin = at + 1;
                (taken, word) = (0, None);
                continue;
            }
            let next = word.filter(|word| *word > begin).unwrap_or(at);
            let end = line[begin..next].trim_end_matches(' ').len() + begin;
            rows.push(offset + begin..offset + end.max(begin));
            begin = next;
            taken = width(&line[begin..at]);
            word = None;
        }
        taken += columns_needed;
        if cluster == " " {
            word = Some(at + 1);
        }
    }
    rows.push(offset + begin..offset + line.len());
}

/// Where `wanted` stands in a text, whatever the case of either.
pub fn find_all(text: &str, wanted: &str) -> Vec<Range<usize>> {
    let wanted = wanted.to_lowercase();
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut folded = String::with_capacity(text.len());
    // For each byte of `folded` where its character begins and ends in `text`.
    let mut places = Vec::with_capacity(text.len());
    for (at, c) in text.char_indices() {
        for lower in c.to_lowercase() {
            folded.push(lower);
            let place = at..at + c.len_utf8();
            places.extend(std::iter::repeat_n(place, lower.len_utf8()));
        }
    }
    let found = folded.match_indices(&wanted);
    let found = found.map(|(at, same)| places[at].start..places[at + same.len() - 1].end);
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, columns: usize) -> Vec<&str> {
        wrap(text, columns)
            .into_iter()
            .map(|row| &text[row])
            .collect()
    }

    #[test]
    fn others_text_does_not_steer_the_terminal() {
        assert_eq!(clean("a\x1b[2J\r\nb\u{9b}\tc\n"), "a␛[2J\nb␦    c");
        assert_eq!(clean("\u{202e}evil"), "␦evil");
        let heap = format!("a{}", "\u{301}".repeat(500));
        assert_eq!(clean(&heap), "␦");
        assert_eq!(clean("\u{7f}\u{7}\0"), "␡␇␀");
        assert_eq!(clean("👨‍👩‍👧‍👦"), "👨‍👩‍👧‍👦");
        assert_eq!(clean_line("a\nb"), "a b");
    }

    #[test]
    fn rows_break_at_spaces_and_never_inside_a_wide_character() {
        assert_eq!(rows("see you at six", 8), ["see you", "at six"]);
        assert_eq!(rows("see you", 7), ["see you"]);
        assert_eq!(rows("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(rows("", 3), [""]);
        assert_eq!(rows("a\n\nb", 3), ["a", "", "b"]);
        assert_eq!(rows("日本語", 5), ["日本", "語"]);
        assert_eq!(rows("日本", 1), ["日", "本"]);
        assert_eq!(rows("a bcdefgh", 4), ["a", "bcde", "fgh"]);
        for columns in 0..12 {
            let text = "one  two   👍🏽 日本語 three\nfour";
            let whole: String = rows(text, columns).concat();
            assert_eq!(whole.replace(' ', ""), text.replace([' ', '\n'], ""));
        }
    }

    #[test]
    fn what_is_cut_ends_with_a_sign_and_fits() {
        assert_eq!(cut("alice", 5), "alice");
        assert_eq!(cut("alice", 4), "ali…");
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("alice", 0), "");
    }

    #[test]
    fn a_search_ignores_case_and_gives_places_in_the_text() {
        let text = "Grüße, GRÜSSE, İx";
        assert_eq!(find_all(text, "grü").len(), 2);
        assert_eq!(&text[find_all(text, "SSE")[0].clone()], "SSE");
        assert_eq!(&text[find_all(text, "x")[0].clone()], "x");
        assert!(find_all(text, "").is_empty());
    }
}
