//! `deploy/cluster`: a cluster of processes by one command.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use client::Fate;
use cluster::binaries::program;
use cluster::person::{Person, befriend};

/// The ports that a cluster takes, from its first on.
const PORTS: u16 = 16;

/// A directory with a cluster that ends with it.
struct Cluster {
    home: tempfile::TempDir,
    first: u16,
}

impl Cluster {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self {
            home,
            first: free_ports(),
        }
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("cluster")
    }

    fn script(&self, verb: &str, more: &[&str]) -> Output {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut command = Command::new(root.join("deploy/cluster"));
        command.arg(verb).arg("--data").arg(self.data()).args(more);
        command.stdin(Stdio::null()).output().unwrap()
    }

    fn up(&self) -> Output {
        let binaries = program("connd").parent().unwrap().display().to_string();
        self.script(
            "up",
            &["--binaries", &binaries, "--port", &self.first.to_string()],
        )
    }

    /// The processes that it names.
    fn processes(&self) -> Vec<String> {
        let files = std::fs::read_dir(self.data()).unwrap();
        let paths = files.map(|file| file.unwrap().path());
        let pids = paths.filter(|path| path.extension().is_some_and(|e| e == "pid"));
        let pid = |path: PathBuf| {
            let text = std::fs::read_to_string(path).unwrap();
            text.split(' ').next().unwrap().to_owned()
        };
        pids.map(pid).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.script("down", &[]);
    }
}

/// The first of so many that are free on both addresses, at this moment.
fn free_ports() -> u16 {
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

fn text(output: &Output) -> String {
    let all = [output.stdout.as_slice(), &output.stderr].concat();
    String::from_utf8(all).unwrap()
}

fn is_running(pid: &str) -> bool {
    Path::new("/proc").join(pid).join("exe").exists()
}

#[tokio::test]
async fn it_comes_up_people_chat_across_both_gateways_and_it_leaves_nothing() {
    let cluster = Cluster::new();
    let up = cluster.up();
    let said = text(&up);
    assert!(up.status.success(), "{said}");
    let [first, second] = ["127.0.0.1", "127.0.0.2"].map(|h| format!("{h}:{}", cluster.first));
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
    assert!(cluster.up().status.success());
    assert_eq!(cluster.processes(), processes);
    assert!(cluster.script("status", &[]).status.success());

    let ben_id = ben.user.clone();
    ben.leaves().await;
    ann.leaves_word(&ben_id, "while away").await;
    ann.leaves().await;
    let down = cluster.script("down", &[]);
    assert!(down.status.success(), "{}", text(&down));
    assert!(!processes.iter().any(|pid| is_running(pid)));
    let status = cluster.script("status", &[]);
    assert!(!status.status.success());
    assert_eq!(text(&status).matches("is down").count(), 6);

    // And what was stored is there when it comes up again.
    let up = cluster.up();
    assert!(up.status.success(), "{}", text(&up));
    let ben = Person::comes(&first, "ben", "phone").await;
    ben.reads("while away").await;
}

#[test]
fn it_ends_only_what_it_started() {
    let cluster = Cluster::new();
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
    let down = cluster.script("down", &[]);
    assert!(down.status.success(), "{}", text(&down));
    assert_eq!(text(&down), "");
    assert_eq!(other.try_wait().unwrap(), None, "it was left alone");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn settings_that_are_not_allowed_start_nothing() {
    let cluster = Cluster::new();
    std::fs::create_dir(cluster.data()).unwrap();
    std::fs::write(cluster.data().join("msgd-c.toml"), "nmae = \"c\"").unwrap();
    let up = cluster.up();
    let said = text(&up);
    assert_eq!(up.status.code(), Some(2), "{said}");
    assert!(
        said.contains("msgd-c.toml") && said.contains("nmae"),
        "{said}"
    );
    assert_eq!(cluster.processes(), Vec::<String>::new());
}
