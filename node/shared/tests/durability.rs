//! What an operator is told that 'stored' means, by servers as they are.

use std::time::Duration;

use redis_stage::{Cluster, Server};
use shared::durability::telling;
use shared::{Confirm, Settings, Trust};

fn settings(url: &str, replicas: u32) -> Settings {
    Settings {
        address: url.parse().unwrap(),
        trust: Trust::default(),
        patience: Duration::from_secs(5),
        confirm: (replicas > 0).then_some(Confirm {
            replicas,
            patience: Duration::from_secs(1),
        }),
    }
}

fn run(scene: impl AsyncFnOnce()) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(scene());
}

#[test]
fn what_the_server_does_is_told_and_not_what_was_wished() {
    run(async || {
        let mut server = Server::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
        let told = telling(&settings(&server.url(), 1));
        let means = told().await;
        assert!(
            means.starts_with("on the server's disk (appendfsync always)"),
            "{means}"
        );
        assert!(means.ends_with("1 must have it, 0 connected"), "{means}");
        // It is asked each time.
        server.ask(&["CONFIG", "SET", "appendfsync", "everysec"]);
        let means = told().await;
        assert!(
            means.contains("within a second (appendfsync everysec)"),
            "{means}"
        );
        server.ask(&["CONFIG", "SET", "appendonly", "no"]);
        let means = told().await;
        assert!(means.contains("gone with it (appendonly no)"), "{means}");
        let port = server.port().to_string();
        let replica = Server::start_with(&["--replicaof", "127.0.0.1", &port]);
        let mut means = String::new();
        for _ in 0..1_000 {
            means = told().await;
            if means.ends_with("1 connected") {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert!(means.ends_with("1 must have it, 1 connected"), "{means}");
        drop(replica);
        server.kill();
        let means = told().await;
        assert!(means.starts_with("not told: no connection"), "{means}");
    });
}

#[test]
fn what_the_server_does_not_let_be_asked_is_said_to_be_untold() {
    run(async || {
        let server = Server::start();
        server.ask(&[
            "ACL", "SETUSER", "im", "on", ">secret", "~*", "+@all", "-config",
        ]);
        let url = format!("redis://im:secret@127.0.0.1:{}", server.port());
        let means = telling(&settings(&url, 0))().await;
        let wanted = "in Redis; its appendfsync is not told; replicas: 0 must have it, 0 connected";
        assert_eq!(means, wanted);
    });
}

#[test]
fn servers_of_a_cluster_that_differ_are_told_apart() {
    run(async || {
        let mut cluster = Cluster::start();
        let told = telling(&settings(&cluster.url(), 0));
        let means = told().await;
        assert_eq!(means.matches("appendonly no").count(), 1, "{means}");
        assert!(!means.contains("; or "), "{means}");
        let other = &cluster.servers()[1];
        other.ask(&["CONFIG", "SET", "appendonly", "yes"]);
        let means = told().await;
        assert!(
            means.contains("appendonly no") && means.contains("; or "),
            "{means}"
        );
    });
}
