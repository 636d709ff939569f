//! A primary, a replica of it, and a Sentinel that watches both.

use std::fs;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::server::{Server, eventually, free_port};

/// The primary's name.
const NAME: &str = "im";

/// A primary with a replica and one Sentinel.
#[derive(Debug)]
pub struct Watched {
    /// The server that is the primary to begin with.
    pub first: Server,
    /// The one that is its replica.
    pub second: Server,
    third: Option<Server>,
    port: u16,
    sentinel: Child,
    _directory: TempDir,
}

impl Watched {
    /// Starts all three.
    ///
    /// # Panics
    /// If they do not come up.
    pub fn start() -> Self {
        let first = Server::start();
        let master = first.port().to_string();
        let second =
            Server::start_with(&["--appendonly", "no", "--replicaof", "127.0.0.1", &master]);
        eventually("the replica follows", || {
            second
                .ask(&["INFO", "replication"])
                .contains("link_status:up")
        });
        let port = free_port();
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\nsentinel monitor {NAME} 127.0.0.1 {master} 1\n\
             sentinel down-after-milliseconds {NAME} 500\nsentinel failover-timeout {NAME} 5000\n"
        );
        fs::write(&file, text).expect("a file");
        let sentinel = Command::new("redis-server")
            .arg(&file)
            .arg("--sentinel")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let watched = Self {
            first,
            second,
            third: None,
            port,
            sentinel,
            _directory: directory,
        };
        eventually("the Sentinel knows the replica", || {
            watched.ask_sentinel("SLAVES").contains("ip")
        });
        watched
    }

    /// The URL of the primary, by its Sentinel.
    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/{NAME}", self.port)
    }

    /// Waits until the second is the primary.
    pub fn second_takes_over(&self) {
        let port = self.second.port().to_string();
        eventually("the replica takes over", || {
            let master = self.ask_sentinel("GET-MASTER-ADDR-BY-NAME");
            let role = self.second.ask(&["ROLE"]);
            master.contains(&port) && role.starts_with("master")
        });
    }

    /// The second, a primary by now, gets a replica of its own.
    pub fn second_is_followed(&mut self) {
        let port = self.second.port().to_string();
        let arguments = ["--appendonly", "no", "--replicaof", "127.0.0.1", &port];
        let third = self.third.insert(Server::start_with(&arguments));
        eventually("the replica follows", || {
            let says = third.ask(&["INFO", "replication"]);
            says.contains("link_status:up")
        });
    }

    fn ask_sentinel(&self, what: &str) -> String {
        let output = Command::new("redis-cli")
            .args(["-p", &self.port.to_string(), "SENTINEL", what, NAME])
            .output()
            .expect("redis-cli");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        // It may have ended before.
        drop(self.sentinel.kill());
        drop(self.sentinel.wait());
    }
}
