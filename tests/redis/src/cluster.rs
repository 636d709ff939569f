//! A Cluster of three.

use std::process::{Command, Stdio};

use crate::server::{Server, eventually};

/// Three primaries; behind them as many replicas, or none.
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
        Self::start_with("yes", 0)
    }

    /// A Cluster whose servers go on when one of them is away.
    pub fn start_partial() -> Self {
        Self::start_with("no", 0)
    }

    /// A Cluster in which each primary has a replica.
    ///
    /// # Panics
    /// If it does not come up.
    pub fn start_replicated() -> Self {
        Self::start_with("yes", 1)
    }

    fn start_with(full_coverage: &str, replicas: usize) -> Self {
        let arguments = [
            "--appendonly",
            "no",
            "--cluster-enabled",
            "yes",
            "--cluster-node-timeout",
            "1000",
            "--cluster-require-full-coverage",
            full_coverage,
        ];
        let count = 3 * (1 + replicas);
        let servers = (0..count).map(|_| Server::start_with(&arguments));
        let servers: Vec<Server> = servers.collect();
        let cluster = Self { servers };
        let made = Command::new("redis-cli")
            .args(["--cluster", "create"])
            .args(cluster.hosts())
            .args(["--cluster-replicas", &replicas.to_string(), "--cluster-yes"])
            .stdout(Stdio::null())
            .status()
            .expect("redis-cli");
        assert!(made.success());
        cluster.is_whole();
        let follows = |server: &Server| server.ask(&["INFO", "replication"]);
        eventually("the replicas follow", || {
            let servers = cluster.servers.iter();
            let up = servers.filter(|server| follows(server).contains("link_status:up"));
            up.count() == 3 * replicas
        });
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

    /// Kills the primary that has a key, waits until its replica has taken over,
    /// and starts it again as a replica of that one.
    ///
    /// # Panics
    /// If none has it, or no replica does.
    pub fn lose_primary_of(&mut self, key: &str) {
        let role = |server: &Server| server.ask(&["ROLE"]);
        let has = |server: &&mut Server| {
            role(server).starts_with("master") && server.ask(&["EXISTS", key]) == "1"
        };
        let primary = self.servers.iter_mut().find(has).expect("the key");
        let lost = primary.port();
        primary.kill();
        let others = || self.servers.iter().filter(|server| server.port() != lost);
        eventually("a replica takes over", || {
            let masters = others().filter(|server| role(server).starts_with("master"));
            let whole = |server: &Server| server.ask(&["CLUSTER", "INFO"]).contains("state:ok");
            masters.count() == 3 && others().all(whole)
        });
        let mut servers = self.servers.iter_mut();
        let back = servers.find(|server| server.port() == lost);
        let back = back.expect("it was there");
        back.restart();
        eventually("it follows the other", || {
            let says = back.ask(&["INFO", "replication"]);
            says.contains("link_status:up")
        });
    }

    /// Begins to move the slot of a key, which is there, to another server.
    ///
    /// # Panics
    /// If no server has the key.
    pub fn begin_move(&self, key: &str) -> Moving<'_> {
        let slot = self.servers[0].ask(&["CLUSTER", "KEYSLOT", key]);
        let has = |server: &&Server| server.ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot]) != "0";
        let from = self.servers.iter().find(has).expect("the key");
        let mut others = self.servers.iter();
        let to = others.find(|server| server.port() != from.port());
        let to = to.expect("three servers");
        let name = |server: &Server| server.ask(&["CLUSTER", "MYID"]);
        to.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &name(from)]);
        from.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &name(to)]);
        Moving { slot, from, to }
    }

    fn hosts(&self) -> Vec<String> {
        let ports = self.servers.iter().map(Server::port);
        ports.map(|port| format!("127.0.0.1:{port}")).collect()
    }
}

/// A slot that is on its way from one server to another.
#[derive(Debug)]
pub struct Moving<'a> {
    slot: String,
    from: &'a Server,
    to: &'a Server,
}

impl Moving<'_> {
    /// Moves one key.
    ///
    /// # Panics
    /// If the server refuses.
    pub fn move_key(&self, key: &str) {
        let port = self.to.port().to_string();
        let words = ["MIGRATE", "127.0.0.1", &port, key, "0", "5000"];
        assert_eq!(self.from.ask(&words), "OK");
    }

    /// Moves the keys that are there.
    pub fn move_all(&self) {
        let keys = ["CLUSTER", "GETKEYSINSLOT", &self.slot, "1000"];
        self.from
            .ask(&keys)
            .lines()
            .for_each(|key| self.move_key(key));
    }

    /// The slot is the other's.
    pub fn finish(&self) {
        let owner = self.to.ask(&["CLUSTER", "MYID"]);
        for server in [self.to, self.from] {
            server.ask(&["CLUSTER", "SETSLOT", &self.slot, "NODE", &owner]);
        }
    }
}
