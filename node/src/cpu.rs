//! How many threads a daemon runs.

use std::num::NonZeroUsize;
use std::thread;

use crate::settings::sheet::{Reload, Sheet};

/// One thread per two cores that this process may use, at least one: the
/// other half is for the kernel's side of the network and for the store.
pub fn threads_default() -> NonZeroUsize {
    threads_for(thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
}

/// Shows the key `threads` of a daemon whose file may leave it out.
pub fn describe_threads(threads: Option<NonZeroUsize>, sheet: &mut Sheet) {
    let threads = threads.map(|threads| threads.to_string());
    let allowed = "1 or more; not set: one per two cores";
    sheet.optional("threads", threads, allowed, Reload::No);
}

fn threads_for(cores: NonZeroUsize) -> NonZeroUsize {
    NonZeroUsize::new(cores.get() / 2).unwrap_or(NonZeroUsize::MIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_per_two_cores_and_at_least_one() {
        for (cores, threads) in [(1, 1), (2, 1), (3, 1), (4, 2), (9, 4), (64, 32)] {
            let cores = NonZeroUsize::new(cores).unwrap();
            assert_eq!(threads_for(cores).get(), threads);
        }
    }
}
