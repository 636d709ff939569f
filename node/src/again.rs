//! A process begins anew: everything that it was is gone, but its number and
//! its command line.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Runs the program of this process anew, in its place. Memory, threads,
/// connections and listening sockets are gone; whoever started it notices
/// nothing. Returns only if the system does not let it, and why.
pub fn again() -> io::Error {
    let mut words = env::args_os();
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = words.next() {
        command.arg0(name);
    }
    command.args(words).exec()
}
