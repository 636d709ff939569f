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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_returned_is_the_limit_that_holds() {
        let (_, hard) = Resource::NOFILE.get().unwrap();
        Resource::NOFILE.set(hard - 1, hard).unwrap();
        assert_eq!(raise_open_files().unwrap(), hard);
        assert_eq!(Resource::NOFILE.get().unwrap(), (hard, hard));
        assert_eq!(raise_open_files().unwrap(), hard);
    }
}
