//! A server over TLS that asks for a certificate.

use std::path::Path;
use std::time::Duration;

use node::certificates::{Certificates, development};
use redis_stage::{Server, free_port};
use shared::{Command, Failure, Redis, Reply, Settings, Trust, Value};

/// A server that shows the certificate of a directory, and the port of its TLS.
fn serve(directory: &Path) -> (Server, u16) {
    let port = free_port();
    let file = |name: &str| directory.join(name).to_string_lossy().into_owned();
    let server = Server::start_with(&[
        "--appendonly",
        "no",
        "--tls-port",
        &port.to_string(),
        "--tls-cert-file",
        &file("cert.pem"),
        "--tls-key-file",
        &file("key.pem"),
        "--tls-ca-cert-file",
        &file("ca.pem"),
    ]);
    (server, port)
}

/// What comes of one command.
fn asks(port: u16, trust: Trust) -> Reply {
    let settings = Settings {
        address: format!("rediss://127.0.0.1:{port}").parse().unwrap(),
        trust,
        patience: Duration::from_secs(5),
        confirm: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut redis = Redis::new(&settings, Vec::new());
    let asked = vec![Command::write("SET", "a").arg("1")];
    runtime.block_on(redis.carry_out(asked)).remove(0)
}

fn trust(of: &Certificates, own: Option<&Certificates>) -> Trust {
    Trust {
        authority: Some(of.ca.clone()),
        own: own.map(|own| (own.chain.clone(), own.key.clone())),
    }
}

#[test]
fn both_ends_show_who_they_are() {
    let ours = tempfile::tempdir().unwrap();
    let theirs = tempfile::tempdir().unwrap();
    let own = development(ours.path()).unwrap();
    let other = development(theirs.path()).unwrap();
    let (server, port) = serve(ours.path());
    assert_eq!(asks(port, trust(&own, Some(&own))), Ok(Value::Okay));
    assert_eq!(server.ask(&["GET", "a"]), "1");
    for stranger in [
        // Another signer is trusted than the server's.
        trust(&other, Some(&own)),
        // Nothing is shown, or what another has signed.
        trust(&own, None),
        trust(&own, Some(&other)),
        // The system's signers do not know this one.
        Trust::default(),
    ] {
        let reply = asks(port, stranger);
        assert!(matches!(reply, Err(Failure::Lost(_))), "{reply:?}");
    }
}
