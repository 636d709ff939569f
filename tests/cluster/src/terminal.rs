//! Somebody at a program in a pipe: `im`, or the echo example.
//!
//! Owns the process and its pipes. Must not know what a line means.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};

use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::patience::PATIENCE;
use crate::process::Process;

/// A program in a pipe; dropped, it is killed.
#[derive(Debug)]
pub struct Terminal {
    name: String,
    process: Process,
    keyboard: Option<ChildStdin>,
    screen: watch::Receiver<Vec<String>>,
    /// Goes when the process has ended.
    home: TempDir,
}

impl Terminal {
    /// Starts a program with these words on its command line, in a directory
    /// of its own.
    pub fn start(program: &Path, words: &[&str]) -> Self {
        let name = words.join(" ");
        let home = tempfile::tempdir().expect("a directory");
        let mut command = Command::new(program);
        command
            .args(words)
            .current_dir(home.path())
            .env_remove("IM_TOKEN")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let log = home.path().join("log");
        let mut process = Process::start(&name, &mut command, &log);
        let output = process.child().stdout.take().expect("a pipe");
        let keyboard = process.child().stdin.take();
        let (show, screen) = watch::channel(Vec::new());
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                show.send_modify(|lines: &mut Vec<String>| lines.push(line));
            }
        });
        Self {
            name,
            process,
            keyboard,
            screen,
            home,
        }
    }

    /// Its directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Types a line.
    ///
    /// # Panics
    /// The program is gone.
    pub fn types(&mut self, line: &str) {
        let keyboard = self.keyboard.as_mut().expect("the pipe is open");
        writeln!(keyboard, "{line}").expect("somebody reads");
    }

    /// Everything shown so far.
    pub fn screen(&self) -> Vec<String> {
        self.screen.borrow().clone()
    }

    /// Waits for the first line that has all of these words in this order.
    ///
    /// # Panics
    /// It does not come.
    pub async fn shows(&self, words: &[&str]) -> String {
        self.shows_after(0, words).await
    }

    /// Likewise, beyond the first `skipped` lines.
    ///
    /// # Panics
    /// It does not come.
    pub async fn shows_after(&self, skipped: usize, words: &[&str]) -> String {
        let mut screen = self.screen.clone();
        let mut found = None;
        let showing = screen.wait_for(|lines| {
            let mut lines = lines.iter().skip(skipped);
            found = lines.find(|line| in_order(line, words)).cloned();
            found.is_some()
        });
        if !matches!(timeout(PATIENCE, showing).await, Ok(Ok(_))) {
            panic!("{} shows no {words:?}: {:#?}", self.name, self.screen());
        }
        // The condition was that there is one.
        found.expect("a line was found")
    }

    /// Types the end of the input, and waits until the program has ended.
    pub async fn ends(&mut self) -> ExitStatus {
        self.keyboard = None;
        self.process.end().await
    }
}

/// Whether a line has these words, in this order.
pub fn in_order(line: &str, words: &[&str]) -> bool {
    let mut rest = line;
    words.iter().all(|word| match rest.split_once(word) {
        Some((_, after)) => {
            rest = after;
            true
        }
        None => false,
    })
}
