//! Ports that are taken and stores that are damaged: a daemon says in a line
//! what is wrong and where, and does not start.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use client::{Fate, UserId};
use cluster::binaries::program;
use cluster::imd::Imd;
use cluster::patience::until;
use cluster::person::{Person, befriend};
use cluster::port::Port;
use cluster::process::Process;

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let home = tempfile::tempdir().unwrap();
    let (taken, free) = (Port::take(), Port::take());
    let _holder = TcpListener::bind(taken.address()).unwrap();
    let (taken, free) = (taken.address().to_string(), free.address().to_string());
    let shard = |listen: &str| {
        [
            "--name".into(),
            "a".into(),
            "--shard".into(),
            format!("a={listen}"),
        ]
        .to_vec()
    };
    for daemon in ["imd", "connd", "msgd", "friendd"] {
        for (listen, admin, part) in [(&taken, &free, "listen"), (&free, &taken, "admin")] {
            let mut flags = match daemon {
                "connd" => shard(listen)[2..].to_vec(),
                "msgd" => shard(listen),
                _ => Vec::new(),
            };
            flags.extend(["--listen", listen, "--admin", admin].map(str::to_owned));
            if daemon != "connd" {
                let data = home.path().join(daemon).display().to_string();
                flags.extend(["--data".to_owned(), data]);
            }
            let said = refusal(daemon, &flags, home.path()).await;
            assert!(said.contains(part) && said.contains(&taken), "{said}");
            assert!(said.contains("in use"), "{said}");
        }
    }
}

/// The last line of a daemon that does not start.
pub async fn refusal(daemon: &str, flags: &[String], home: &Path) -> String {
    let mut command = Command::new(program(daemon));
    command.args(flags).stdout(Stdio::null());
    let log = tempfile::NamedTempFile::new_in(home).unwrap();
    let mut process = Process::start(daemon, &mut command, log.path());
    let status = process.end().await;
    assert_eq!(status.code(), Some(1), "{flags:?}");
    last_line(&process.log())
}

fn last_line(log: &str) -> String {
    let line = log.lines().last().expect("a line");
    assert!(line.starts_with("error: "), "{log}");
    line.to_owned()
}

/// Of these is a mailbox, so that its journal has many groups.
const LETTERS: usize = 30;

/// An imd that was killed, with letters for ben, who is away.
struct Killed {
    imd: Imd,
    ben: UserId,
}

impl Killed {
    async fn in_the_night() -> Self {
        let mut imd = Imd::start_by(|_| String::new()).await;
        let ann = Person::comes(&imd.address(), "ann", "phone").await;
        let ben = Person::comes(&imd.address(), "ben", "phone").await;
        befriend(&ann, &ben).await;
        let ben_id = ben.user.clone();
        ben.leaves().await;
        for number in 0..LETTERS {
            ann.leaves_word(&ben_id, format!("letter {number}")).await;
        }
        imd.kill();
        Self { imd, ben: ben_id }
    }

    fn data(&self) -> PathBuf {
        self.imd.home().join("data")
    }

    fn journal(&self) -> PathBuf {
        self.data().join("database/0.jnl")
    }

    /// Where these bytes are in the journal.
    fn finds(&self, text: &str) -> usize {
        let journal = fs::read(self.journal()).unwrap();
        let mut windows = journal.windows(text.len());
        windows
            .position(|bytes| bytes == text.as_bytes())
            .expect("it was written")
    }

    /// It does not start, and its last line names the directory, what is wrong
    /// and what to do.
    async fn refuses(&mut self, what: &str) {
        self.imd.starts_again();
        let status = self.imd.ends_with_error().await;
        assert_eq!(status, Some(1));
        let line = last_line(&self.imd.log());
        let data = self.data().display().to_string();
        for words in [
            what,
            &data,
            "put a copy of the whole directory in its place",
        ] {
            assert!(line.contains(words), "{words} in {line}");
        }
    }

    /// It starts, and ben reads the first letters, so many.
    async fn starts_with(&mut self, letters: usize) {
        self.imd.start_again().await;
        let ben = Person::comes(&self.imd.address(), self.ben.as_str(), "desk").await;
        if let Some(last) = letters.checked_sub(1) {
            ben.reads(&format!("letter {last}")).await;
        }
        let all = (0..letters).map(|number| format!("letter {number}"));
        assert!(all.eq(ben.texts()), "{:?}", ben.texts());
        self.imd.kill();
    }
}

#[tokio::test]
async fn a_journal_damaged_in_the_middle_is_refused_and_left_alone() {
    let mut killed = Killed::in_the_night().await;
    let at = killed.finds("letter 15");
    let whole = fs::read(killed.journal()).unwrap();
    // The text itself; and the head of its entry, so that it is none.
    for at in [at, at - 80, at - 60, at - 40] {
        let mut bytes = whole.clone();
        (at..at + 8).for_each(|at| bytes[at] ^= 0x55);
        fs::write(killed.journal(), &bytes).unwrap();
        killed.refuses("").await;
    }
    // The way out.
    fs::write(killed.journal(), whole).unwrap();
    killed.starts_with(LETTERS).await;
}

#[tokio::test]
async fn a_journal_that_breaks_off_gives_what_it_has_and_says_so() {
    let mut killed = Killed::in_the_night().await;
    let at = killed.finds("letter 15");
    let journal = fs::File::options()
        .write(true)
        .open(killed.journal())
        .unwrap();
    journal.set_len(at as u64).unwrap();
    killed.starts_with(15).await;
    assert!(killed.imd.log().contains("the last group was broken off"));
}

#[tokio::test]
async fn what_is_missing_of_a_store_is_missed() {
    let mut killed = Killed::in_the_night().await;
    let aside = killed.imd.home().join("aside");
    fs::rename(killed.journal(), &aside).unwrap();
    killed.refuses("a journal is missing").await;
    fs::rename(&aside, killed.journal()).unwrap();
    let database = killed.data().join("database");
    fs::rename(&database, &aside).unwrap();
    killed.refuses("has no database any more").await;
    fs::rename(&aside, &database).unwrap();
    let tables = database.join("keyspaces/1");
    fs::rename(&tables, &aside).unwrap();
    killed.refuses("is missing").await;
    fs::rename(&aside, &tables).unwrap();
    killed.starts_with(LETTERS).await;
    // Moved away as a whole it is a new one.
    fs::rename(killed.data(), aside).unwrap();
    killed.imd.start_again().await;
    let ben = Person::comes(&killed.imd.address(), "ben", "desk").await;
    until("a first list", async || ben.heard().len().checked_sub(1)).await;
    assert!(ben.texts().is_empty());
}

#[tokio::test]
async fn a_damaged_table_is_told_and_others_are_served() {
    let settings = "policy = \"open\"\n[database]\nmemtable_bytes = \"1 MiB\"";
    let mut imd = Imd::start_by(|_| settings.to_owned()).await;
    let at = imd.address();
    let tables = imd.home().join("data/database/keyspaces/1/tables");
    let ann = Person::comes(&at, "ann", "phone").await;
    let ben: UserId = "ben".parse().unwrap();
    let count = |tables: &Path| fs::read_dir(tables).map_or(0, |files| files.count());
    let mut letters = 0;
    while count(&tables) == 0 {
        assert!(letters < 2_000, "no table is written");
        let text: String = (0..12_000).map(|_| fastrand::alphanumeric()).collect();
        ann.leaves_word(&ben, text).await;
        letters += 1;
    }
    imd.stop().await;
    for file in fs::read_dir(&tables).unwrap() {
        let path = file.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        (middle..middle + 16).for_each(|at| bytes[at] ^= 0x55);
        fs::write(&path, bytes).unwrap();
    }
    imd.starts_again();
    imd.ready().await;
    // Ben's letters cannot be read; whoever wants them makes the log say so.
    let ben = Person::begins(cluster::person::settings(&at, "ben", "desk"));
    imd.says("ChecksumMismatch").await;
    let log = imd.log();
    let line = log.lines().find(|line| line.contains("requests failed"));
    let data = imd.home().join("data").display().to_string();
    assert!(line.expect("a line").contains(&data), "{log}");
    // Others are served all the while.
    let cat = Person::comes(&at, "cat", "desk").await;
    let dan: UserId = "dan".parse().unwrap();
    for _ in 0..20 {
        let fate = cat.says(&dan, "hello").await;
        assert!(matches!(fate, Fate::Stored { .. }), "{fate:?}");
    }
    assert!(!imd.log().contains("closing the database"), "{}", imd.log());
    assert!(ben.texts().len() < letters, "nothing damaged is shown");
}
