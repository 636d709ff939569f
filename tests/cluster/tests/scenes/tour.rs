//! The five-minute tour of README.md, taken as it is written.
//!
//! What stands in a block is typed, with other ports, and with a `cargo` that
//! starts what is built already. What the page says is seen has to be seen. A
//! block of a kind that is not known here fails, so there is none that is not
//! taken.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use cluster::binaries::program;
use cluster::patience::until;
use cluster::port::Port;
use cluster::script::{PORTS, free_ports};
use cluster::terminal::in_order;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::seat::{ENTER, Seat};

/// Stands in an expected line for whatever differs from time to time.
const ANYTHING: char = '…';

/// The ports that the page names: of imd for clients, of its pages, and the
/// first of the separate processes.
const CLIENTS: u16 = 7100;
const ADMIN: u16 = 7190;
const FIRST: u16 = 7500;

/// The commands of cargo that the page may use, as the programs that they run;
/// with the ports that are free here in place of the default ones.
const CARGO: &str = r#"#!/usr/bin/env bash
case "$*" in
"build --release -p connd -p msgd -p friendd -p client") ;;
"run --release") exec "$PROGRAMS/imd" --listen "$CLIENTS" --admin "$ADMIN" ;;
"run --release -- "*) exec "$PROGRAMS/imd" "${@:4}" ;;
"run --release -p client --bin im -- "*" --connect "*) exec "$PROGRAMS/im" "${@:8}" ;;
"run --release -p client --bin im -- "*) exec "$PROGRAMS/im" "${@:8}" --connect "$CLIENTS" ;;
*) echo "the test of the tour does not know: cargo $*" && exit 64 ;;
esac
"#;

/// What a block wants.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    /// To be typed in the shell of somebody's terminal.
    Begin(String),
    /// To be typed there, in what runs there.
    Type(String),
    /// That these lines come to stand on somebody's screen, each once.
    See(String),
    /// To be run by a shell of its own, to the end.
    Run,
    /// That the run before printed these lines, in this order.
    Printed,
}

impl Kind {
    fn of(mark: &str) -> Self {
        let words: Vec<&str> = mark.split(' ').collect();
        match words[..] {
            ["sh"] => Self::Run,
            ["sh", who] => Self::Begin(who.to_owned()),
            ["text", "prints"] => Self::Printed,
            ["text", who, "types"] => Self::Type(who.to_owned()),
            ["text", who, "sees"] => Self::See(who.to_owned()),
            _ => panic!("a block is marked `{mark}`, and nobody knows what that is"),
        }
    }
}

/// The blocks of the tour, each with its lines.
fn blocks() -> Vec<(Kind, Vec<String>)> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let page = fs::read_to_string(page).expect("a page");
    let (_, tour) = page
        .split_once("\n## A five-minute tour\n")
        .expect("a tour");
    let (tour, _) = tour.split_once("\n## ").expect("an end of the tour");
    let mut lines = tour.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        assert!(!line.starts_with("    "), "a block without a mark: {line}");
        let Some(mark) = line.trim_start().strip_prefix("```") else {
            continue;
        };
        let block: Vec<_> = lines
            .by_ref()
            .take_while(|l| !l.starts_with("```"))
            .collect();
        assert!(!block.is_empty(), "an empty block: {mark}");
        found.push((
            Kind::of(mark),
            block.into_iter().map(str::to_owned).collect(),
        ));
    }
    found
}

/// Whether a row is as the page says.
fn is_as(row: &str, line: &str) -> bool {
    let words: Vec<&str> = line.trim().split(ANYTHING).map(str::trim).collect();
    in_order(row, &words)
}

/// Three terminals in one directory, which looks like the repository.
struct Stage {
    home: TempDir,
    imd: [Port; 2],
    first: u16,
    seats: Vec<(&'static str, Seat)>,
    /// How many lines each shell has taken.
    taken: HashMap<String, u32>,
    printed: String,
}

impl Stage {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a directory");
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let programs = program("imd").parent().expect("a folder").to_owned();
        let bin = home.path().join("bin");
        for folder in [&bin, &home.path().join("target")] {
            fs::create_dir(folder).expect("a folder");
        }
        symlink(root.join("deploy"), home.path().join("deploy")).expect("a link");
        symlink(programs, home.path().join("target/release")).expect("a link");
        fs::write(bin.join("cargo"), CARGO).expect("a script");
        let may_run = fs::Permissions::from_mode(0o755);
        fs::set_permissions(bin.join("cargo"), may_run).expect("a mode");
        let mut stage = Self {
            home,
            imd: [Port::take(), Port::take()],
            first: free_ports(),
            seats: Vec::new(),
            taken: HashMap::new(),
            printed: String::new(),
        };
        for (who, columns) in [("server", 160), ("alice", 80), ("bob", 80)] {
            let mut shell = pty_process::Command::new("bash");
            for (name, value) in stage.environment() {
                shell = shell.env(name, value);
            }
            let shell = shell
                .args(["--norc", "--noprofile", "-i"])
                .env_remove("CARGO_TARGET_DIR")
                .current_dir(stage.home.path());
            stage.seats.push((who, Seat::takes(columns, 24, shell)));
        }
        stage
    }

    fn environment(&self) -> [(&'static str, String); 6] {
        let bin = self.home.path().join("bin");
        let path = std::env::var("PATH").expect("a path");
        let [clients, admin] = [&self.imd[0], &self.imd[1]].map(|p| p.address().to_string());
        [
            ("PATH", format!("{}:{path}", bin.display())),
            (
                "PROGRAMS",
                self.home
                    .path()
                    .join("target/release")
                    .display()
                    .to_string(),
            ),
            ("CLIENTS", clients),
            ("ADMIN", admin),
            ("HISTFILE", "/dev/null".to_owned()),
            // The number of the line that is waited for.
            ("PS1", "[\\#]$ ".to_owned()),
        ]
    }

    /// The text with ports that are free in place of those of the page.
    fn here(&self, text: &str) -> String {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
            out.push_str(&rest[..at]);
            rest = &rest[at..];
            let end = rest
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(rest.len());
            let number = &rest[..end];
            rest = &rest[end..];
            match number.parse() {
                Ok(CLIENTS) => out += &self.imd[0].address().port().to_string(),
                Ok(ADMIN) => out += &self.imd[1].address().port().to_string(),
                Ok(port) if (FIRST..FIRST + PORTS).contains(&port) => {
                    out += &(self.first + port - FIRST).to_string();
                }
                Ok(port) if port > 1_000 => panic!("whose port is {port}? {text}"),
                _ => out += number,
            }
        }
        out + rest
    }

    fn seat(&mut self, who: &str) -> &mut Seat {
        let seat = self.seats.iter_mut().find(|(name, _)| *name == who);
        &mut seat.unwrap_or_else(|| panic!("who is {who}?")).1
    }

    /// Has a shell take a line: it is done, or runs before the shell by now.
    async fn begins(&mut self, who: &str, line: String) {
        let taken = self.taken.entry(who.to_owned()).or_default();
        *taken += 1;
        let [before, after] = [*taken, *taken + 1].map(|number| format!("[{number}]$"));
        let seat = self.seat(who);
        seat.sees(&[&before]).await;
        seat.types(&(line + ENTER)).await;
        until(&format!("the shell of {who}"), async || {
            let is_done = seat.screen().contains(&after);
            (is_done || !seat.is_at_rest()).then_some(())
        })
        .await;
    }

    async fn takes(&mut self, kind: Kind, lines: Vec<String>) {
        let lines: Vec<String> = lines.iter().map(|line| self.here(line)).collect();
        match kind {
            Kind::Begin(who) => {
                for line in lines {
                    self.begins(&who, line).await;
                }
            }
            Kind::Type(who) => {
                for line in lines {
                    self.seat(&who).types(&(line + ENTER)).await;
                }
            }
            Kind::See(who) => {
                let seat = self.seat(&who);
                for line in lines {
                    let count =
                        |screen: &str| screen.lines().filter(|row| is_as(row, &line)).count();
                    seat.sees_that(&format!("`{line}` for {who}"), |screen| count(screen) > 0)
                        .await;
                    let screen = seat.screen();
                    assert_eq!(count(&screen), 1, "`{line}` stands there more than once");
                }
            }
            Kind::Run => {
                let shell = Command::new("bash")
                    .args(["-euo", "pipefail", "-c", &lines.join("\n")])
                    .current_dir(self.home.path())
                    .envs(self.environment())
                    .env_remove("CARGO_TARGET_DIR")
                    .stdin(Stdio::null())
                    .output()
                    .expect("a shell");
                self.printed = String::from_utf8(shell.stdout).expect("text");
                let (said, told) = (&self.printed, String::from_utf8_lossy(&shell.stderr));
                assert!(shell.status.success(), "{lines:?}\n{said}\n{told}");
            }
            Kind::Printed => {
                let mut rows = self.printed.lines();
                for line in lines {
                    let found = rows.any(|row| is_as(row, &line));
                    assert!(found, "`{line}` is not printed:\n{}", self.printed);
                }
            }
        }
    }

    /// The processes that run in the terminals, besides their shells.
    fn processes(&self) -> Vec<Pid> {
        let shells: Vec<Pid> = self.seats.iter().map(|(_, seat)| seat.process()).collect();
        let entries = fs::read_dir("/proc").expect("processes").flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
        pids.filter_map(Pid::from_raw)
            .filter(|pid| !shells.contains(pid))
            .filter(|pid| session(*pid).is_some_and(|session| shells.contains(&session)))
            .collect()
    }
}

/// The leader of a process's session; none if it has ended.
fn session(pid: Pid) -> Option<Pid> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // After the name, which stands in brackets: state, parent, group, session.
    let (_, after) = stat.rsplit_once(')')?;
    Pid::from_raw(after.split_whitespace().nth(3)?.parse().ok()?)
}

impl Drop for Stage {
    fn drop(&mut self) {
        for pid in self.processes() {
            // It may have ended meanwhile, which is what is wanted.
            let _ = kill_process(pid, Signal::KILL);
        }
        if self.home.path().join("data/cluster").is_dir() {
            let script = self.home.path().join("deploy/cluster");
            let down = Command::new(script).arg("down").output();
            assert!(down.expect("a script").status.success());
        }
    }
}

#[tokio::test]
async fn the_tour_of_the_readme_goes_as_it_is_written() {
    let blocks = blocks();
    let mut stage = Stage::new();
    for (kind, lines) in blocks {
        println!("{kind:?} {lines:?}");
        stage.takes(kind, lines).await;
    }
    // The tour ends what it has begun.
    until("the end of all programs of the tour", async || {
        stage.processes().is_empty().then_some(())
    })
    .await;
    for number in [CLIENTS, ADMIN, FIRST] {
        let address = stage.here(&format!("127.0.0.1:{number}"));
        let connected = std::net::TcpStream::connect(&address);
        assert!(connected.is_err(), "somebody still listens on {address}");
    }
}
