//! From received bytes to lines.
//!
//! Owns the bytes that wait for their turn. Must not know what a line means.

use bytes::{Buf, BytesMut};

/// While a command is under way this many bytes are taken for later ones.
const WAITING_BYTES_MAX: usize = 4 * 1024;

/// Bytes without a place in a reply yet.
#[derive(Debug, Default)]
pub struct Input {
    bytes: BytesMut,
    /// So many at the front are known to hold no end of a line.
    scanned: usize,
}

/// What stands at the front.
#[derive(Debug, PartialEq, Eq)]
pub enum Front {
    /// Nothing, or a part of a line.
    Partial,
    /// A line, without its end.
    Line(String),
    /// A line with a carriage return within; it is taken out.
    Return,
    /// Control characters, or what is no UTF-8.
    Binary,
    /// A line above the limit.
    TooLong,
}

impl Input {
    /// Takes bytes.
    pub fn put(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether enough waits while a command is under way.
    pub fn is_full(&self) -> bool {
        self.bytes.len() > WAITING_BYTES_MAX
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// Takes the next line out, of `limit` bytes at most. What it is does not
    /// depend on how the bytes were cut on their way.
    pub fn next(&mut self, limit: usize) -> Front {
        // The longest line, and its end.
        let window = self.bytes.len().min(limit + 2);
        let begun = self.scanned.min(window);
        let is_end = |byte: &u8| byte.is_ascii_control() && !matches!(byte, b'\t' | b'\r');
        let Some(found) = self.bytes[begun..window].iter().position(is_end) else {
            self.scanned = window;
            if window == limit + 2 {
                return Front::TooLong;
            }
            if self.bytes.is_empty() {
                // A door that waits holds no buffer.
                self.clear();
            }
            return Front::Partial;
        };
        let end = begun + found;
        if self.bytes[end] != b'\n' {
            return Front::Binary;
        }
        self.scanned = 0;
        let line = self.bytes.split_to(end);
        self.bytes.advance(1);
        text(line.strip_suffix(b"\r").unwrap_or(&line), limit)
    }
}

fn text(line: &[u8], limit: usize) -> Front {
    if line.len() > limit {
        return Front::TooLong;
    }
    let Ok(text) = std::str::from_utf8(line) else {
        return Front::Binary;
    };
    let is_control = |c: char| c.is_control() && !matches!(c, '\t' | '\r');
    if text.contains(is_control) {
        return Front::Binary;
    }
    if text.contains('\r') {
        return Front::Return;
    }
    Front::Line(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 8;

    /// All that is found in `bytes`, cut into chunks of `size`.
    fn found(bytes: &[u8], size: usize) -> Vec<Front> {
        let mut input = Input::default();
        let mut found = Vec::new();
        for chunk in bytes.chunks(size) {
            input.put(chunk);
            loop {
                match input.next(LIMIT) {
                    Front::Partial => break,
                    front @ (Front::Binary | Front::TooLong) => {
                        found.push(front);
                        return found;
                    }
                    front => found.push(front),
                }
            }
        }
        found
    }

    fn lines(lines: &[&str]) -> Vec<Front> {
        let line = |line: &&str| Front::Line((*line).to_owned());
        lines.iter().map(line).collect()
    }

    #[test]
    fn lines_are_found_however_they_are_cut() {
        let cases: Vec<(&[u8], Vec<Front>)> = vec![
            (b"one\ntwo\r\n\nthree", lines(&["one", "two", ""])),
            (b"12345678\r\n12345678\n", lines(&["12345678", "12345678"])),
            (
                "t\tab\n\u{e9}\u{e9}\n".as_bytes(),
                lines(&["t\tab", "\u{e9}\u{e9}"]),
            ),
            (b"123456789\n", vec![Front::TooLong]),
            (b"123456789\r\n", vec![Front::TooLong]),
            (b"1234567890", vec![Front::TooLong]),
            (b"12345678\r\r\n", vec![Front::TooLong]),
            (b"a\rb\n\r\r\n", vec![Front::Return, Front::Return]),
            (b"\x16\x03\x01", vec![Front::Binary]),
            (b"a\0\n", vec![Front::Binary]),
            (b"a\x7f", vec![Front::Binary]),
            (b"\xff\xfe\n", vec![Front::Binary]),
            (b"a\xc2\x85\n", vec![Front::Binary]),
        ];
        for (bytes, expected) in cases {
            for size in 1..=bytes.len() {
                assert_eq!(found(bytes, size), expected, "{bytes:?} by {size}");
            }
        }
    }

    #[test]
    fn a_door_that_waits_holds_no_buffer() {
        let mut input = Input::default();
        input.put(b"one\n");
        assert_eq!(input.next(LIMIT), lines(&["one"])[0]);
        assert_eq!(input.next(LIMIT), Front::Partial);
        assert_eq!(input.bytes.capacity(), 0);
    }
}
