//! A Cluster of three.

use std::process::{Command, Stdio};

use crate::server::{Server, eventually};

/// Three primaries without replicas.
#[derive(Debug)]
pub struct Cluster {
    servers: Vec<Server>,
}

impl Cluster {
    /// A Cluster that keeps nothing on disk.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start() -> Self {
        let arguments = [
            "--appendonly",
            "no",
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "1000",
        ];
        let servers: Vec<Server> = (0..3).map(|_| Server::start_with(&arguments)).collect();
        let cluster = Self { servers };
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(cluster.hosts())
            .args(["--cluster-replicas", "0", "--cluster-yes"])
            .stdout(Stdio::null())
            .status()
            .expect("redis-cli");
        assert!(made.success());
        cluster.is_whole();
        cluster
    }

    /// Waits until every server says that all slots are served.
    pub fn is_whole(&self) {
        for server in &self.servers {
            eventually("the Cluster is whole", || {
                server.ask(&["CLUSTER", "INFO"]).contains("state:ok")
            });
        }
    }

    /// Its URL, with the servers from one on.
    pub fn url(&self) -> String {
        format!("redis+cluster://{}", self.hosts().join(","))
    }

    /// Its servers.
    pub fn servers(&mut self) -> &mut [Server] {
        &mut self.servers
    }

    /// Moves a slot of the Cluster, with its keys, to the server at a place.
    ///
    /// # Panics
    /// If `redis-cli` does not answer.
    pub fn move_slot(&mut self, slot: u16, place: usize) {
        let name = |server: &Server| server.ask(&["CLUSTER", "MYID"]);
        let slot = slot.to_string();
        let from = (0..3)
            .find(|at| {
                let keys = self.servers[*at].ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot]);
                let keys: usize = keys.parse().expect("a count");
                keys > 0
            })
            .expect("a slot with keys");
        if from == place {
            return;
        }
        let (old, new) = (&self.servers[from], &self.servers[place]);
        new.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &name(old)]);
        old.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &name(new)]);
        let keys = old.ask(&["CLUSTER", "GETKEYSINSLOT", &slot, "1000"]);
        let port = new.port().to_string();
        for key in keys.lines() {
            let moved = old.ask(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
            assert_eq!(moved, "OK");
        }
        let owner = name(new);
        for server in [new, old] {
            server.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &owner]);
        }
    }

    fn hosts(&self) -> Vec<String> {
        let ports = self.servers.iter().map(Server::port);
        ports.map(|port| format!("127.0.0.1:{port}")).collect()
    }
}
