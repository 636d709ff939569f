//! The memory that a daemon takes at most, as its `--check` says.
//!
//! Owns how that is read. Must not know which daemon it is.

/// The sum of these parts, in bytes; what a daemon does not have is nothing.
pub fn sum(said: &str, parts: &[&str]) -> u64 {
    let lines = said.lines().filter_map(|line| line.strip_prefix("#   "));
    let part = |line: &str| {
        let part = parts.iter().find_map(|part| line.strip_prefix(part))?;
        // Another part may begin with the same words.
        let mut words = part.strip_prefix("  ").map(str::split_whitespace)?;
        Some(words.next()?.parse::<u64>().ok()? << shift(words.next()?)?)
    };
    lines.filter_map(part).sum()
}

fn shift(unit: &str) -> Option<u32> {
    match unit {
        "B" => Some(0),
        "KiB" => Some(10),
        "MiB" => Some(20),
        "GiB" => Some(30),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_found_by_their_whole_names() {
        let said = "# Memory at most:\n\
                    #   all sessions               1832 MiB  1 gateway(s)\n\
                    #   store                       176 MiB  blocks 16 MiB\n\
                    #   store, queue               4128 MiB  65536 requests\n\
                    #   a link                       12 KiB  store 3 GiB\n";
        assert_eq!(sum(said, &["all sessions", "store"]), 2_008 << 20);
        assert_eq!(sum(said, &["a link"]), 12 << 10);
        assert_eq!(sum(said, &["nothing"]), 0);
    }
}
