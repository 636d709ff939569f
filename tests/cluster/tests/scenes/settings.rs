//! Settings files: examples, mistakes, and which layer goes over which.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use client::Code;
use cluster::admin::is_ready;
use cluster::binaries::program;
use cluster::patience::until;
use cluster::person::Person;
use cluster::port::Port;
use cluster::process::Process;

/// The daemons, and what each must be told to be checked at all.
const DAEMONS: [(&str, &[&str]); 4] = [
    ("connd", &["--shard", "a=127.0.0.1:7200"]),
    ("msgd", &["--shard", "a=127.0.0.1:7200", "--name", "a"]),
    ("friendd", &[]),
    ("imd", &[]),
];

/// A daemon that says what is in force, or what is wrong.
fn checked(daemon: &str, flags: &[&str]) -> Output {
    let mut command = Command::new(program(daemon));
    command.arg("--check").args(flags).stdin(Stdio::null());
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn example(daemon: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.join("deploy").join(format!("{daemon}.toml"))
}

#[test]
fn examples_hold_every_key_with_its_default_and_what_is_said_of_it() {
    for (daemon, flags) in DAEMONS {
        let path = example(daemon).display().to_string();
        let defaults = checked(daemon, flags);
        let with_file = checked(daemon, &[flags, &["--config", &path]].concat());
        assert!(defaults.status.success(), "{defaults:?}");
        let in_force = text(&defaults.stdout);
        assert_eq!(in_force, text(&with_file.stdout), "{daemon}");
        let written = keys_of_example(&std::fs::read_to_string(&path).unwrap());
        assert_eq!(written, keys_in_force(&in_force), "{path}");
    }
}

/// Each key with section, what is allowed, whether a reload takes it.
type Said = Vec<(String, String)>;

/// From `key = value # …; allowed: A; reload: R`, and from `# key is not set # …`.
fn keys_in_force(sheet: &str) -> Said {
    let mut section = "";
    let mut said = Vec::new();
    let lines = sheet
        .lines()
        .take_while(|line| !line.starts_with("# Memory"));
    for line in lines {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let Some((key, about)) = line.split_once("allowed: ") {
            let key = key.trim_start_matches("# ").split(' ').next().unwrap();
            let (allowed, reload) = about.rsplit_once("; reload: ").unwrap();
            let about = format!("Allowed: {allowed}. Reload: {reload}.");
            said.push((format!("{section}/{key}"), about));
        }
    }
    said
}

/// From lines of comments, of which the last begins `Allowed:`, and the key.
fn keys_of_example(file: &str) -> Said {
    let mut section = "";
    let mut comments: Vec<&str> = Vec::new();
    let mut said = Vec::new();
    for line in file.lines() {
        let key = line.trim_start_matches("# ").split_once(" = ");
        let about = comments.join(" ");
        let about = about.find("Allowed: ").map(|at| about[at..].to_owned());
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
        } else if let (Some((key, _)), Some(about)) = (key, about) {
            said.push((format!("{section}/{key}"), about));
            comments.clear();
        } else {
            comments.push(line.trim_start_matches("# "));
        }
    }
    said
}

/// Settings that are not allowed, and the words that say so.
const MISTAKES: &[(&str, &str, &[&str])] = &[
    (
        "imd",
        "[shard]\nwatiing_max = 7",
        &["watiing_max", "line 2", "`waiting_max`"],
    ),
    ("imd", "[gatway]\n", &["gatway", "`gateway`"]),
    (
        "imd",
        "[gateway]\nwindow_bytes = 7",
        &["window_bytes = 7", "a size as \"16 KiB\""],
    ),
    (
        "imd",
        "[gateway]\nsend_patience = \"7 m\"",
        &["send_patience = \"7 m\"", "ms, s, min, h or d"],
    ),
    (
        "imd",
        "[shard]\nusers_max = \"many\"",
        &["users_max = \"many\"", "a whole number"],
    ),
    (
        "imd",
        "policy = \"none\"",
        &["policy = \"none\"", "friends or open"],
    ),
    (
        "imd",
        "listen = \"here\"",
        &["listen = \"here\"", "IP:PORT"],
    ),
    ("imd", "threads = 0", &["threads = 0", "nonzero"]),
    (
        "imd",
        "[gateway]\nwindow_messages = 0",
        &["gateway.window_messages = 0", "1 to 4_096"],
    ),
    (
        "imd",
        "[database]\njournal_bytes = \"1 MiB\"",
        &["database.journal_bytes = \"1 MiB\"", "64 MiB to"],
    ),
    (
        "imd",
        "[gateway]\nheartbeat_min = \"40 s\"",
        &[
            "gateway.heartbeat_min = \"40 s\"",
            "at most heartbeat_default, which is \"30 s\"",
        ],
    ),
    (
        "imd",
        "[gateway]\nwindow_bytes = \"8 KiB\"",
        &[
            "gateway.body_bytes_max = \"16 KiB\"",
            "at most window_bytes, which is \"8 KiB\"",
        ],
    ),
    (
        "imd",
        "[shard]\nrecent_window = \"20 s\"",
        &[
            "gateway.send_patience = \"30 s\"",
            "at most shard.recent_window",
        ],
    ),
    (
        "imd",
        "listen = \"0.0.0.0:7100\"",
        &["listen = 0.0.0.0:7100", "a loopback address"],
    ),
    (
        "imd",
        "admin = \"0.0.0.0:7190\"",
        &["admin = 0.0.0.0:7190", "a loopback address"],
    ),
    (
        "imd",
        "[tokens]\nkeys = [\"a=/nowhere\"]",
        &["tokens.keys = a=/nowhere", "KID=FILE, the file"],
    ),
    (
        "imd",
        "[tokens]\nsecrets = [\"a\"]",
        &["tokens.secrets = a ", "KID=FILE, the file"],
    ),
    (
        "imd",
        "words = \"/nowhere\"",
        &["words = \"/nowhere\"", "a file of words"],
    ),
    (
        "imd",
        "[log]\nfilter = \"loud=very\"",
        &["log.filter = loud=very", "a level"],
    ),
    (
        "msgd",
        "name = \"a\"\nregistry = \"redis://h:1\"",
        &["store = not set", "none without registry"],
    ),
    (
        "msgd",
        "name = \"a\"\nshards = [\"a=127.0.0.1:1\"]\nstore = \"redis://h:1\"",
        &["store = redis://h:1", "none without registry"],
    ),
    (
        "msgd",
        "name = \"a\"\nregistry = \"redis://h:1/0\"\nstore = \"redis://h:1/1\"",
        &["store = redis://h:1/1", "the Redis that is the registry"],
    ),
    (
        "msgd",
        "name = \"a\"\nshards = [\"a=127.0.0.1:1\"]\nreplicas = 1",
        &["replicas = 1", "0 without store"],
    ),
    (
        "msgd",
        "name = \"a\"\nregistry = \"h:1\"",
        &["registry = \"h:1\"", "redis://HOST:PORT"],
    ),
    (
        "connd",
        "registry = \"rediss://h:1\"\n[redis]\nca = \"/nowhere\"",
        &["redis.ca = /nowhere", "a file in PEM"],
    ),
    ("connd", "", &["shards = []", "NAME=HOST:PORT"]),
    (
        "connd",
        "shards = [\"a=127.0.0.1:1\", \"a=127.0.0.1:2\"]",
        &["shards = [a=127.0.0.1:1, a=127.0.0.1:2]", "no name twice"],
    ),
    (
        "connd",
        "shards = [\"a\"]",
        &["shards = [\"a\"]", "NAME=HOST:PORT"],
    ),
    (
        "msgd",
        "name = \"b\"\nshards = [\"a=127.0.0.1:1\"]",
        &["name = b", "one of the names in shards"],
    ),
    (
        "msgd",
        "name = \"a\"\nshards = [\"a=127.0.0.1:1\"]\nlisten = \"0.0.0.0:7200\"",
        &["listen = 0.0.0.0:7200", "a loopback address"],
    ),
    (
        "connd",
        "shards = [\"a=127.0.0.1:1\"]\nregistry = \"redis://127.0.0.1\"",
        &["registry = \"redis://127.0.0.1:6379\"", "without shards"],
    ),
    (
        "connd",
        "registry = \"http://127.0.0.1\"",
        &["registry = ", "redis://HOST:PORT"],
    ),
    (
        "connd",
        "shards = [\"a=127.0.0.1:1\"]\npublic = \"chat.example:7100\"",
        &["public = chat.example:7100", "with a registry"],
    ),
    (
        "msgd",
        "name = \"a\"\nregistry = \"redis://127.0.0.1\"\nlease = \"100 ms\"",
        &["lease = \"100 ms\"", "1 s to 1 min"],
    ),
    (
        "msgd",
        "name = \"a\"\nregistry = \"redis://127.0.0.1\"\nweight = 101",
        &["weight = 101", "0 to 100"],
    ),
    (
        "msgd",
        "name = \"a\"\nregistry = \"redis://127.0.0.1\"\nlisten = \"0.0.0.0:7200\"",
        &["advertise = not set", "HOST:PORT that gateways reach"],
    ),
    (
        "friendd",
        "[friends]\nwaiting_max = 0",
        &["friends.waiting_max = 0", "1 to"],
    ),
];

#[test]
fn a_mistake_names_file_key_value_and_what_is_allowed_and_nothing_starts() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mistaken.toml").display().to_string();
    for (daemon, settings, words) in MISTAKES {
        std::fs::write(&file, settings).unwrap();
        for check in [&["--check"][..], &[]] {
            let flags = [check, &["--config", &file]].concat();
            let mut command = Command::new(program(daemon));
            let output = command.args(flags).stdin(Stdio::null()).output().unwrap();
            let said = text(&output.stderr);
            assert_eq!(output.status.code(), Some(2), "{settings}: {said}");
            assert_eq!(text(&output.stdout), "", "{settings}");
            for word in [&[file.as_str()], *words].concat() {
                assert!(said.contains(word), "{word} in {said}");
            }
        }
    }
    let nowhere = checked("imd", &["--config", "/nowhere/imd.toml"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(text(&nowhere.stderr).contains("/nowhere/imd.toml"));
}

#[test]
fn several_mistakes_are_named_at_once() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("mistaken.toml").display().to_string();
    std::fs::write(&file, "[shard]\nusers_max = 0\nacts_max = 0\n").unwrap();
    let said = text(&checked("imd", &["--config", &file]).stderr);
    assert!(
        said.contains("shard.users_max") && said.contains("shard.acts_max"),
        "{said}"
    );
}

/// An imd over a file that says `friends`, and what goes over it.
async fn starts(policy_by: &[&str], variable: Option<&str>) -> (Process, Port, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("imd.toml");
    let (listen, wrong, admin) = (Port::take(), Port::take(), Port::take());
    let data = home.path().join("data");
    let settings = format!(
        "policy = \"friends\"\nlisten = \"{}\"\nadmin = \"{}\"\ndata = {data:?}",
        wrong.address(),
        admin.address()
    );
    std::fs::write(&file, settings).unwrap();
    let mut command = Command::new(program("imd"));
    command
        .arg("--config")
        .arg(&file)
        .args(policy_by)
        .env("IM_IMD_LISTEN", listen.address().to_string())
        .envs(variable.map(|policy| ("IM_IMD_POLICY", policy)))
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let process = Process::start("imd", &mut command, &home.path().join("log"));
    until("imd to be ready", async || {
        is_ready(admin.address()).await.then_some(())
    })
    .await;
    (process, listen, home)
}

#[tokio::test]
async fn flags_go_over_the_environment_and_that_goes_over_the_file() {
    for (flags, variable, may_write) in [
        (&[][..], None, false),
        (&[], Some("open"), true),
        (&["--policy", "friends"], Some("open"), false),
        (&["--policy", "open"], Some("friends"), true),
    ] {
        let (_process, listen, _home) = starts(flags, variable).await;
        let address = listen.address().to_string();
        let ann = Person::comes(&address, "ann", "phone").await;
        let ben = Person::comes(&address, "ben", "phone").await;
        if may_write {
            ann.tells(&ben.user, "hello").await;
        } else {
            ann.is_refused(&ben.user, "hello", Code::NotFriends).await;
        }
    }
}

#[test]
fn what_is_in_force_says_where_it_comes_from() {
    let mut command = Command::new(program("connd"));
    command
        .args(["--check", "--listen", "127.0.0.1:7"])
        .env("IM_CONND_SHARD", "a=127.0.0.1:1,b=127.0.0.1:2")
        .env("IM_CONND_LOG_FORMAT", "json")
        .stdin(Stdio::null());
    let said = text(&command.output().unwrap().stdout);
    let line = |key: &str| said.lines().find(|line| line.starts_with(key)).unwrap();
    assert!(line("listen = \"127.0.0.1:7\"").contains("by --listen;"));
    let shards = line("shards = [\"a=127.0.0.1:1\", \"b=127.0.0.1:2\"]");
    assert!(shards.contains("by IM_CONND_SHARD;"), "{shards}");
    assert!(line("format = \"json\"").contains("by IM_CONND_LOG_FORMAT;"));
    assert!(!line("filter = \"info\"").contains("# by "));
    for words in [
        "a session ",
        "all sessions ",
        "all links to shards ",
        "total ",
    ] {
        let bound = format!("#   {words}");
        assert!(
            said.lines().any(|line| line.starts_with(&bound)),
            "{words}: {said}"
        );
    }
    // A mistake in a flag is the flag's.
    let wrong = checked("imd", &["--listen", "0.0.0.0:7100"]);
    let said = text(&wrong.stderr);
    assert!(
        said.starts_with("--listen: listen = 0.0.0.0:7100: allowed is"),
        "{said}"
    );
}
