//! Paths that a file names: in its `use` declarations and within its code.
//!
//! Owns the grammar of `use`. Must not know which modules there are.

/// A path as written, such as `crate`, `inbox`, `Reader`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its parts.
    pub parts: Vec<String>,
    /// What it is called from then on; `None` outside of `use`.
    pub alias: Option<String>,
    /// The line, counted from 0.
    pub line: usize,
}

/// Every path that code names from its own crate, and all that it uses.
pub fn named(code: &str) -> Vec<Named> {
    let mut found = Vec::new();
    let mut rest = code.to_owned();
    for (start, end) in uses(code) {
        let line = line_of(code, start);
        tree(&code[start..end], &[], line, &mut found);
        rest.replace_range(start..end, &" ".repeat(end - start));
    }
    for word in ["crate::", "super::", "self::"] {
        for (start, _) in rest.match_indices(word) {
            let before = rest[..start].chars().next_back();
            if before.is_some_and(|c| is_part(c) || c == ':' || c == '$') {
                continue;
            }
            let length = rest[start..].find(|c: char| !is_part(c) && c != ':');
            let end = length.map_or(rest.len(), |length| start + length);
            let parts = rest[start..end].split("::");
            found.push(Named {
                parts: parts.filter(|p| !p.is_empty()).map(str::to_owned).collect(),
                alias: None,
                line: line_of(code, start),
            });
        }
    }
    found
}

/// Where the trees of `use` declarations are.
fn uses(code: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (at, word) in code.match_indices("use ") {
        let line = code[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let before = code[line..at].trim();
        let declares = before.is_empty() || before.starts_with("pub");
        if let (true, Some(length)) = (declares, code[at..].find(';')) {
            found.push((at + word.len(), at + length));
        }
    }
    found
}

fn tree(text: &str, above: &[String], line: usize, found: &mut Vec<Named>) {
    let text = text.trim();
    if let Some(open) = text.find('{') {
        let mut parts = above.to_vec();
        let head = text[..open].split("::").map(str::trim);
        parts.extend(head.filter(|p| !p.is_empty()).map(str::to_owned));
        let close = text.rfind('}').unwrap_or(text.len());
        for branch in branches(&text[open + 1..close]) {
            tree(branch, &parts, line, found);
        }
        return;
    }
    let (path, alias) = match text.split_once(" as ") {
        Some((path, alias)) => (path, Some(alias.trim())),
        None => (text, None),
    };
    let mut parts = above.to_vec();
    let own = path.split("::").map(str::trim);
    parts.extend(own.filter(|p| !p.is_empty()).map(str::to_owned));
    if parts.len() > 1 && parts.last().is_some_and(|last| last == "self") {
        parts.pop();
    }
    let Some(last) = parts.last() else {
        return;
    };
    let alias = Some(alias.unwrap_or(last).to_owned());
    found.push(Named { parts, alias, line });
}

/// The branches between the commas of one level.
fn branches(inside: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut from = 0;
    let mut found = Vec::new();
    for (at, byte) in inside.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            b',' if depth == 0 => {
                found.push(&inside[from..at]);
                from = at + 1;
            }
            _ => {}
        }
    }
    found.push(&inside[from..]);
    found.retain(|branch| !branch.trim().is_empty());
    found
}

fn is_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trees_and_inline_paths_are_named() {
        let code = "\
use crate::a::{self, b::{C, D as E}, f};
pub(crate) use super::g;
use std::fmt;
fn h() -> crate::i::J { super::k::l(); $crate::m; self::n() }
";
        let found = named(code);
        let shown: Vec<String> = found
            .iter()
            .map(|named| {
                let alias = named.alias.as_deref().unwrap_or("-");
                format!("{} {alias} {}", named.parts.join("::"), named.line)
            })
            .collect();
        let expected = [
            "crate::a a 0",
            "crate::a::b::C C 0",
            "crate::a::b::D E 0",
            "crate::a::f f 0",
            "super::g g 1",
            "std::fmt fmt 2",
            "crate::i::J - 3",
            "super::k::l - 3",
            "self::n - 3",
        ];
        assert_eq!(shown, expected);
    }
}
