//! `deploy/cluster`: a cluster of processes by one command.
//!
//! Owns the script's directory and ports, and ends what it started. Must not
//! know what a test does with it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::binaries::program;

/// The ports that a cluster takes, from its first on.
pub const PORTS: u16 = 16;

/// A directory with a cluster that ends with it.
#[derive(Debug)]
pub struct Script {
    home: tempfile::TempDir,
    first: u16,
}

impl Script {
    /// A directory without a cluster.
    ///
    /// # Panics
    /// There is no room for one.
    pub fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        Self {
            home,
            first: free_ports(),
        }
    }

    /// Where the cluster's files are.
    pub fn data(&self) -> PathBuf {
        self.home.path().join("cluster")
    }

    /// Where the two gateways listen.
    pub fn addresses(&self) -> [String; 2] {
        ["127.0.0.1", "127.0.0.2"].map(|host| format!("{host}:{}", self.first))
    }

    /// One of the script's verbs with its flags, not yet run.
    pub fn command(&self, verb: &str) -> Command {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut command = Command::new(root.join("deploy/cluster"));
        command.arg(verb).arg("--data").arg(self.data());
        if let "up" | "restart" = verb {
            let connd = program("connd");
            let binaries = connd.parent().expect("a directory of programs");
            command.arg("--binaries").arg(binaries);
        }
        if verb == "up" {
            command.args(["--port", &self.first.to_string()]);
        }
        command.stdin(Stdio::null());
        command
    }

    /// Runs one of the script's verbs.
    ///
    /// # Panics
    /// The script cannot be run.
    pub fn run(&self, verb: &str) -> Output {
        self.command(verb).output().expect("the script's output")
    }

    /// The processes that it names.
    ///
    /// # Panics
    /// There is no such directory.
    pub fn processes(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.data()).expect("files");
        let paths = files.map(|file| file.expect("a file").path());
        let pids = paths.filter(|path| path.extension().is_some_and(|e| e == "pid"));
        let pid = |path: PathBuf| {
            let text = std::fs::read_to_string(path).expect("its number");
            text.split(' ').next().unwrap_or_default().to_owned()
        };
        pids.map(pid).collect()
    }
}

impl Default for Script {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        self.run("down");
    }
}

/// The first of so many that are free on both addresses, at this moment.
///
/// # Panics
/// There are none.
pub fn free_ports() -> u16 {
    let is_free = |port: u16| {
        let hosts = [Ipv4Addr::new(127, 0, 0, 1), Ipv4Addr::new(127, 0, 0, 2)];
        hosts
            .iter()
            .all(|host| TcpListener::bind(SocketAddr::from((*host, port))).is_ok())
    };
    let mut tries = (0..1_000).map(|_| fastrand::u16(10_000..32_000 - PORTS));
    let free = tries.find(|first| (*first..first + PORTS).all(is_free));
    free.expect("free ports")
}

/// What it said, errors last.
pub fn text(output: &Output) -> String {
    let all = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8_lossy(&all).into_owned()
}
