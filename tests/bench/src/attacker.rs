//! The process of one attacker, as seen by who measures.
//!
//! Owns its start and its end. Must not know what it does.

use std::io::Read;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};

use crate::attack::Attack;
use crate::binaries;

/// An attacker at work; it ends when this is dropped.
pub struct Attacker {
    attack: Attack,
    child: Child,
}

impl Attacker {
    /// Starts it.
    pub fn start(attack: Attack, gateways: &[SocketAddr]) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["attack", attack.name()]);
        for gateway in gateways {
            command.arg("--gateway").arg(gateway.to_string());
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command.stderr(binaries::stderr()?);
        let child = command.spawn().context("starting an attacker")?;
        Ok(Self { attack, child })
    }

    /// An error if it has ended.
    pub fn check(&mut self) -> Result<()> {
        if let Some(status) = self.child.try_wait()? {
            bail!("the attacker {} has ended: {status}", self.attack.name());
        }
        Ok(())
    }

    /// Ends it, and returns how much it did.
    pub fn stop(mut self) -> Result<u64> {
        self.check()?;
        kill_process(Pid::from_child(&self.child), Signal::TERM)?;
        let mut said = String::new();
        let stdout = self.child.stdout.as_mut();
        stdout.context("no pipe")?.read_to_string(&mut said)?;
        let status = self.child.wait()?;
        let name = self.attack.name();
        ensure!(status.success(), "the attacker {name} failed: {status}");
        let done = said.trim().parse();
        done.with_context(|| format!("the attacker {name} said {said:?}"))
    }
}

impl Drop for Attacker {
    fn drop(&mut self) {
        // Errors mean that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
