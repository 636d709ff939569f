//! A daemon of the cluster in a process of its own, which a test stops, kills
//! and starts again.
//!
//! Owns its ports, flags and process. Must not know which daemon it is.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal};

use crate::binaries::program;
use crate::patience::until;
use crate::port::Port;
use crate::process::Process;
use crate::{admin, patience};

/// A daemon.
#[derive(Debug)]
pub struct Daemon {
    name: String,
    /// What starts the program: nothing, or a command that takes it and its
    /// flags as its last words.
    starter: Vec<String>,
    program: PathBuf,
    flags: Vec<String>,
    listen: Port,
    admin: Port,
    log: PathBuf,
    process: Option<Process>,
}

impl Daemon {
    /// Starts a program with these flags and free ports; its log goes into
    /// `home`. `{admin}` in a flag is its admin address. It need not be ready
    /// yet.
    pub fn start(name: &str, home: &Path, flags: Vec<String>) -> Self {
        Self::start_at(Port::take(), name, home, flags)
    }

    /// Likewise, where others already know the port.
    pub fn start_at(listen: Port, name: &str, home: &Path, flags: Vec<String>) -> Self {
        Self::start_inside(Vec::new(), listen, name, home, flags)
    }

    /// Likewise, started by a command that takes the program and its flags as
    /// its last words, and becomes it in the end.
    pub fn start_inside(
        starter: Vec<String>,
        listen: Port,
        name: &str,
        home: &Path,
        flags: Vec<String>,
    ) -> Self {
        let program_name = name.split('-').next().unwrap_or(name);
        let mut daemon = Self {
            name: name.to_owned(),
            starter,
            program: program(program_name),
            flags,
            listen,
            admin: Port::take(),
            log: home.join(format!("{name}.log")),
            process: None,
        };
        daemon.spawn();
        daemon
    }

    fn spawn(&mut self) {
        let mut words = self.starter.iter().map(OsStr::new).collect::<Vec<_>>();
        words.push(self.program.as_os_str());
        let mut command = Command::new(words[0]);
        let admin = self.admin().to_string();
        command
            .args(&words[1..])
            .args(["--listen", &self.address()])
            .args(["--admin", &admin])
            .args(
                self.flags
                    .iter()
                    .map(|flag| flag.replace("{admin}", &admin)),
            )
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        self.process = Some(Process::start(&self.name, &mut command, &self.log));
    }

    /// Waits until it says that it serves.
    ///
    /// # Panics
    /// It ends instead.
    pub async fn ready(&mut self) {
        let what = format!("{} to be ready", self.name);
        let admin = self.admin();
        let process = running(&mut self.process);
        until(&what, async || {
            let ended = process.ended();
            assert_eq!(ended, None, "it ended before it was ready");
            admin::is_ready(admin).await.then_some(())
        })
        .await;
    }

    /// As it was called at the start.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it listens, as `HOST:PORT`.
    pub fn address(&self) -> String {
        self.listen.address().to_string()
    }

    /// Its admin port.
    pub fn admin(&self) -> SocketAddr {
        self.admin.address()
    }

    /// What it has logged so far, in all its lives.
    pub fn log(&mut self) -> String {
        running(&mut self.process).log()
    }

    /// Asks it to read its settings again, and waits until it says what came
    /// of that. Its threads take them in a moment.
    pub async fn reload(&mut self) {
        let said = |log: &str| {
            let lines = log.lines();
            let ends = ["are read again", "nothing is reloaded"];
            let said = lines.filter(|line| ends.iter().any(|end| line.contains(end)));
            said.count()
        };
        let before = said(&self.log());
        running(&mut self.process).signal(Signal::HUP);
        let what = format!("{} to have read its settings", self.name);
        until(&what, async || (said(&self.log()) > before).then_some(())).await;
    }

    /// Its process.
    pub fn pid(&mut self) -> Pid {
        Pid::from_child(running(&mut self.process).child())
    }

    /// The most memory that it has had at once, in bytes.
    ///
    /// # Panics
    /// It has ended.
    pub fn memory_peak(&mut self) -> u64 {
        let path = format!("/proc/{}/status", self.pid());
        let status = std::fs::read_to_string(path).expect("it runs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok()).expect("a size") * 1024
    }

    /// Asks it to stop, and does not wait.
    pub fn asks_to_stop(&mut self) {
        running(&mut self.process).signal(Signal::TERM);
    }

    /// Waits until it has ended by itself.
    ///
    /// # Panics
    /// It ends with an error.
    pub async fn ends(&mut self) {
        let status = running(&mut self.process).end().await;
        assert!(status.success(), "{}: {status}", self.name);
    }

    /// Waits until it has ended by itself, with an error, and gives its code.
    ///
    /// # Panics
    /// It ends well.
    pub async fn ends_with_error(&mut self) -> Option<i32> {
        let status = running(&mut self.process).end().await;
        assert!(!status.success(), "{}: {status}", self.name);
        status.code()
    }

    /// Asks it to stop and waits until it has; gives how long that took.
    ///
    /// # Panics
    /// It ends with an error.
    pub async fn stop(&mut self) -> Duration {
        let began = Instant::now();
        self.asks_to_stop();
        self.ends().await;
        began.elapsed()
    }

    /// kill -9.
    ///
    /// # Panics
    /// It has ended before.
    pub fn kill(&mut self) {
        let process = running(&mut self.process);
        assert_eq!(process.ended(), None, "{} ended by itself", self.name);
        process.kill();
    }

    /// Starts it again where it was, and waits until it serves.
    pub async fn start_again(&mut self) {
        self.starts_again();
        self.ready().await;
    }

    /// Starts it again where it was; it need not come to serve.
    pub fn starts_again(&mut self) {
        self.process = None;
        self.spawn();
    }

    /// How often it has logged these words, in all its lives.
    pub fn said(&mut self, words: &str) -> usize {
        self.log().matches(words).count()
    }

    /// Waits until it has logged these words.
    pub async fn says(&mut self, words: &str) {
        self.says_again(words, 0).await;
    }

    /// Waits until it has logged these words more often than so.
    pub async fn says_again(&mut self, words: &str, before: usize) {
        let what = format!("{} to say `{words}`", self.name);
        until(&what, async || (self.said(words) > before).then_some(())).await;
    }

    /// It does nothing from now on, and keeps its connections.
    pub async fn freeze(&mut self) {
        let process = running(&mut self.process);
        process.signal(Signal::STOP);
        let stat = format!("/proc/{}/stat", process.child().id());
        let what = format!("{} to be stopped", self.name);
        patience::until(&what, async || {
            // The state stands after the name, which stands in brackets.
            let stat = std::fs::read_to_string(&stat).ok()?;
            stat.rsplit_once(')')?.1.trim_start().strip_prefix('T')?;
            Some(())
        })
        .await;
    }

    /// It goes on after [`Daemon::freeze`].
    pub fn thaw(&mut self) {
        running(&mut self.process).signal(Signal::CONT);
    }
}

fn running(process: &mut Option<Process>) -> &mut Process {
    process.as_mut().expect("a process was started")
}
