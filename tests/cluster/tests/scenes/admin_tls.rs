//! Operators of other machines: an admin port that speaks TLS, and which daemons
//! an operator finds by the registry.

use std::process::Command;

use cluster::admin::page;
use cluster::binaries::program;
use cluster::daemon::Daemon;
use cluster::imctl::{imctl, obeyed};
use cluster::leased::LEASE;
use cluster::patience::until;
use node::certificates::development;
use redis_stage::Server;
use registry::Trust;
use registry::client::{By, Place, Registry};
use serde_json::Value;
use tempfile::TempDir;

/// Flags that show the certificates of a directory.
fn shows(home: &TempDir, directory: &str) -> Vec<String> {
    let directory = home.path().join(directory);
    development(&directory).unwrap();
    let flags = [
        ("--ca", "ca.pem"),
        ("--cert", "cert.pem"),
        ("--key", "key.pem"),
    ];
    let file = |name: &str| directory.join(name).display().to_string();
    flags
        .iter()
        .flat_map(|(flag, name)| [(*flag).to_owned(), file(name)])
        .collect()
}

/// A friend service whose admin port speaks TLS.
fn friendd(home: &TempDir, url: &str) -> Daemon {
    let directory = home.path().join("own").display().to_string();
    let flags = [
        ["--store", url],
        ["--registry", url],
        ["--link-development", &directory],
        ["--admin-public", "{admin}"],
    ];
    let flags = flags.concat().into_iter().map(str::to_owned).collect();
    Daemon::start("friendd", home.path(), flags)
}

#[tokio::test]
async fn who_shows_a_certificate_of_the_daemons_is_an_operator() {
    let home = tempfile::tempdir().unwrap();
    let (own, foreign) = (shows(&home, "own"), shows(&home, "foreign"));
    let redis = Server::start();
    let url = redis.url();
    let friendd = friendd(&home, &url);
    let by_registry = ["--registry", &url, "--json", "status"];
    let words = |certificates: &[String], order: &[&str]| -> Vec<String> {
        let order = order.iter().map(|word| (*word).to_owned());
        certificates.iter().cloned().chain(order).collect()
    };
    let said = async |certificates: &[String], order: &[&str]| {
        let words = words(certificates, order);
        imctl(&words.iter().map(String::as_str).collect::<Vec<_>>()).await
    };
    let status = until("a friend service in the registry", async || {
        let said = said(&own, &by_registry).await;
        said.done
            .then(|| serde_json::from_str::<Value>(&said.out).unwrap())
    })
    .await;
    let at = format!("https://{}", friendd.admin());
    assert_eq!(status["daemons"][0]["program"], "friendd");
    assert_eq!(status["daemons"][0]["admin"], at);
    assert_eq!(status["graphs"].as_array().unwrap().len(), 1);
    assert_eq!(status["silent"], serde_json::json!([]));

    let nothing = said(&[], &by_registry).await;
    assert!(
        !nothing.done && nothing.error.contains("--ca"),
        "{nothing:?}"
    );
    let stranger = said(&foreign, &by_registry).await;
    assert!(
        !stranger.done && stranger.error.contains("cannot connect"),
        "{stranger:?}"
    );
    // It trusts the daemon, and is not trusted.
    let mixed = [&own[..2], &foreign[2..]].concat();
    let stranger = said(&mixed, &by_registry).await;
    assert!(
        !stranger.done && stranger.error.contains(&at),
        "{stranger:?}"
    );
    let plain = page(friendd.admin(), "/metrics").await;
    assert!(plain.is_err(), "{plain:?}");
    let plain = said(&own, &["--admin", &friendd.admin().to_string(), "status"]).await;
    assert!(!plain.done, "{plain:?}");
    let half = said(&own[..2], &by_registry).await;
    assert!(!half.done && half.error.contains("together"), "{half:?}");
}

#[tokio::test]
async fn a_daemon_that_only_another_machine_reaches_is_named() {
    let home = tempfile::tempdir().unwrap();
    let redis = Server::start();
    let url = redis.url();
    let flags = ["--store", &url, "--registry", &url]
        .map(str::to_owned)
        .to_vec();
    let mut friendd = Daemon::start("friendd", home.path(), flags);
    friendd.ready().await;
    let place = Place {
        address: url.parse().unwrap(),
        trust: Trust::default(),
        lease: LEASE,
    };
    let mut registry = Registry::new(&place, LEASE);
    // The same address, and there nobody listens who is of this cluster.
    let elsewhere = format!("{} on no-such-machine", friendd.admin());
    let status = until("both in the registry", async || {
        let told = registry.announce(By::Operators, &elsewhere).await;
        told.unwrap();
        let said = obeyed(&["--registry", &url, "--json", "status"]).await;
        let status: Value = serde_json::from_str(&said).unwrap();
        let silent = status["silent"].as_array().unwrap();
        let named = |said: &Value| said.as_str().unwrap().starts_with(&elsewhere);
        silent.iter().any(named).then_some(status)
    })
    .await;
    assert_eq!(status["daemons"].as_array().unwrap().len(), 1, "{status}");
}

#[test]
fn an_admin_port_that_others_reach_needs_certificates() {
    let home = tempfile::tempdir().unwrap();
    let certificates = home.path().display().to_string();
    let (bare, open) = ("--admin=0.0.0.0:7190", "--admin-public=im.example:7190");
    let checked = |daemon: &str, flags: &[&str]| {
        let output = Command::new(program(daemon))
            .args(flags)
            .arg("--check")
            .output();
        let output = output.unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).unwrap())
    };
    for daemon in ["connd", "msgd", "friendd"] {
        for (flags, key) in [
            (&[bare][..], "--admin: admin = 0.0.0.0:7190"),
            (&[bare, open], "links.admin_public = im.example:7190"),
        ] {
            let (code, said) = checked(daemon, flags);
            assert_eq!(code, Some(2), "{daemon}: {said}");
            assert!(said.contains(key), "{daemon}: {said}");
        }
    }
    let certified = format!("--link-development={certificates}");
    let (code, said) = checked("friendd", &[bare, open, &certified]);
    assert_eq!(code, Some(0), "{said}");
}
