//! How much memory a daemon takes at most, by its settings.
//!
//! Owns the addition and how it is shown. Must not know what anything is.

use std::fmt;

/// What a bound is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    what: String,
    bytes: u64,
    made_of: String,
}

/// The most that a daemon holds, part by part.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    parts: Vec<Part>,
    total: u64,
}

impl Memory {
    /// One of something; not added by itself.
    pub fn each(&mut self, what: &str, bytes: u64, made_of: impl Into<String>) {
        self.part(what, bytes, made_of.into());
    }

    /// All of something.
    pub fn all(&mut self, what: &str, bytes: u64, made_of: impl Into<String>) {
        self.total = self.total.saturating_add(bytes);
        self.part(what, bytes, made_of.into());
    }

    /// What all together take at most, in bytes.
    pub fn total(&self) -> u64 {
        self.total
    }

    fn part(&mut self, what: &str, bytes: u64, made_of: String) {
        let what = what.to_owned();
        self.parts.push(Part {
            what,
            bytes,
            made_of,
        });
    }
}

impl fmt::Display for Memory {
    /// As comments of a settings file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# Memory at most, if everybody fills every bound at once:"
        )?;
        for part in &self.parts {
            let size = rounded(part.bytes);
            writeln!(f, "#   {:<24} {size:>10}  {}", part.what, part.made_of)?;
        }
        let size = rounded(self.total);
        writeln!(
            f,
            "#   {:<24} {size:>10}  all of the above that is not one of many",
            "total"
        )?;
        writeln!(
            f,
            "# Counted is what is held. A message that waits also keeps the rest of the read or \
             batch alive that it came in."
        )
    }
}

/// With three digits or more.
fn rounded(bytes: u64) -> String {
    let units = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = units.into_iter().find(|(_, size)| bytes >= 10 * size);
    let (unit, size) = unit.unwrap_or(("B", 1));
    format!("{} {unit}", bytes.div_ceil(size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_added_and_one_of_many_is_not() {
        let mut memory = Memory::default();
        memory.each("a thing", 7, "itself");
        memory.all("all things", 7 * 3_000, "3,000 of them");
        memory.all("the rest", 20_480, "tables");
        assert_eq!(memory.total(), 41_480);
        let shown = memory.to_string();
        for words in ["a thing", "7 B", "21 KiB", "20 KiB", "41 KiB"] {
            assert!(shown.contains(words), "{words} in {shown}");
        }
    }
}
