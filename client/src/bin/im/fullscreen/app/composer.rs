//! A text that is being written, and the keys that edit it.
//!
//! Owns text and cursor. Must not know what becomes of the text.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use unicode_segmentation::UnicodeSegmentation;

use crate::fullscreen::text::wrap;

/// The longest text, in bytes: the largest body that any server takes.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// A text and where in it the next character goes.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Composer {
    text: String,
    /// A byte, at the border of what is seen as one character.
    cursor: usize,
}

/// What a key did to the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edited {
    /// The text is another.
    Text,
    /// The cursor is elsewhere, or the text has its greatest length.
    Cursor,
    /// The key has no meaning here.
    No,
}

impl Composer {
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Another text, with the cursor at its end.
    pub fn set(&mut self, text: String) {
        self.cursor = text.len();
        self.text = text;
    }

    pub fn take(&mut self) -> String {
        self.cursor = 0;
        std::mem::take(&mut self.text)
    }

    /// Puts a text in at the cursor. Line breaks stay, and a tabulator becomes
    /// spaces; what steers a terminal is left out. `false`: no room.
    pub fn insert(&mut self, text: &str) -> bool {
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let text = text.replace('\t', "    ");
        let shown = |c: &char| *c == '\n' || !c.is_control();
        let text: String = text.chars().filter(shown).collect();
        if self.text.len() + text.len() > TEXT_BYTES_MAX {
            return false;
        }
        self.text.insert_str(self.cursor, &text);
        self.cursor += text.len();
        true
    }

    /// A key that edits.
    pub fn key(&mut self, key: KeyEvent) -> Edited {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        let before = (self.text.len(), self.cursor);
        match key.code {
            KeyCode::Char('j') if control => drop(self.insert("\n")),
            KeyCode::Enter if alt => drop(self.insert("\n")),
            KeyCode::Char('a') if control => self.cursor = self.line_start(),
            KeyCode::Char('e') if control => self.cursor = self.line_end(),
            KeyCode::Char('b') if control => self.cursor = self.before(),
            KeyCode::Char('w') if control => self.cut_from(self.word_before()),
            KeyCode::Char('u') if control => self.cut_from(self.line_start()),
            KeyCode::Char('k') if control => self.cut_to(self.line_end()),
            KeyCode::Char('d') if control => self.cut_to(self.after()),
            KeyCode::Char('b') if alt => self.cursor = self.word_before(),
            KeyCode::Char('f') if alt => self.cursor = self.word_after(),
            KeyCode::Char('d') if alt => self.cut_to(self.word_after()),
            KeyCode::Char(c) if !control && !alt => drop(self.insert(c.encode_utf8(&mut [0; 4]))),
            KeyCode::Left if control || alt => self.cursor = self.word_before(),
            KeyCode::Right if control || alt => self.cursor = self.word_after(),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home if !control => self.cursor = self.line_start(),
            KeyCode::End if !control => self.cursor = self.line_end(),
            KeyCode::Backspace if alt || control => self.cut_from(self.word_before()),
            KeyCode::Backspace => self.cut_from(self.before()),
            KeyCode::Delete => self.cut_to(self.after()),
            _ => return Edited::No,
        }
        if self.text.len() == before.0 {
            Edited::Cursor
        } else {
            Edited::Text
        }
    }

    /// One line up; `false` on the first.
    pub fn up(&mut self) -> bool {
        let start = self.line_start();
        let Some(end) = start.checked_sub(1) else {
            return false;
        };
        let column = self.text[start..self.cursor].graphemes(true).count();
        let above = self.text[..end].rfind('\n').map_or(0, |at| at + 1);
        self.cursor = self.in_line(above, end, column);
        true
    }

    /// One line down; `false` on the last.
    pub fn down(&mut self) -> bool {
        let end = self.line_end();
        if end == self.text.len() {
            return false;
        }
        let column = self.text[self.line_start()..self.cursor]
            .graphemes(true)
            .count();
        let below = end + 1;
        let below_end = self.text[below..].find('\n');
        let below_end = below_end.map_or(self.text.len(), |at| below + at);
        self.cursor = self.in_line(below, below_end, column);
        true
    }

    /// How many rows the text takes.
    pub fn rows(&self, columns: usize) -> usize {
        // The cursor stands behind the last character.
        wrap(&self.text, columns.saturating_sub(1)).len()
    }

    /// The rows of the text, and in which of them the cursor is, before which
    /// byte of the row.
    pub fn shown(&self, columns: usize) -> (Vec<&str>, usize, usize) {
        let rows = wrap(&self.text, columns.saturating_sub(1));
        let at = rows.partition_point(|row| row.start <= self.cursor);
        let row = at.saturating_sub(1);
        let range = rows.get(row).cloned().unwrap_or(0..0);
        let within = self.cursor.min(range.end) - range.start;
        let texts = rows.into_iter().map(|row| &self.text[row]).collect();
        (texts, row, within)
    }

    fn in_line(&self, start: usize, end: usize, column: usize) -> usize {
        let mut places = self.text[start..end].grapheme_indices(true);
        places.nth(column).map_or(end, |(at, _)| start + at)
    }

    fn line_start(&self) -> usize {
        self.text[..self.cursor].rfind('\n').map_or(0, |at| at + 1)
    }

    fn line_end(&self) -> usize {
        let rest = self.text[self.cursor..].find('\n');
        rest.map_or(self.text.len(), |at| self.cursor + at)
    }

    fn before(&self) -> usize {
        let mut places = self.text[..self.cursor].grapheme_indices(true);
        places.next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        let next = self.text[self.cursor..].graphemes(true).next();
        self.cursor + next.map_or(0, str::len)
    }

    fn word_before(&self) -> usize {
        let words = self.text[..self.cursor].split_word_bound_indices();
        let mut words = words.filter(|(_, word)| !word.trim().is_empty());
        words.next_back().map_or(0, |(at, _)| at)
    }

    fn word_after(&self) -> usize {
        let words = self.text[self.cursor..].split_word_bound_indices();
        let mut words = words.filter(|(_, word)| !word.trim().is_empty());
        let end = words.next().map(|(at, word)| self.cursor + at + word.len());
        end.unwrap_or(self.text.len())
    }

    fn cut_from(&mut self, start: usize) {
        self.text.replace_range(start..self.cursor, "");
        self.cursor = start;
    }

    fn cut_to(&mut self, end: usize) {
        self.text.replace_range(self.cursor..end, "");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(composer: &mut Composer, code: KeyCode, modifiers: KeyModifiers) -> Edited {
        composer.key(KeyEvent::new(code, modifiers))
    }

    fn control(composer: &mut Composer, c: char) -> Edited {
        press(composer, KeyCode::Char(c), KeyModifiers::CONTROL)
    }

    #[test]
    fn what_is_seen_as_one_character_goes_as_one() {
        let mut composer = Composer::default();
        assert!(composer.insert("a👨‍👩‍👧日"));
        for left in ["a👨‍👩‍👧", "a", "", ""] {
            press(&mut composer, KeyCode::Backspace, KeyModifiers::NONE);
            assert_eq!(composer.text(), left);
        }
    }

    #[test]
    fn the_usual_keys_move_and_cut() {
        let mut composer = Composer::default();
        composer.insert("one two\nthree four");
        control(&mut composer, 'w');
        assert_eq!(composer.text(), "one two\nthree ");
        control(&mut composer, 'u');
        assert_eq!(composer.text(), "one two\n");
        assert!(composer.up());
        assert!(!composer.up());
        control(&mut composer, 'e');
        press(&mut composer, KeyCode::Left, KeyModifiers::CONTROL);
        control(&mut composer, 'k');
        assert_eq!(composer.text(), "one \n");
        assert!(composer.down());
        assert!(!composer.down());
        assert_eq!(control(&mut composer, 'j'), Edited::Text);
        assert_eq!(composer.text(), "one \n\n");
        assert_eq!(
            press(&mut composer, KeyCode::F(9), KeyModifiers::NONE),
            Edited::No
        );
    }

    #[test]
    fn a_paste_is_text_and_has_a_bound() {
        let mut composer = Composer::default();
        assert!(composer.insert("a\r\nb\rc\x1b[2J\td"));
        assert_eq!(composer.text(), "a\nb\nc[2J    d");
        assert!(!composer.insert(&"x".repeat(TEXT_BYTES_MAX)));
        assert_eq!(composer.take(), "a\nb\nc[2J    d");
    }

    #[test]
    fn the_cursor_is_in_the_row_that_shows_it() {
        let mut composer = Composer::default();
        composer.insert("see you at six");
        assert_eq!(composer.shown(9), (vec!["see you", "at six"], 1, 6));
        control(&mut composer, 'a');
        assert_eq!(composer.shown(9).1, 0);
        assert_eq!(Composer::default().shown(0), (vec![""], 0, 0));
    }
}
