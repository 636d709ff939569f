//! How many files, thus connections, this process may have open.

use std::io;

use rlimit::Resource;

/// Raises the limit on open files as far as the system lets this process, and
/// returns it. Connections, database files and links share it.
///
/// # Errors
/// The system does not tell the limit, or does not raise it.
pub fn raise_open_files() -> io::Result<u64> {
    let (soft, hard) = Resource::NOFILE.get()?;
    if soft < hard {
        Resource::NOFILE.set(hard, hard)?;
    }
    Ok(hard)
}

/// The part of all files that clients do not get: an eighth, in these bounds.
const OTHER_FILES: std::ops::RangeInclusive<u64> = 64..=1_024;

/// How many connections of clients the limit on open files has room for,
/// beside the database, links and the admin port; 1 at least.
pub fn files_for_clients() -> usize {
    // A system that does not tell its limit is taken to have none.
    let files = Resource::NOFILE.get_soft().unwrap_or(u64::MAX);
    for_clients(files)
}

fn for_clients(files: u64) -> usize {
    let others = (files / 8).clamp(*OTHER_FILES.start(), *OTHER_FILES.end());
    let room = files.saturating_sub(others).max(1);
    usize::try_from(room).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_do_not_get_all_files() {
        for (files, clients) in [
            (0, 1),
            (64, 1),
            (200, 136),
            (1_024, 896),
            (1 << 20, (1 << 20) - 1_024),
        ] {
            assert_eq!(for_clients(files), clients, "of {files}");
        }
    }

    #[test]
    fn the_limit_returned_is_the_limit_that_holds() {
        let (_, hard) = Resource::NOFILE.get().unwrap();
        Resource::NOFILE.set(hard - 1, hard).unwrap();
        assert_eq!(raise_open_files().unwrap(), hard);
        assert_eq!(Resource::NOFILE.get().unwrap(), (hard, hard));
        assert_eq!(raise_open_files().unwrap(), hard);
    }
}
