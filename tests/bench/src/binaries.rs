//! Where the daemons to be measured come from.
//!
//! Owns their building, in the profile of this program. Must not know how they
//! are started.

use std::env;
use std::io;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

/// Which daemons are needed.
#[derive(Debug, Clone, Copy)]
pub enum Daemons {
    /// imd.
    OneProcess,
    /// connd, msgd and friendd, and an operator's imctl.
    Processes,
}

impl Daemons {
    fn packages(self) -> &'static [&'static str] {
        match self {
            Self::OneProcess => &["deploy"],
            Self::Processes => &["connd", "msgd", "friendd", "deploy"],
        }
    }
}

/// Builds daemons into the directory that this program is in, and returns it.
pub fn build(daemons: Daemons) -> Result<PathBuf> {
    let directory = own_directory()?;
    let profile = profile()?;
    let target = directory.parent().context("no target directory")?;
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args(["build", "--locked", "--bins"])
        .arg("--manifest-path")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml"))
        .arg("--target-dir")
        .arg(target)
        // The directory of the profile `dev` is called `debug`.
        .args([
            "--profile",
            if profile == "debug" { "dev" } else { &profile },
        ])
        .args(daemons.packages().iter().flat_map(|name| ["-p", name]))
        .stdin(Stdio::null())
        .stdout(stderr()?);
    let status = command.status().context("cargo")?;
    ensure!(status.success(), "the daemons were not built: {status}");
    Ok(directory)
}

/// The profile that this program was built in: `release`, or `debug`.
pub fn profile() -> Result<String> {
    let directory = own_directory()?;
    let name = directory.file_name().and_then(|name| name.to_str());
    Ok(name.context("no directory of a profile")?.to_owned())
}

/// This program's stderr, for children: stdout is for figures.
pub fn stderr() -> Result<Stdio> {
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

fn own_directory() -> Result<PathBuf> {
    let program = env::current_exe()?;
    Ok(program.parent().context("no directory")?.to_owned())
}
