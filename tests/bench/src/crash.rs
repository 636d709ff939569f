//! `crash`: a part is killed in mid-load and comes back; what was told to be
//! safe must be.
//!
//! Owns the order of the run. Must not know how messages are driven.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::arguments::Crash;
use crate::correspondent::Route;
use crate::deadline::Deadline;
use crate::launch::Launch;
use crate::offline::{linger, log_in, seat};
use crate::post::{Post, Rules};
use crate::report::Report;
use crate::run::allow_files;
use crate::target::Target;

/// After the load every message is answered in this time: a server gives up on
/// one after 30 s, and it is written again.
const ANSWER_PATIENCE: Duration = Duration::from_secs(120);
/// What is safe is delivered in this time.
const DRAIN_PATIENCE: Duration = Duration::from_secs(120);
/// What was on its way when a part was killed has come after so many turns, at
/// the latest.
const LAST_TURNS: usize = 1_000;

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
    let chatters = 2 * crash.pairs.get();
    let writers = chatters + crash.senders.get();
    let all = writers + crash.users.get();
    allow_files(all)?;
    let mut target = Target::cluster(&crash.cluster, &Launch::open())?;
    let client = |at| {
        let route = match at {
            _ if at < chatters => Route::Peer(at ^ 1),
            _ if at < writers => Route::Away,
            _ => Route::Nobody,
        };
        Ok((seat(at, &target)?, route))
    };
    let clients = (0..all).map(client).collect::<Result<_>>()?;
    let rules = Rules {
        window: crash.window.get(),
        size: crash.size,
        away: writers..all,
        come_back: true,
    };
    let mut post = Post::new(rules, clients)?;
    log_in(&mut post, 0..writers, &mut target)?;
    let kills = load(crash, &mut post, &mut target)?;

    let mut deadline = Deadline::new("answering what was open", ANSWER_PATIENCE);
    while !post.is_answered() {
        deadline
            .check(&mut target)
            .with_context(|| format!("{:?}", post.tally()))?;
        post.turn()?;
    }
    log_in(&mut post, writers..all, &mut target)?;
    let began = Instant::now();
    while !post.is_settled() && began.elapsed() < DRAIN_PATIENCE {
        target.check()?;
        post.turn()?;
    }
    linger(&mut post)?;
    let tally = post.tally();
    ensure!(
        tally.lost == 0 && tally.refused == 0,
        "messages that were safe are lost, or some were refused: {tally:?}"
    );
    ensure!(
        kills.open > 0,
        "nothing was open at a kill: it proves nothing"
    );
    Ok(Report {
        sessions: all,
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
        let killed_at = Instant::now();
        target.kill(part)?;
        let mut turns = 0;
        while post.turn()? > 0 && turns < LAST_TURNS {
            turns += 1;
        }
        kills.open += post.tally().unanswered;
        post.take_answered_at();
        target.start_again(part)?;
        let mut deadline = Deadline::new("coming back", ANSWER_PATIENCE);
        let answered_at = loop {
            if let Some(at) = post.take_answered_at() {
                break at;
            }
            deadline.check(target)?;
            post.turn()?;
        };
        kills.back = kills.back.max(answered_at.duration_since(killed_at));
    }
    until(start + window, post, target)?;
    post.write_no_more();
    Ok(kills)
}

fn until(moment: Instant, post: &mut Post, target: &mut Target) -> Result<()> {
    let left = moment.saturating_duration_since(Instant::now());
    // The wait itself ends in time; what else may end it is looked after.
    let mut deadline = Deadline::new("the load", left + ANSWER_PATIENCE);
    while Instant::now() < moment {
        deadline.check(target)?;
        post.turn()?;
    }
    Ok(())
}
