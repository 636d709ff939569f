//! One server.

use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// For a server to do what it was asked.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// A `redis-server` process. It ends with this value.
#[derive(Debug)]
pub struct Server {
    /// What starts the program: nothing, or a command that takes the program
    /// and its arguments as its last words.
    starter: Vec<String>,
    port: u16,
    arguments: Vec<String>,
    directory: TempDir,
    process: Child,
}

impl Server {
    /// A server that keeps nothing on disk.
    pub fn start() -> Self {
        Self::start_with(&["--appendonly", "no"])
    }

    /// A server with these arguments besides its port and directory.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_with(arguments: &[&str]) -> Self {
        Self::start_by(&[], arguments)
    }

    /// Likewise, started in its directory by a command that takes the program
    /// and its arguments as its last words.
    pub(crate) fn start_by(starter: &[&str], arguments: &[&str]) -> Self {
        let port = free_port();
        let [starter, arguments] = [starter, arguments].map(|words| {
            let words = words.iter().map(|text| (*text).to_owned());
            words.collect::<Vec<String>>()
        });
        let directory = tempfile::tempdir().expect("a directory");
        let process = run(&starter, port, &arguments, directory.path());
        let server = Self {
            starter,
            port,
            arguments,
            directory,
            process,
        };
        server.is_up();
        server
    }

    /// Its port on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// The number of its process.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// Its directory.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What `redis-cli` gets for an answer.
    ///
    /// # Panics
    /// If `redis-cli` cannot be run.
    pub fn ask(&self, words: &[&str]) -> String {
        let output = Command::new("redis-cli")
            .args(["-h", "127.0.0.1", "-p", &self.port.to_string()])
            .args(words)
            .output()
            .expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// Ends it as `kill -9` does.
    pub fn kill(&mut self) {
        self.process.kill().expect("the process is there");
        self.process.wait().expect("the process is there");
    }

    /// Starts it again on what it left, as it was started before.
    pub fn restart(&mut self) {
        self.process = run(
            &self.starter,
            self.port,
            &self.arguments,
            self.directory.path(),
        );
        self.is_up();
    }

    fn is_up(&self) {
        eventually("redis-server is up", || self.ask(&["PING"]) == "PONG");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended before.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn run(starter: &[String], port: u16, arguments: &[String], directory: &Path) -> Child {
    let program = "redis-server".to_owned();
    let words: Vec<&String> = starter.iter().chain([&program]).collect();
    Command::new(words[0])
        .args(&words[1..])
        .args(arguments)
        .args(["--bind", "127.0.0.1", "--save", "", "--daemonize", "no"])
        // A replica need not wait whether others come.
        .args(["--repl-diskless-sync-delay", "0"])
        .args(["--port", &port.to_string()])
        .arg("--dir")
        .arg(directory)
        .current_dir(directory)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", words[0]))
}

/// A port that is free, as is the one that a Cluster's bus takes beside it.
///
/// # Panics
/// If none is found.
pub fn free_port() -> u16 {
    let is_free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    let mut tries = (0..1_000).map(|_| fastrand::u16(10_000..20_000));
    tries
        .find(|port| is_free(*port) && is_free(*port + 10_000))
        .expect("a free port")
}

/// Waits until it is so.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < end, "never: {what}");
        std::thread::sleep(LOOK);
    }
}
