//! SIGHUP: what is taken while people are there, and what is not.

use std::path::Path;
use std::process::Command;

use client::{Code, Settings};
use cluster::binaries::program;
use cluster::imd::Imd;
use cluster::line::{Line, login};
use cluster::patience::until;
use cluster::person::{Person, user};
use cluster::processes::Processes;
use proto::server::{LoginOk, ServerPacket};

/// Writes a secret into the directory, and gives its section.
fn secret(home: &Path, kid: &str) -> String {
    let file = home.join(kid);
    std::fs::write(
        &file,
        format!("{kid}: forty bytes and more, for a test only"),
    )
    .unwrap();
    let pair = format!("{kid}={}", file.display());
    format!("policy = \"open\"\n[tokens]\nsecrets = [{pair:?}]")
}

/// Somebody with a token by this secret.
fn with_token(imd: &Imd, kid: &str, name: &str) -> Settings {
    let file = imd.home().join(kid).display().to_string();
    let words = ["token", "--alg", "hs256", "--key-file", &file, "--kid", kid];
    let mut command = Command::new(program("im"));
    let output = command.args(words).args(["--user", name]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let token = String::from_utf8(output.stdout).unwrap();
    let device = Some("phone".parse().unwrap());
    Settings::token(imd.address(), token.trim(), device)
}

/// The answer to a log-in that asks for a heartbeat of one minute.
async fn answer(address: &str) -> LoginOk {
    let mut line = Line::to(address).await;
    line.says(&[login(&user("looker"), 60_000)]).await;
    match line.hears().await {
        Some(ServerPacket::LoginOk(answer)) => *answer,
        other => panic!("{other:?} to a log-in"),
    }
}

/// Waits until a gateway grants this heartbeat: it has taken all by then.
async fn grants(address: &str, heartbeat_ms: u32) {
    until("the new heartbeat", async || {
        (answer(address).await.heartbeat_ms == heartbeat_ms).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_new_key_lets_in_a_removed_one_does_not_and_who_is_there_stays() {
    let mut imd = Imd::start_by(|home| secret(home, "old")).await;
    let ann = Person::comes_with(with_token(&imd, "old", "ann")).await;
    let settings = secret(imd.home(), "new");
    imd.reload_by(&settings).await;
    let ben = until("the new key to count", async || {
        let person = Person::begins(with_token(&imd, "new", "ben"));
        let answered = |events: &[client::Event]| events.first().cloned();
        let first = person.hears("an answer", answered).await;
        matches!(first, client::Event::Connected(_)).then_some(person)
    })
    .await;
    let cat = Person::begins(with_token(&imd, "old", "cat"));
    assert_eq!(cat.closed().await, Some(Code::TokenInvalid.number()));
    ann.tells(&user("ben"), "still here").await;
    ben.reads("still here").await;
    assert_eq!((ann.logins(), ben.logins()), (1, 1));

    // The same name of a file, with other content.
    let stale = with_token(&imd, "new", "dan");
    std::fs::write(
        imd.home().join("new"),
        "another forty bytes, for a test only",
    )
    .unwrap();
    imd.reload_by(&settings).await;
    until("the new content to count", async || {
        let person = Person::begins(with_token(&imd, "new", "eve"));
        let first = |events: &[client::Event]| events.first().cloned();
        let first = person.hears("an answer", first).await;
        matches!(first, client::Event::Connected(_)).then_some(())
    })
    .await;

    let dan = Person::begins(stale);
    assert_eq!(dan.closed().await, Some(Code::TokenInvalid.number()));

    // A reload never opens the doors.
    imd.reload_by("policy = \"open\"").await;
    let dan = Person::begins(cluster::person::settings(&imd.address(), "dan", "phone"));
    assert_eq!(dan.closed().await, Some(Code::TokenInvalid.number()));
    let log = imd.log();
    assert!(
        log.contains("takes a restart") && log.contains("tokens.secrets"),
        "{log}"
    );
}

#[tokio::test]
async fn changed_limits_words_policy_and_log_level_hold() {
    let mut imd = Imd::start_by(|_| String::new()).await;
    let address = imd.address();
    let ann = Person::comes(&address, "ann", "phone").await;
    let ben = Person::comes(&address, "ben", "phone").await;
    ann.is_refused(&ben.user, "hello", Code::NotFriends).await;
    let before = answer(&address).await;
    assert_eq!(before.heartbeat_ms, 60_000);

    let words = imd.home().join("words");
    std::fs::write(&words, "swordfish").unwrap();
    let settings = format!(
        "policy = \"open\"\nwords = {words:?}\n\
         [gateway]\nheartbeat_max = \"45 s\"\nwindow_messages = 7\n\
         [shard]\nsessions_per_user_max = 1\n\
         [mailbox]\nmessages_max = 7\n\
         [log]\nfilter = \"info,msgd=debug\""
    );
    imd.reload_by(&settings).await;
    grants(&address, 45_000).await;
    until("the words to be refused", async || {
        let fate = ann.says(&ben.user, "a swordfish").await;
        matches!(
            fate,
            client::Fate::Rejected {
                code: Code::Filtered,
                ..
            }
        )
        .then_some(())
    })
    .await;
    let id = {
        let handle = ann.begins_to_say(&ben.user, "hello").await;
        let id = format!("id={}", handle.id());
        handle.await;
        id
    };
    ben.reads("hello").await;
    let second = Person::begins(cluster::person::settings(&address, "ann", "desk"));
    let code = Code::TooManySessions.number();
    assert_eq!(second.closed().await, Some(code));
    // What the log-in grants takes a restart, and the log says so.
    let after = answer(&address).await;
    assert_eq!(after.window_messages, before.window_messages);
    let log = imd.log();
    assert!(log.contains(&id), "debug lines tell ids");
    for (key, words) in [
        ("gateway.heartbeat_max", "reloaded"),
        ("log.filter", "reloaded"),
        ("policy", "reloaded"),
        ("gateway.window_messages", "takes a restart"),
        ("mailbox.messages_max", "takes a restart"),
    ] {
        let said = |line: &str| line.contains(key) && line.contains(words);
        assert!(log.lines().any(said), "{key} {words}: {log}");
    }

    // And back, with a line of the log that is not there any more.
    imd.reload_by("").await;
    grants(&address, 60_000).await;
    let handle = ann.begins_to_say(&ben.user, "hello?").await;
    let id = format!("id={}", handle.id());
    assert!(matches!(
        handle.await,
        client::Fate::Rejected {
            code: Code::NotFriends,
            ..
        }
    ));
    assert!(!imd.log().contains(&id));
    assert_eq!((ann.logins(), ben.logins()), (1, 1));
}

#[tokio::test]
async fn a_file_with_a_mistake_changes_nothing() {
    let mut imd = Imd::start_by(|_| "[gateway]\nheartbeat_max = \"40 s\"".to_owned()).await;
    let address = imd.address();
    let ann = Person::comes(&address, "ann", "phone").await;
    for (broken, words) in [
        (
            "[gateway]\nheartbeat_max = \"50 s\"\n[shard]\nusers_max = 0",
            "shard.users_max = 0",
        ),
        (
            "[gateway]\nheartbeat_max = \"50 s\"\nheartbat = 1",
            "heartbat",
        ),
        ("policy = \"open\"\nwords = \"/nowhere\"", "/nowhere"),
        (
            "policy = \"open\"\n[tokens]\nkeys = [\"a=/nowhere\"]",
            "a=/nowhere",
        ),
    ] {
        imd.reload_by(broken).await;
        let log = imd.log();
        let said = |line: &str| line.contains("ERROR") && line.contains("nothing is reloaded");
        assert!(
            log.lines().any(said) && log.contains(words),
            "{words}: {log}"
        );
        assert_eq!(answer(&address).await.heartbeat_ms, 40_000);
        ann.is_refused(&user("ben"), "hello", Code::NotFriends)
            .await;
    }
    // It is mended, and counts.
    imd.reload_by("[gateway]\nheartbeat_max = \"50 s\"").await;
    grants(&address, 50_000).await;
    assert_eq!(ann.logins(), 1);
}

#[tokio::test]
async fn each_daemon_takes_its_own_while_people_stay() {
    let nothing = [("connd", "threads = 1"), ("msgd", ""), ("friendd", "")];
    let mut cluster = Processes::start_by(&nothing).await;
    let ann = cluster.user_of(0, "ann");
    let ben = cluster.user_of(1, "ben");
    let addresses: Vec<String> = cluster.connds.iter().map(|connd| connd.address()).collect();
    let ann = Person::comes(&addresses[0], ann.as_str(), "phone").await;
    let ben = Person::comes(&addresses[1], ben.as_str(), "phone").await;
    ann.is_refused(&ben.user, "hello", Code::NotFriends).await;

    cluster.rewrite("connd", "threads = 1\n[gateway]\nheartbeat_max = \"45 s\"");
    cluster.rewrite("msgd", "policy = \"open\"");
    cluster.rewrite(
        "friendd",
        "[log]\nfilter = \"debug\"\n[friends]\nwaiting_max = 7",
    );
    for daemon in cluster.connds.iter_mut().chain(&mut cluster.msgds) {
        daemon.reload().await;
    }
    cluster.friendd.reload().await;
    ann.tells(&ben.user, "hello").await;
    ben.reads("hello").await;
    for address in &addresses {
        grants(address, 45_000).await;
    }
    let log = cluster.friendd.log();
    assert!(
        log.contains("log.filter") && log.contains("friends.waiting_max"),
        "{log}"
    );
    assert_eq!((ann.logins(), ben.logins()), (1, 1));
}
