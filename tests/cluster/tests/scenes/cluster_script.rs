//! `deploy/cluster`: a cluster of processes by one command.

use std::path::Path;
use std::process::Command;

use client::Fate;
use cluster::binaries::program;
use cluster::person::{Person, befriend};
use cluster::script::{Script, text};
use redis_stage::Server;

fn is_running(pid: &str) -> bool {
    Path::new("/proc").join(pid).join("exe").exists()
}

#[tokio::test]
async fn it_comes_up_people_chat_across_both_gateways_and_it_leaves_nothing() {
    let cluster = Script::new();
    let up = cluster.run("up");
    let said = text(&up);
    assert!(up.status.success(), "{said}");
    let [first, second] = cluster.addresses();
    for words in [&first, &second, "im --connect"] {
        assert!(said.contains(words), "{words} in {said}");
    }
    assert_eq!(said.matches("ready, process").count(), 6, "{said}");
    let processes = cluster.processes();
    assert!(processes.len() == 6 && processes.iter().all(|pid| is_running(pid)));

    let ann = Person::comes(&first, "ann", "phone").await;
    let ben = Person::comes(&second, "ben", "phone").await;
    befriend(&ann, &ben).await;
    for (from, to) in [(&ann, &ben), (&ben, &ann)] {
        let fate = from.says(&to.user, "hello").await;
        assert!(
            matches!(fate, Fate::Delivered { .. } | Fate::Stored { .. }),
            "{fate:?}"
        );
        to.reads("hello").await;
    }

    // Up again changes nothing.
    assert!(cluster.run("up").status.success());
    assert_eq!(cluster.processes(), processes);
    assert!(cluster.run("status").status.success());

    let ben_id = ben.user.clone();
    ben.leaves().await;
    ann.leaves_word(&ben_id, "while away").await;
    ann.leaves().await;
    let down = cluster.run("down");
    assert!(down.status.success(), "{}", text(&down));
    assert!(!processes.iter().any(|pid| is_running(pid)));
    let status = cluster.run("status");
    assert!(!status.status.success());
    assert_eq!(text(&status).matches("is down").count(), 6);
    // Nothing is restarted of what does not run.
    let restart = cluster.run("restart");
    assert!(text(&restart).contains("not every daemon is ready"));
    assert!(!restart.status.success() && cluster.processes().is_empty());

    // And what was stored is there when it comes up again.
    let up = cluster.run("up");
    assert!(up.status.success(), "{}", text(&up));
    let ben = Person::comes(&first, "ben", "phone").await;
    ben.reads("while away").await;
}

#[tokio::test]
async fn with_a_redis_mail_and_friendships_are_there_and_no_directory_is_used() {
    let redis = Server::start();
    let cluster = Script::new();
    let mut up = cluster.command("up");
    let up = up.args(["--redis", &redis.url()]).output().unwrap();
    assert!(up.status.success(), "{}", text(&up));
    let [first, second] = cluster.addresses();
    let ann = Person::comes(&first, "ann", "phone").await;
    let ben = Person::comes(&second, "ben", "phone").await;
    befriend(&ann, &ben).await;
    let ben_id = ben.user.clone();
    ben.leaves().await;
    ann.leaves_word(&ben_id, "while away").await;
    for keys in ["im:friends:*", "im:*:m:ben"] {
        let found = redis.ask(&["--scan", "--pattern", keys]);
        assert!(!found.is_empty(), "{keys}");
    }
    assert!(!cluster.data().join("friendd").exists());
    assert!(!cluster.data().join("msgd-a").exists());
    let ben = Person::comes(&second, "ben", "phone").await;
    ben.reads("while away").await;
}

#[test]
fn it_ends_only_what_it_started() {
    let cluster = Script::new();
    std::fs::create_dir(cluster.data()).unwrap();
    // A process of somebody else has the number of a daemon that is gone.
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    let sleep = std::fs::read_link(format!("/proc/{}/exe", other.id())).unwrap();
    for (name, line) in [
        (
            "connd-1",
            format!("{} 1 {}", other.id(), program("connd").display()),
        ),
        ("connd-2", format!("{} 1 {}", other.id(), sleep.display())),
        ("msgd-a", String::new()),
    ] {
        std::fs::write(cluster.data().join(format!("{name}.pid")), line + "\n").unwrap();
    }
    let down = cluster.run("down");
    assert!(down.status.success(), "{}", text(&down));
    assert_eq!(text(&down), "");
    assert_eq!(other.try_wait().unwrap(), None, "it was left alone");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn settings_that_are_not_allowed_start_nothing() {
    let cluster = Script::new();
    std::fs::create_dir(cluster.data()).unwrap();
    std::fs::write(cluster.data().join("msgd-c.toml"), "nmae = \"c\"").unwrap();
    let up = cluster.run("up");
    let said = text(&up);
    assert_eq!(up.status.code(), Some(2), "{said}");
    assert!(
        said.contains("msgd-c.toml") && said.contains("nmae"),
        "{said}"
    );
    assert_eq!(cluster.processes(), Vec::<String>::new());
}
