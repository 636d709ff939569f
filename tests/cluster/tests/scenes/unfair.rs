//! Who takes more than a share: each bound is met, told and counted, others
//! chat on, and the process stays below the memory that `--check` says.

use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use client::{Code, Fate, UserId};
use cluster::admin::risen;
use cluster::binaries::program;
use cluster::bystanders::Bystanders;
use cluster::imd::Imd;
use cluster::line::{Line, login, message};
use cluster::patience::within;
use cluster::person::{Person, user};
use proto::client::ClientPacket;
use proto::server::ServerPacket;

/// Small bounds, which are met soon.
const SETTINGS: &str = r#"
policy = "open"
[gateway]
sessions_max = 200
sessions_per_address_max = 200
logins_per_second = 200
window_messages = 16
window_bytes = "32 KiB"
body_bytes_max = "1 KiB"
[shard]
users_max = 2_000
delivery_patience = "100 ms"
session_messages_per_second = 100
user_messages_per_second = 200
pending_max = 64
pending_bytes_max = "64 KiB"
deferred_max = 64
waiting_max = 1_024
tells_max = 1_000
acts_max = 1_000
recent_senders_max = 64
[mailbox]
messages_max = 100
[friends]
cache_bytes_max = "1 MiB"
[database]
cache_bytes = "1 MiB"
memtable_bytes = "1 MiB"
"#;

#[tokio::test]
async fn each_bound_is_met_and_counted_while_others_chat() {
    let mut imd = Imd::start_by(|_| SETTINGS.to_owned()).await;
    let (at, admin) = (imd.address(), imd.admin());
    let bound = bound(&imd);
    let mut others = Bystanders::come(&at).await;
    let (readers, ..) = tokio::join!(
        readers_that_never_read(&at),
        a_sender_far_beyond_its_rate(&at),
        logins_without_end(&at),
        connections_without_end(&at),
        others.go_on(),
    );
    others.go_on().await;
    one_that_asks_and_never_reads(&at).await;
    for (figure, least) in [
        ("im_connd_slow_readers_total", 1),
        ("im_connd_window_exceeded_total", 1),
        ("im_connd_refused_total", 10),
        ("im_connd_opened_total", 3_000),
        ("im_msgd_rejected_total", 100),
        ("im_connd_held_total", 1),
        ("im_mailboxes_full_total", 100),
    ] {
        risen(admin, figure, least).await;
    }
    let peak = imd.memory_peak();
    println!("{} KiB at most, of {} KiB", peak / 1024, bound / 1024);
    assert!(peak < bound, "{peak} of {bound} bytes");
    drop(readers);
    others.end().await;
}

/// What `--check` says that sessions and the store's memory take at most, in
/// bytes. The rest of its total is for links and lists, which nobody fills here
/// and which no setting makes small.
fn bound(imd: &Imd) -> u64 {
    let file = imd.home().join("imd.toml");
    let mut command = Command::new(program("imd"));
    let output = command.arg("--config").arg(file).arg("--check").output();
    let said = String::from_utf8(output.unwrap().stdout).unwrap();
    let parts = ["all sessions ", "store ", "store, mailbox cache "];
    let bytes = parts.map(|part| {
        let line = said.lines().find_map(|line| {
            let line = line.strip_prefix("#   ")?;
            line.strip_prefix(part)
        });
        let words: Vec<&str> = line.expect("a part").split_whitespace().collect();
        assert_eq!(words[1], "MiB", "{part}");
        words[0].parse::<u64>().unwrap() << 20
    });
    bytes.iter().sum()
}

/// What is for them waits in windows and mailboxes, up to their bounds.
async fn readers_that_never_read(at: &str) -> Vec<Line> {
    let mut readers = Vec::new();
    for number in 0..100 {
        let who = user(&format!("reader-{number}"));
        readers.push(patient_login(at, &who).await);
    }
    // Thirty times the mailbox of one of them, and some for each.
    let mut senders = Vec::new();
    for number in 0..4 {
        let name = format!("writer-{number}");
        senders.push(Person::comes(at, &name, "phone").await);
    }
    let (mut stored, mut full) = (0, 0);
    for round in 0..400 {
        let mut handles = Vec::new();
        for (number, sender) in senders.iter().enumerate() {
            let to = if round % 2 == 0 {
                0
            } else {
                (round + number) % 100
            };
            let to = user(&format!("reader-{to}"));
            handles.push(sender.begins_to_say(&to, vec![b'x'; 900]).await);
        }
        for handle in handles {
            match within("a fate", handle).await {
                Fate::Stored { .. } => stored += 1,
                Fate::Rejected {
                    code: Code::MailboxFull,
                    ..
                } => full += 1,
                Fate::Rejected {
                    code: Code::RateExceeded,
                    ..
                } => {}
                fate => panic!("{fate:?}"),
            }
        }
    }
    assert!(
        stored > 500 && full > 500,
        "{stored} stored, {full} refused"
    );
    readers
}

/// Logged in, however many others want to.
async fn patient_login(at: &str, who: &UserId) -> Line {
    for _ in 0..1_000 {
        let mut line = Line::to(at).await;
        line.says(&[login(who, 300_000)]).await;
        match line.hears().await {
            Some(ServerPacket::LoginOk(_)) => return line,
            Some(ServerPacket::Closing(closing)) if closing.code == Code::Overloaded => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => panic!("{other:?}"),
        }
    }
    panic!("{who} never gets in");
}

/// A hundred times what it may, window by window, and beyond its window.
async fn a_sender_far_beyond_its_rate(at: &str) {
    let who = user("spammer");
    let to = user("nobody-there");
    let mut line = patient_login(at, &who).await;
    let mut answers = [0; 3];
    for round in 0..160 {
        // Within the window first, and then far beyond it.
        let count = if round < 60 { 12 } else { 100 };
        let letters = (0..count).map(|_| ClientPacket::Send(message(&to, "buy this")));
        line.says(&letters.collect::<Vec<_>>()).await;
        let mut waiting = count;
        while waiting > 0 {
            let Some(answer) = line.hears().await else {
                panic!("it ends without a word");
            };
            match answer {
                ServerPacket::Sent { .. } => {
                    answers[0] += 1;
                    waiting -= 1;
                }
                ServerPacket::Rejected { .. } => {
                    answers[1] += 1;
                    waiting -= 1;
                }
                ServerPacket::Closing(closing) => {
                    assert_eq!(closing.code, Code::WindowAbused);
                    answers[2] += 1;
                    line = patient_login(at, &who).await;
                    break;
                }
                _ => {}
            }
        }
    }
    assert!(answers.iter().all(|count| *count > 0), "{answers:?}");
}

/// Far more log-ins than a second has, from many at once: all get an answer.
async fn logins_without_end(at: &str) {
    let mut comers = tokio::task::JoinSet::new();
    for number in 0..20 {
        let at = at.to_owned();
        comers.spawn(async move {
            let who = user(&format!("comer-{number}"));
            let (mut came, mut refused) = (0, 0);
            for _ in 0..100 {
                let mut line = Line::to(&at).await;
                line.says(&[login(&who, 0)]).await;
                match line.hears().await {
                    Some(ServerPacket::LoginOk(_)) => came += 1,
                    Some(ServerPacket::Closing(closing)) => {
                        assert_eq!(closing.code, Code::Overloaded);
                        refused += 1;
                    }
                    other => panic!("{other:?} to a log-in"),
                }
            }
            (came, refused)
        });
    }
    let (mut came, mut refused) = (0, 0);
    for (some, others) in comers.join_all().await {
        came += some;
        refused += others;
    }
    assert!(came > 100 && refused > 10, "{came} came, {refused} refused");
}

/// One that opens and closes.
async fn connections_without_end(at: &str) {
    let at = at.to_owned();
    let opening = tokio::task::spawn_blocking(move || {
        for _ in 0..3_000 {
            drop(TcpStream::connect(&at).unwrap());
        }
    });
    opening.await.unwrap();
}

/// Its answers are more than the server keeps for it.
async fn one_that_asks_and_never_reads(at: &str) {
    let mut line = patient_login(at, &user("asker")).await;
    let pings = vec![ClientPacket::Ping; 10_000];
    for _ in 0..10_000 {
        if !line.takes(&pings).await {
            return;
        }
    }
    panic!("it is never closed");
}
