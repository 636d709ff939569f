//! `imctl store`: copies of a store in a directory.
//!
//! Owns how long they are waited for. Must not know how they are made.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ::store::Settings;
use anyhow::{Context, bail};
use clap::Subcommand;
use serde::Serialize;
use service::admin::{Answer, Question, wire};

use crate::copy;
use crate::daemons::Daemons;
use crate::output::Output;

/// Between two looks at a copy that is being made.
const LOOK: Duration = Duration::from_millis(200);

/// What may be done with stores.
#[derive(Debug, Subcommand)]
pub enum Order {
    /// Copies the store of a daemon that runs, as it is at one moment.
    Backup {
        /// A directory that is not there yet, on the daemon's machine.
        to: PathBuf,
    },
    /// Makes a data directory of a copy, for a daemon that does not run.
    Restore {
        /// The copy.
        from: PathBuf,
        /// The data directory, which is not there yet.
        to: PathBuf,
    },
    /// Fills a Redis with what daemons that do not run keep in directories.
    Copy(copy::Order),
}

/// A copy that is whole.
#[derive(Debug, Serialize)]
struct Copied {
    to: PathBuf,
    entries: u64,
    bytes: u64,
}

/// Makes a data directory of a copy.
///
/// # Errors
/// Something is there already, there is no room, or the copy is damaged.
pub fn restore(from: &Path, to: PathBuf, output: Output) -> anyhow::Result<()> {
    let (entries, bytes) = ::store::copy(from, &to, &Settings::least())?;
    Copied { to, entries, bytes }.show(output)
}

/// Copies the store of a daemon that runs.
///
/// # Errors
/// No daemon has a store that is copied, something is there already, there is
/// no room, or what is read is damaged.
pub async fn backup(daemons: &Daemons, to: PathBuf, output: Output) -> anyhow::Result<()> {
    let copied = copied(daemons, std::path::absolute(to)?).await?;
    copied.show(output)
}

impl Copied {
    fn show(&self, output: Output) -> anyhow::Result<()> {
        output.show(self, |copied| {
            let Copied { to, entries, bytes } = copied;
            format!("{} has {entries} entries, {bytes} bytes\n", to.display())
        })
    }
}

async fn copied(daemons: &Daemons, to: PathBuf) -> anyhow::Result<Copied> {
    let daemon = find(daemons).await?;
    let path = to.to_str().context("the path is no text")?.to_owned();
    loop {
        let status = ask(&daemon, &path).await?;
        if !status.failed.is_empty() {
            bail!("{}", status.failed);
        }
        if status.ended {
            let (entries, bytes) = (status.entries, status.bytes);
            return Ok(Copied { to, entries, bytes });
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// The one daemon that has a store.
async fn find(daemons: &Daemons) -> anyhow::Result<Daemons> {
    let is_store = |answer: &wire::Answer| matches!(answer.answer, Some(Answer::Store(_)));
    let mut found = Vec::new();
    for said in daemons.ask(&Question::Status).await {
        let answers = said.answers?;
        if answers.answers.iter().any(is_store) {
            found.push(said.admin);
        }
    }
    match &found[..] {
        [] => bail!("none of these daemons has a store"),
        [admin] => Ok(daemons.only(admin.clone())),
        several => bail!("name one by --admin: {}", several.join(" ")),
    }
}

async fn ask(daemon: &Daemons, path: &str) -> anyhow::Result<wire::BackupStatus> {
    for said in daemon.ask(&Question::Backup(path.to_owned())).await {
        for answer in said.answers?.answers {
            if let Some(Answer::Backup(status)) = answer.answer {
                return Ok(status);
            }
        }
    }
    bail!("its store is in no directory")
}
