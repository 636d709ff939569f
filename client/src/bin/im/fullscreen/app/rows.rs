//! The rows that a conversation takes on a screen of some width, and which of
//! them are in sight.
//!
//! Owns how entries are cut and how far a page goes. Must not know colours.

use std::ops::Range;

use super::talk::{Entry, Place, Source, Talk};
use crate::fullscreen::text::{width, wrap};

/// From this width on the time stands before each entry.
const COLUMNS_FOR_TIME: usize = 24;

/// From this width on the mark may stand at the end of a text's last row.
const COLUMNS_FOR_MARK: usize = 30;

/// The most columns of a name before an entry.
const NAME_COLUMNS_MAX: usize = 12;

/// `12:31 `.
const TIME_COLUMNS: usize = 6;

/// The page of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub columns: usize,
    pub rows: usize,
    /// The columns of the time before each entry, with the space behind it.
    pub time: usize,
    /// The columns of the name, without the space behind it.
    pub name: usize,
}

impl Page {
    /// A page for a conversation with somebody whose name takes `name`
    /// columns.
    pub fn new(columns: u16, rows: u16, name: usize) -> Self {
        let columns = usize::from(columns).max(1);
        let time = if columns < COLUMNS_FOR_TIME {
            0
        } else {
            TIME_COLUMNS
        };
        // `you` has three.
        let name = name.clamp(3, NAME_COLUMNS_MAX).min(columns / 4);
        Self {
            columns,
            rows: rows.into(),
            time,
            name,
        }
    }

    /// What stands before a message.
    pub fn prefix(&self) -> usize {
        self.time + self.name + 1
    }

    fn columns_of(&self, source: &Source) -> usize {
        let before = match source {
            Source::Notice => self.time,
            Source::Theirs | Source::Member { .. } | Source::Own(_) => self.prefix(),
        };
        self.columns.saturating_sub(before).max(1)
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// Another day begins.
    Day,
    /// What follows had not been looked at.
    New,
    /// Part of an entry's text.
    Text {
        range: Range<usize>,
        /// With the time and the name before it.
        is_first: bool,
        /// With the mark at its end.
        is_marked: bool,
    },
    /// Part of the mark, on a row of its own.
    Mark(String),
}

/// The rows of an entry.
pub fn rows(talk: &Talk, index: usize, page: Page) -> Vec<Row> {
    let Some(entry) = talk.entries().get(index) else {
        return Vec::new();
    };
    let before = index.checked_sub(1).and_then(|b| talk.entries().get(b));
    let mut rows = Vec::new();
    if before.is_none_or(|before| before.at.date() != entry.at.date()) {
        rows.push(Row::Day);
    }
    if talk.new_from == Some(entry.serial) {
        rows.push(Row::New);
    }
    let columns = page.columns_of(&entry.source);
    let mut is_first = true;
    for range in wrap(&entry.text, columns) {
        rows.push(Row::Text {
            range,
            is_first: std::mem::take(&mut is_first),
            is_marked: false,
        });
    }
    mark(entry, columns, &mut rows);
    rows
}

fn mark(entry: &Entry, columns: usize, rows: &mut Vec<Row>) {
    let Source::Own(delivery) = &entry.source else {
        return;
    };
    let label = delivery.label();
    if let Some(Row::Text {
        range, is_marked, ..
    }) = rows.last_mut()
        && columns >= COLUMNS_FOR_MARK
        && width(&entry.text[range.clone()]) + 2 + width(&label) <= columns
    {
        *is_marked = true;
        return;
    }
    let parts = wrap(&label, columns).into_iter();
    rows.extend(parts.map(|part| Row::Mark(label[part].to_owned())));
}

/// The rows in sight, the last of them at the bottom, each with the index of
/// its entry.
pub fn in_sight(talk: &Talk, page: Page) -> Vec<(usize, Row)> {
    let (mut index, row) = bottom(talk, page);
    let mut found: Vec<(usize, Row)> = Vec::new();
    let mut kept = row + 1;
    while found.len() < page.rows {
        let mut rows = rows(talk, index, page);
        rows.truncate(kept);
        found.extend(rows.into_iter().rev().map(|row| (index, row)));
        let Some(before) = index.checked_sub(1) else {
            break;
        };
        (index, kept) = (before, usize::MAX);
    }
    found.truncate(page.rows);
    found.reverse();
    found
}

/// Moves the page: back by rows that are negative, else towards the newest.
pub fn scroll(talk: &mut Talk, page: Page, by: isize) {
    let (mut index, mut row) = bottom(talk, page);
    let mut left = by.unsigned_abs();
    if by < 0 {
        while left > row && index > 0 {
            left -= row + 1;
            index -= 1;
            row = last_row(talk, index, page);
        }
        row = row.saturating_sub(left);
    } else {
        loop {
            let last = last_row(talk, index, page);
            if row + left <= last {
                row += left;
                break;
            }
            left -= last - row + 1;
            (index, row) = (index + 1, 0);
            if index >= talk.entries().len() {
                break;
            }
        }
    }
    go(talk, page, index, row);
}

/// Shows an entry, its end at the bottom.
pub fn show(talk: &mut Talk, page: Page, serial: i64) {
    let index = talk.index(serial);
    let row = last_row(talk, index, page);
    go(talk, page, index, row);
}

/// The first page is full, and the last one follows what comes.
fn go(talk: &mut Talk, page: Page, index: usize, row: usize) {
    let (index, row) =
        first_bottom(talk, page).map_or((index, row), |first| first.max((index, row)));
    let newest = talk.entries().len().saturating_sub(1);
    let is_newest = (index, row) >= (newest, last_row(talk, newest, page));
    talk.place = match talk.entries().get(index) {
        Some(entry) if !is_newest => Place::At {
            serial: entry.serial,
            row,
        },
        _ => Place::Newest,
    };
}

/// The index of the entry at the bottom, and the row of it.
fn bottom(talk: &Talk, page: Page) -> (usize, usize) {
    let newest = talk.entries().len().saturating_sub(1);
    match talk.place {
        Place::Newest => (newest, last_row(talk, newest, page)),
        Place::At { serial, row } => {
            let index = talk.index(serial).min(newest);
            let at = (index, row.min(last_row(talk, index, page)));
            // What was above may be gone, or wrapped otherwise.
            first_bottom(talk, page).map_or(at, |first| first.max(at))
        }
    }
}

/// The bottom of the first page; of a conversation that fills none, its end.
fn first_bottom(talk: &Talk, page: Page) -> Option<(usize, usize)> {
    let mut left = page.rows.max(1);
    for index in 0..talk.entries().len() {
        let last = last_row(talk, index, page);
        if left <= last + 1 {
            return Some((index, left - 1));
        }
        left -= last + 1;
    }
    let newest = talk.entries().len().checked_sub(1)?;
    Some((newest, last_row(talk, newest, page)))
}

fn last_row(talk: &Talk, index: usize, page: Page) -> usize {
    rows(talk, index, page).len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{DateTime, date};

    fn day(day: i8) -> DateTime {
        date(2026, 11, day).at(12, 0, 0, 0)
    }

    fn talk_of(count: usize) -> Talk {
        let mut talk = Talk::default();
        for n in 1..=count {
            talk.push(day(1), Source::Theirs, &format!("text {n}"));
        }
        talk
    }

    fn bottom_text(talk: &Talk, page: Page) -> String {
        let rows = in_sight(talk, page);
        assert!(rows.len() <= page.rows);
        let (index, _) = rows.last().unwrap();
        talk.entries()[*index].text.clone()
    }

    #[test]
    fn a_page_goes_back_to_the_first_and_on_to_the_newest() {
        let mut talk = talk_of(30);
        let page = Page::new(40, 10, 3);
        assert_eq!(bottom_text(&talk, page), "text 30");
        scroll(&mut talk, page, -10);
        assert_eq!(bottom_text(&talk, page), "text 20");
        talk.push(day(1), Source::Theirs, "newer");
        assert_eq!(bottom_text(&talk, page), "text 20", "what is read stays");
        scroll(&mut talk, page, -1_000);
        let rows = in_sight(&talk, page);
        assert_eq!((rows.len(), &rows[0]), (10, &(0, Row::Day)));
        scroll(&mut talk, page, 3);
        assert_eq!(bottom_text(&talk, page), "text 12");
        scroll(&mut talk, page, 1_000);
        assert_eq!(talk.place, Place::Newest);
        show(&mut talk, page, 15);
        assert_eq!(bottom_text(&talk, page), "text 15");
        show(&mut talk, page, 2);
        assert_eq!(bottom_text(&talk, page), "text 9", "the page is full");
    }

    #[test]
    fn another_width_and_a_bound_leave_a_page_in_sight() {
        let mut talk = talk_of(30);
        scroll(&mut talk, Page::new(40, 10, 3), -15);
        for columns in 0..50 {
            for rows in 0..12 {
                let page = Page::new(columns, rows, 64);
                assert!(in_sight(&talk, page).len() <= usize::from(rows));
                scroll(&mut talk, page, -1);
                scroll(&mut talk, page, 1);
            }
        }
        let mut short = talk_of(3);
        scroll(&mut short, Page::new(40, 10, 3), -5);
        assert_eq!(short.place, Place::Newest, "all of it is in sight");
        let mut empty = Talk::default();
        let page = Page::new(40, 10, 3);
        scroll(&mut empty, page, -5);
        scroll(&mut empty, page, 5);
        assert!(in_sight(&empty, page).is_empty());
    }

    #[test]
    fn a_day_and_what_is_new_have_rows_of_their_own() {
        let mut talk = talk_of(1);
        talk.received(day(2), client::Stamp(1), "new", false);
        let rows = rows(&talk, 1, Page::new(40, 10, 3));
        assert_eq!(rows[..2], [Row::Day, Row::New]);
    }
}
