//! `crash`: a part is killed in mid-load and comes back; what was told to be
//! safe must be.
//!
//! Owns the order of the run. Must not know how messages are driven.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::arguments::Crash;
use crate::launch::Launch;
use crate::offline::log_in;
use crate::post::Post;
use crate::report::Report;
use crate::restart::{self, Exit, until};
use crate::run::allow_files;
use crate::seats::Seats;
use crate::target::Target;

/// What was seen of kills.
#[derive(Default)]
struct Kills {
    /// Messages that were open, at all kills together.
    open: u64,
    /// The longest time from a kill to the first answer after it.
    back: Duration,
}

/// `crash`
pub fn run(crash: &Crash) -> Result<Report> {
    let seats = Seats {
        pairs: crash.pairs.get(),
        senders: crash.senders.get(),
        users: crash.users.get(),
    };
    allow_files(seats.all())?;
    let mut target = Target::cluster(&crash.cluster, &Launch::open())?;
    let mut post = seats.post(crash.window.get(), crash.size, &target)?;
    log_in(&mut post, 0..seats.writers(), &mut target)?;
    let kills = load(crash, &mut post, &mut target)?;

    restart::settle(&mut post, seats.away(), &mut target)?;
    ensure!(
        kills.open > 0,
        "nothing was open at a kill: it proves nothing"
    );
    Ok(Report {
        sessions: seats.all(),
        pairs: Some(crash.pairs.get()),
        recipients: Some(crash.users.get()),
        senders: Some(crash.senders.get()),
        window: Some(crash.window.get()),
        secs: Some(crash.secs.get()),
        kills: Some(crash.kills.get()),
        open_at_kill: Some(kills.open),
        back_ms: Some(kills.back.as_millis() as u64),
        ..Report::of_cluster("crash", &crash.cluster).with_post(&post, crash.size)
    })
}

/// The load, with its kills evenly spread over it.
fn load(crash: &Crash, post: &mut Post, target: &mut Target) -> Result<Kills> {
    let window = Duration::from_secs(u64::from(crash.secs.get()));
    let part = if crash.cluster.processes {
        "msgd"
    } else {
        "imd"
    };
    let start = Instant::now();
    let mut kills = Kills::default();
    post.write(u64::MAX)?;
    for number in 1..=crash.kills.get() {
        until(
            start + window * number / (crash.kills.get() + 1),
            post,
            target,
        )?;
        let seen = restart::restart((part, Exit::Killed), post, target, Post::turn)?;
        kills.open += seen.open;
        kills.back = kills.back.max(seen.back);
    }
    until(start + window, post, target)?;
    post.write_no_more();
    Ok(kills)
}
