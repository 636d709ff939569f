//! Which benchmark is run by which module.
//!
//! Owns that only.

use std::num::NonZeroUsize;

use anyhow::{Result, bail};

use crate::arguments::Bench;
use crate::report::Report;
use crate::{binaries, crash, failover, fanout, login, offline, presence, run, soak};

/// How often it is to be measured.
pub fn runs(bench: &Bench) -> NonZeroUsize {
    match bench {
        Bench::Chat(chat) => chat.load.runs,
        Bench::Idle(idle) => idle.runs,
        Bench::Relay(relay) => relay.load.runs,
        Bench::Login(login) => login.runs,
        Bench::Presence(presence) => presence.runs,
        Bench::Offline(offline) => offline.runs,
        Bench::Crash(crash) => crash.runs,
        Bench::Failover(failover) => failover.runs,
        Bench::Fanout(fanout) => fanout.room.runs,
        Bench::RelayFanout(fanout) => fanout.room.runs,
        Bench::Soak(_) => NonZeroUsize::MIN,
        Bench::All(_) | Bench::Unfair(_) | Bench::Attack { .. } | Bench::RelayServer { .. } => {
            NonZeroUsize::MIN
        }
    }
}

/// Measures once; the figures go to stderr, too.
pub fn measure(bench: &Bench) -> Result<Report> {
    let report = match bench {
        Bench::Chat(chat) => run::chat(chat)?,
        Bench::Idle(idle) => run::idle(idle)?,
        Bench::Relay(relay) => run::relay(relay)?,
        Bench::Login(login) => login::run(login)?,
        Bench::Presence(presence) => presence::run(presence)?,
        Bench::Offline(offline) => offline::run(offline)?,
        Bench::Crash(crash) => crash::run(crash)?,
        Bench::Failover(failover) => failover::run(failover)?,
        Bench::Fanout(fanout) => fanout::cluster(fanout)?,
        Bench::RelayFanout(fanout) => fanout::relay(fanout)?,
        Bench::Soak(soak) => soak::run(soak)?,
        Bench::All(_) | Bench::Unfair(_) | Bench::Attack { .. } | Bench::RelayServer { .. } => {
            bail!("this is no single measurement")
        }
    };
    let report = Report {
        profile: binaries::profile()?,
        ..report
    };
    eprintln!("{}", serde_json::to_string(&report)?);
    Ok(report)
}
