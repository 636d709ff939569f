//! Memory of processes, from the kernel's accounting.
//!
//! Owns how `/proc` tells it. Must not know which processes are of interest.

use std::fs;
use std::io;

/// The proportional set size of a process, in bytes: its own pages, and its
/// share of those that it has in common with others.
pub fn pss_bytes(pid: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    parse(&text, "Pss:").ok_or_else(|| io::Error::other("smaps_rollup without Pss"))
}

/// What a process holds in memory, in bytes, what it has in common with others
/// included.
pub fn rss_bytes(pid: u32) -> io::Result<u64> {
    status(pid, "VmRSS:")
}

/// The most that a process ever held in memory, in bytes, what it has in common
/// with others included.
pub fn peak_bytes(pid: u32) -> io::Result<u64> {
    status(pid, "VmHWM:")
}

fn status(pid: u32, name: &str) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    parse(&text, name).ok_or_else(|| io::Error::other(format!("status without {name}")))
}

fn parse(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_among_others() {
        let text = "55d-7ff ---p 00000000 00:00 0    [rollup]\nRss:    2104 kB\n\
                    Pss:    1052 kB\nPss_Dirty:    400 kB\nPss_Anon:   388 kB\n";
        assert_eq!(parse(text, "Pss:"), Some(1_052 * 1024));
        assert_eq!(parse("Rss: 3 kB\n", "Pss:"), None);
    }

    #[test]
    fn memory_that_is_touched_counts() {
        let pid = std::process::id();
        let before = pss_bytes(pid).unwrap();
        let touched = std::hint::black_box(vec![1_u8; 32 << 20]);
        assert!(pss_bytes(pid).unwrap() >= before + (24 << 20));
        assert!(rss_bytes(pid).unwrap() >= before + (24 << 20));
        drop(touched);
        assert!(peak_bytes(pid).unwrap() >= before + (24 << 20));
    }
}
