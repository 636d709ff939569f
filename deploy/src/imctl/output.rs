//! What is printed: tables for people, JSON for scripts.
//!
//! Owns how tables look. Must not know what is in them.

use serde::Serialize;

/// How an operator wants to read.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// One JSON value instead of text.
    pub json: bool,
}

impl Output {
    /// Prints what was found: the value, or what it is as text.
    ///
    /// # Errors
    /// It is no JSON.
    pub fn show<T: Serialize>(self, found: &T, text: impl Fn(&T) -> String) -> anyhow::Result<()> {
        if self.json {
            println!("{}", serde_json::to_string_pretty(found)?);
        } else {
            print!("{}", text(found));
        }
        Ok(())
    }
}

/// A table with a line of heads; nothing if there are no rows.
pub fn table<const N: usize>(heads: [&str; N], rows: &[[String; N]]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let mut widths = heads.map(|head| head.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String; N]| {
        let padded = cells.iter().zip(widths);
        let padded: Vec<String> = padded
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        format!("{}\n", padded.join("  ").trim_end())
    };
    let mut text = line(&heads.map(str::to_owned));
    rows.iter().for_each(|row| text += &line(row));
    text
}

/// A time that has passed, roughly.
pub fn span(ms: u64) -> String {
    let seconds = ms / 1_000;
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// How long ago a time was, in microseconds since 1970 by this clock.
pub fn ago(us: u64) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_millis();
    let now = u64::try_from(now).unwrap_or_default();
    format!("{} ago", span(now.saturating_sub(us / 1_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_what_stands_in_them() {
        let cell = str::to_owned;
        let rows = [[cell("a"), cell("1")], [cell("longer"), cell("22")]];
        let text = table(["name", "number"], &rows);
        assert_eq!(text, "name    number\na       1\nlonger  22\n");
        assert_eq!(table(["name"], &[]), "");
    }

    #[test]
    fn times_are_told_roughly() {
        let told = [0, 119_999, 120_000, 7_200_000, 172_800_000].map(span);
        assert_eq!(told, ["0 s", "119 s", "2 min", "2 h", "2 d"]);
    }
}
