//! One process that is measured.
//!
//! Owns its start, its end, and whether it serves. Must not know what it is
//! for.

use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::{admin, binaries, interrupt};

const STOP_PATIENCE: Duration = Duration::from_secs(10);
const POLL: Duration = Duration::from_millis(10);

/// How a process shows that it serves.
pub enum Probe {
    /// By its admin port.
    Ready(SocketAddr),
    /// By taking a connection.
    Connect(SocketAddr),
}

impl Probe {
    fn succeeds(&self) -> bool {
        match self {
            Self::Ready(admin) => admin::is_ready(*admin),
            Self::Connect(address) => TcpStream::connect(address).is_ok(),
        }
    }
}

/// A process; it ends when this is dropped.
pub struct Process {
    /// What it is: the program's name.
    pub part: &'static str,
    command: Command,
    child: Child,
    probe: Probe,
}

impl Process {
    /// Starts it.
    pub fn start(part: &'static str, mut command: Command, probe: Probe) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(binaries::stderr()?);
        let child = spawn(part, &mut command)?;
        Ok(Self {
            part,
            command,
            child,
            probe,
        })
    }

    /// Its number.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Where it is asked for its figures; `None` of what has none.
    pub fn admin(&self) -> Option<SocketAddr> {
        match self.probe {
            Probe::Ready(admin) => Some(admin),
            Probe::Connect(_) => None,
        }
    }

    /// What it says of its settings.
    pub fn settings(&self) -> Result<String> {
        let mut command = Command::new(self.command.get_program());
        let output = command
            .args(self.command.get_args())
            .arg("--check")
            .output()?;
        ensure!(output.status.success(), "--check: {output:?}");
        Ok(String::from_utf8(output.stdout)?)
    }

    /// Ends it as a crash does: nothing is written, nobody is told.
    pub fn kill(&mut self) -> Result<()> {
        self.check()?;
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Tells it to stop; returns before it has.
    pub fn terminate(&mut self) -> Result<()> {
        self.check()?;
        Ok(kill_process(Pid::from_child(&self.child), Signal::TERM)?)
    }

    /// Starts it again as it was started; it must have ended.
    pub fn start_again(&mut self) -> Result<()> {
        self.child = spawn(self.part, &mut self.command)?;
        Ok(())
    }

    /// Waits until it serves, `deadline` at the latest.
    pub fn wait_ready(&mut self, deadline: Instant) -> Result<()> {
        while !self.probe.succeeds() {
            self.check()?;
            let part = self.part;
            ensure!(Instant::now() < deadline, "{part} is not ready in time");
            interrupt::check()?;
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// An error if it has ended.
    pub fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("{} has ended: {status}", self.part);
        }
        Ok(())
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

fn spawn(part: &str, command: &mut Command) -> Result<Child> {
    eprintln!("bench: starting {command:?}");
    command.spawn().with_context(|| format!("starting {part}"))
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.has_ended() {
            return;
        }
        let pid = Pid::from_child(&self.child);
        // An error means that it has just ended.
        let _ = kill_process(pid, Signal::TERM);
        let began = Instant::now();
        while !self.has_ended() {
            if began.elapsed() > STOP_PATIENCE {
                eprintln!("bench: {} does not stop, it is killed", self.part);
                let _ = self.child.kill();
                let _ = self.child.wait();
                return;
            }
            thread::sleep(POLL);
        }
    }
}
