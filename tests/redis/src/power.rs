//! A server whose machine loses power.
//!
//! Owns what the disk has of the server's log at such a moment: what the server
//! had written before it began the last sync that came back to it, and nothing
//! more. Any more that a disk may have is luck. `strace` tells. Must not know
//! what the log says.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::server::{Server, eventually};

/// Where the trace is, in the server's directory.
const TRACE: &str = "trace";
/// The log is one file, which is never written anew.
const ONE_LOG: [&str; 4] = ["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"];
/// What the trace says of each thread in the end.
const KILLED: &str = "+++ killed by SIGKILL +++";
/// How that file ends.
const LOG: &str = ".incr.aof";

/// What a loss of power did to the log, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// How long it was.
    pub had: u64,
    /// How long it is: what is surely on the disk.
    pub has: u64,
}

impl Server {
    /// A server whose machine may lose power; it syncs its log as `appendfsync`
    /// says, and the disk takes so much longer for that than it does.
    ///
    /// # Panics
    /// If it does not come up, or `strace` is not installed.
    pub fn start_on_power(appendfsync: &str, slower: Duration) -> Self {
        let arguments = [&ONE_LOG[..], &["--appendfsync", appendfsync]].concat();
        // The server stays the child that is started; strace stands aside, and
        // ends when it does.
        let starter = "strace -D -f --seccomp-bpf -y -s 0 -e trace=write,fdatasync,fsync";
        let slower = format!("inject=fdatasync:delay_enter={}", slower.as_micros());
        let words = starter.split(' ').chain(["-e", &slower, "-o", TRACE]);
        Self::start_by(&words.collect::<Vec<_>>(), &arguments)
    }

    /// Puts on the disk what the server has answered by now; gives how many
    /// bytes of the log that are.
    ///
    /// # Errors
    /// The disk's.
    ///
    /// # Panics
    /// If the server does not come to write it into the log.
    pub fn sync(&self) -> io::Result<u64> {
        // It answers before, while the disk is slow.
        eventually("all is in the log", || {
            let info = self.ask(&["INFO", "persistence"]);
            info.lines()
                .any(|line| line.trim() == "aof_buffer_length:0")
        });
        let log = File::open(self.log()?)?;
        let length = log.metadata()?.len();
        log.sync_all()?;
        Ok(length)
    }

    /// The power goes: the server ends at once, and its log has what it synced,
    /// or [`Server::sync`].
    ///
    /// # Errors
    /// The disk's; or the log has less than was seen to be written.
    ///
    /// # Panics
    /// If it was not started on power.
    pub fn power_goes(&mut self, synced: u64) -> io::Result<Cut> {
        self.kill();
        let trace = self.directory().join(TRACE);
        let mut text = String::new();
        // Threads stand still at each call until strace has written it down, so
        // all that the server has told anybody is in the trace by then.
        eventually("the trace tells of the kill", || {
            text = fs::read_to_string(&trace).unwrap_or_default();
            text.contains(KILLED)
        });
        let log = self.log()?;
        let seen = Seen::of(&text, &log);
        let had = fs::metadata(&log)?.len();
        if seen.written > had {
            return Err(io::Error::other(format!("{seen:?}, and the log has {had}")));
        }
        let has = seen.synced.max(synced);
        File::options().write(true).open(&log)?.set_len(has)?;
        Ok(Cut { had, has })
    }

    fn log(&self) -> io::Result<PathBuf> {
        let folder = fs::read_dir(self.directory().join("appendonlydir"))?;
        let files = folder.collect::<io::Result<Vec<_>>>()?;
        let mut logs = files.into_iter().map(|file| file.path());
        let log = logs.find(|path| path.to_string_lossy().ends_with(LOG));
        // As the trace names it.
        log.ok_or_else(|| io::Error::other("there is no log"))?
            .canonicalize()
    }
}

/// What a trace says of a file, in bytes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    written: u64,
    /// Of those: before the last sync that came back was begun.
    synced: u64,
}

impl Seen {
    /// Each line is the number of a thread and what it calls. A call that
    /// another thread's line comes between stands in two.
    fn of(trace: &str, file: &Path) -> Self {
        let file = format!("<{}>", file.display());
        let mut seen = Self::default();
        // What each thread has begun with this file, and what was written then.
        let mut begun: HashMap<&str, (&str, u64)> = HashMap::new();
        for line in trace.lines() {
            let Some((thread, line)) = line.split_once(' ') else {
                continue;
            };
            let line = line.trim_start();
            let call = match line.split_once('(') {
                Some((call, rest)) if rest.contains(&file) => {
                    begun.insert(thread, (call, seen.written));
                    Some((call, seen.written))
                }
                _ => begun.get(thread).copied(),
            };
            let (Some((call, before)), Some((_, result))) = (call, line.rsplit_once(" = ")) else {
                continue;
            };
            begun.remove(thread);
            // A note may stand behind it.
            let result = result.split(' ').next().unwrap_or_default();
            match result.parse::<u64>() {
                Ok(bytes) if call == "write" => seen.written += bytes,
                Ok(0) => seen.synced = seen.synced.max(before),
                // The call failed.
                _ => {}
            }
        }
        seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(trace: &str) -> (u64, u64) {
        let seen = Seen::of(trace, Path::new("/d/a.incr.aof"));
        (seen.written, seen.synced)
    }

    #[test]
    fn what_was_written_before_a_sync_that_came_back_is_on_the_disk() {
        let first = "7 write(8</d/a.incr.aof>, \"\"..., 50) = 50\n\
                     7 write(9<socket:[12]>, \"\"..., 5) = 5\n\
                     8 fdatasync(8</d/a.incr.aof>) = 0 (DELAYED)\n";
        assert_eq!(seen(first), (50, 50));
        let more = format!(
            "{first}7 write(8</d/a.incr.aof>, \"\"..., 20 <unfinished ...>\n\
             8 fdatasync(8</d/a.incr.aof> <unfinished ...>\n\
             7 <... write resumed>) = 20\n\
             7 write(8</d/a.incr.aof>, \"\"..., 30) = 10\n"
        );
        assert_eq!(seen(&more), (80, 50));
        let back = format!("{more}8 <... fdatasync resumed>) = 0\n");
        // The write of 20 had not come back when the sync began.
        assert_eq!(seen(&back), (80, 50));
        let last = format!("{back}7 fdatasync(8</d/a.incr.aof>) = 0\n");
        assert_eq!(seen(&last), (80, 80));
    }

    #[test]
    fn what_failed_and_what_concerns_others_is_not_counted() {
        let trace = "7 write(8</d/a.incr.aof>, \"\"..., 50) = 50\n\
                     7 write(8</d/a.incr.aof>, \"\"..., 50) = -1 ENOSPC (No space left)\n\
                     8 fdatasync(8</d/a.incr.aof>) = -1 EIO (Input/output error)\n\
                     8 fsync(9</d/manifest>) = 0\n\
                     7 fdatasync(8</d/a.incr.aof>) = ? <unavailable>\n";
        assert_eq!(seen(trace), (50, 0));
    }
}
