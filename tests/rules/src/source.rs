//! One Rust file: its text, and its code without comments and strings.
//!
//! Owns telling code from prose, and tests from what is shipped. Must not know
//! what code may say.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::read;

/// One Rust file.
#[derive(Debug)]
pub struct Source {
    /// From the root.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
    /// The same with blanks for comments, strings and characters, so that
    /// lines and columns are those of the text.
    pub code: String,
    tests: Vec<Range<usize>>,
}

impl Source {
    /// Reads a file, named from the root.
    pub fn read(path: PathBuf) -> Self {
        let text = read(&path);
        Self::new(path, text)
    }

    fn new(path: PathBuf, text: String) -> Self {
        let code = without_prose(&text);
        let tests = test_items(&code);
        Self {
            path,
            text,
            code,
            tests,
        }
    }

    /// Whether the file as a whole is for tests, or for building, only.
    pub fn is_aside(&self) -> bool {
        let aside = ["tests", "tests.rs", "examples", "benches", "build.rs"];
        let mut parts = self.path.iter().filter_map(|part| part.to_str());
        parts.any(|part| aside.contains(&part))
    }

    /// The code with blanks for what is not shipped.
    pub fn shipped(&self) -> String {
        if self.is_aside() {
            return blank(&self.code);
        }
        let mut shipped = String::new();
        let mut from = 0;
        for item in &self.tests {
            shipped.push_str(&self.code[from..item.start]);
            shipped.push_str(&blank(&self.code[item.clone()]));
            from = item.end;
        }
        shipped.push_str(&self.code[from..]);
        shipped
    }

    /// Whether a line of the text, counted from 0, is or ends with a comment.
    pub fn is_commented(&self, line: usize) -> bool {
        let text = self.text.lines().nth(line).unwrap_or_default();
        let code = self.code.lines().nth(line).unwrap_or_default();
        let comment = code.trim_end().len();
        text.get(comment..).is_some_and(|rest| rest.contains("//"))
    }

    /// Lines of shipped code, counted from 0, with one of these words.
    pub fn lines_with<'a>(&self, words: &[&'a str]) -> Vec<(usize, &'a str)> {
        let shipped = self.shipped();
        let mut found = Vec::new();
        for (number, line) in shipped.lines().enumerate() {
            let said = words.iter().filter(|word| says(line, word));
            found.extend(said.map(|word| (number, *word)));
        }
        found
    }

    /// Where a line, counted from 0, is, as an editor understands it.
    pub fn place(&self, line: usize) -> String {
        format!("{}:{}", self.path.display(), line + 1)
    }

    /// The file's path with `/` on every system.
    pub fn name(&self) -> String {
        name(&self.path)
    }
}

/// A path with `/` on every system.
pub fn name(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Whether a line says a word, and not only a longer one.
fn says(line: &str, word: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let (line, word) = (line.as_bytes(), word.as_bytes());
    let open_left = !is_part(word[0]);
    let open_right = !is_part(word[word.len() - 1]);
    line.windows(word.len()).enumerate().any(|(at, window)| {
        let before = at.checked_sub(1).map(|before| line[before]);
        let after = line.get(at + word.len()).copied();
        window == word
            && (open_left || !before.is_some_and(is_part))
            && (open_right || !after.is_some_and(is_part))
    })
}

fn blank(code: &str) -> String {
    let keep = |c: char| if c == '\n' { '\n' } else { ' ' };
    code.chars().map(keep).collect()
}

/// Blanks for comments, strings and characters, byte by byte.
fn without_prose(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut code = bytes.to_vec();
    let mut at = 0;
    while at < bytes.len() {
        let end = prose_end(bytes, at);
        let prose = &mut code[at..end];
        prose
            .iter_mut()
            .filter(|b| **b != b'\n')
            .for_each(|b| *b = b' ');
        at = end.max(at + 1);
    }
    // What is left outside prose is whole characters.
    String::from_utf8(code).expect("UTF-8")
}

/// Where the comment, string or character that begins here ends; `at` itself
/// if none begins here.
fn prose_end(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let length = match rest {
        [b'/', b'/', ..] => rest.iter().position(|b| *b == b'\n'),
        [b'/', b'*', ..] => block_comment(rest),
        [b'"', ..] => quoted(rest, b'"'),
        [b'\'', ..] => return at + character(rest),
        [b'r', ..] if begins_word(bytes, at) => return at + raw_string(rest),
        _ => return at,
    };
    length.map_or(bytes.len(), |length| at + length)
}

fn block_comment(rest: &[u8]) -> Option<usize> {
    let mut depth = 0;
    let mut at = 0;
    while at + 1 < rest.len() {
        match &rest[at..at + 2] {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

fn quoted(rest: &[u8], quote: u8) -> Option<usize> {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            byte if byte == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// The length of a character; 0 if it is a lifetime.
fn character(rest: &[u8]) -> usize {
    if rest.get(1) == Some(&b'\\') {
        return quoted(rest, b'\'').unwrap_or(rest.len());
    }
    // At most four bytes of UTF-8, none of which is a quote.
    let closing = rest.iter().take(6).skip(2).position(|b| *b == b'\'');
    match closing {
        Some(more) if more == 0 || rest[1] >= 0x80 => more + 3,
        _ => 0,
    }
}

/// The length of a raw string; 0 if it is none.
fn raw_string(rest: &[u8]) -> usize {
    let hashes = rest[1..].iter().take_while(|b| **b == b'#').count();
    if rest.get(1 + hashes) != Some(&b'"') {
        return 0;
    }
    let closing = [&b"\""[..], &b"#".repeat(hashes)].concat();
    let body = &rest[2 + hashes..];
    let length = body.windows(closing.len()).position(|w| w == closing);
    length.map_or(rest.len(), |length| 2 + hashes + length + closing.len())
}

fn begins_word(bytes: &[u8], at: usize) -> bool {
    let is_part = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    match at.checked_sub(1).map(|before| bytes[before]) {
        // br"..."
        Some(b'b') => at < 2 || !is_part(bytes[at - 2]),
        Some(before) => !is_part(before),
        None => true,
    }
}

/// Items under `#[cfg(test)]`.
fn test_items(code: &str) -> Vec<Range<usize>> {
    let mut items: Vec<Range<usize>> = Vec::new();
    for (start, attribute) in code.match_indices("#[cfg(test)]") {
        if items.last().is_some_and(|last| start < last.end) {
            continue;
        }
        let body = start + attribute.len();
        let end = match code[body..].find(['{', ';']) {
            Some(at) if code.as_bytes()[body + at] == b'{' => block_end(code, body + at),
            Some(at) => body + at + 1,
            None => code.len(),
        };
        items.push(start..end);
    }
    items
}

/// Where the block that opens here ends.
pub fn block_end(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("a/src/b.rs".into(), text.to_owned())
    }

    #[test]
    fn prose_is_blank_and_code_stays_in_place() {
        for (text, code) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("x\"y", 'c')"#, "f(      ,    )"),
            (r#"f::<'a>('\'', b'"', "z")"#, "f::<'a>(    , b   ,    )"),
            ("r#\"a\"b\"# + br\"c\"", "         + b    "),
            ("for r in 'é' {}", "for r in      {}"),
            ("&'a str, &'b str", "&'a str, &'b str"),
            ("\"open", "     "),
        ] {
            assert_eq!(source(text).code, code, "{text}");
        }
    }

    #[test]
    fn items_for_tests_are_not_shipped() {
        let text = "a;\n#[cfg(test)]\nmod t { fn f() {} }\nb;\n#[cfg(test)]\nmod u;\nc;\n";
        let shipped = source(text).shipped();
        let left: Vec<_> = shipped.split_whitespace().collect();
        assert_eq!(left, ["a;", "b;", "c;"]);
        assert_eq!(shipped.len(), text.len());
        let whole = Source::new("a/tests/b.rs".into(), "fn f() {}\n".into());
        assert_eq!(whole.shipped().trim(), "");
    }

    #[test]
    fn words_are_found_as_words() {
        let source = source("let a = b.unwrap(); // why\nlet rerand::x;\nrand::y();\n");
        let found = source.lines_with(&[".unwrap()", "rand::"]);
        assert_eq!(found, [(0, ".unwrap()"), (2, "rand::")]);
        assert!(source.is_commented(0));
        assert!(!source.is_commented(1));
        assert_eq!(source.place(2), "a/src/b.rs:3");
    }
}
