//! Processor time of processes, from the scheduler's accounting.
//!
//! Owns how `/proc` tells it. Must not know which processes are of interest.

use std::collections::BTreeMap;
use std::fs;
use std::io;

/// The processor time of each thread of one process at one moment.
#[derive(Debug, Default)]
pub struct Sample {
    threads: BTreeMap<u32, Thread>,
}

#[derive(Debug, Clone)]
struct Thread {
    name: String,
    nanos: u64,
}

/// Processor time between two samples of one process.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// By the threads' names, without the numbers at their ends.
    pub nanos_by_thread: BTreeMap<String, u64>,
    /// Threads that are no more: what they spent is not counted.
    pub threads_ended: u64,
}

impl Sample {
    /// Reads the threads of a process.
    pub fn take(pid: u32) -> io::Result<Self> {
        let mut threads = BTreeMap::new();
        for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
            let path = entry?.path();
            let Some(tid) = path
                .file_name()
                .and_then(|name| name.to_str()?.parse().ok())
            else {
                continue;
            };
            // A thread may end between the listing and the reading.
            let (Ok(name), Ok(schedstat)) = (
                fs::read_to_string(path.join("comm")),
                fs::read_to_string(path.join("schedstat")),
            ) else {
                continue;
            };
            let nanos = on_cpu_ns(&schedstat)
                .ok_or_else(|| io::Error::other("schedstat without a first number"))?;
            let name = name.trim().to_owned();
            threads.insert(tid, Thread { name, nanos });
        }
        Ok(Self { threads })
    }

    /// All threads together, in nanoseconds.
    pub fn total_ns(&self) -> u64 {
        self.threads.values().map(|thread| thread.nanos).sum()
    }

    /// What was spent since an earlier sample of the same process.
    pub fn since(&self, earlier: &Self) -> Spent {
        let mut spent = Spent::default();
        for (tid, thread) in &self.threads {
            let before = earlier.threads.get(tid).map_or(0, |thread| thread.nanos);
            let name = thread.name.trim_end_matches(|c: char| c.is_ascii_digit());
            let name = name.trim_end_matches(['-', '_', ' ', '#']);
            *spent.nanos_by_thread.entry(name.to_owned()).or_default() +=
                thread.nanos.saturating_sub(before);
        }
        let ended = |tid: &&u32| !self.threads.contains_key(*tid);
        spent.threads_ended = earlier.threads.keys().filter(ended).count() as u64;
        spent
    }
}

impl Spent {
    /// All threads together, in nanoseconds.
    pub fn total_ns(&self) -> u64 {
        self.nanos_by_thread.values().sum()
    }
}

/// The first number of a `schedstat`: nanoseconds on a processor.
fn on_cpu_ns(schedstat: &str) -> Option<u64> {
    schedstat.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(threads: &[(u32, &str, u64)]) -> Sample {
        let thread = |(tid, name, nanos): &(u32, &str, u64)| {
            let name = (*name).to_owned();
            (
                *tid,
                Thread {
                    name,
                    nanos: *nanos,
                },
            )
        };
        Sample {
            threads: threads.iter().map(thread).collect(),
        }
    }

    #[test]
    fn threads_are_summed_by_name_and_the_ended_are_counted() {
        let before = sample(&[(1, "imd", 100), (2, "worker-0", 50), (3, "store", 70)]);
        let after = sample(&[(1, "imd", 150), (2, "worker-0", 80), (4, "worker-12", 9)]);
        let spent = after.since(&before);
        let expected = [("imd".to_owned(), 50), ("worker".to_owned(), 39)];
        assert_eq!(spent.nanos_by_thread, expected.into());
        assert_eq!(spent.total_ns(), 89);
        assert_eq!(spent.threads_ended, 1);
    }

    #[test]
    fn work_of_this_process_is_seen() {
        let pid = std::process::id();
        let before = Sample::take(pid).unwrap();
        let mut seen = before.total_ns();
        // The scheduler accounts a running thread at the latest at its tick.
        while seen < before.total_ns() + 1_000_000 {
            seen = std::hint::black_box(Sample::take(pid).unwrap().total_ns());
        }
    }
}
