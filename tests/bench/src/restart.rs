//! A part of the cluster goes and comes back under load, and what is left to
//! do after the load.
//!
//! Owns what is waited for. Must not know why, or how often.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::deadline::Deadline;
use crate::interrupt;
use crate::offline::{linger, log_in};
use crate::post::Post;
use crate::target::Target;

/// After the load every message is answered in this time: a server gives up on
/// one after 30 s, and it is written again.
const ANSWER_PATIENCE: Duration = Duration::from_secs(120);
/// What is safe is delivered in this time.
const DRAIN_PATIENCE: Duration = Duration::from_secs(120);
/// Who is told to stop does so in this time.
const STOP_PATIENCE: Duration = Duration::from_secs(60);
/// What was on its way when a part went has come after so many turns, at the
/// latest.
const LAST_TURNS: usize = 1_000;

/// How a part goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// As in a crash: SIGKILL.
    Killed,
    /// As by an operator: SIGTERM, and its work goes on until it has ended.
    Told,
}

/// What was seen of a restart.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Messages without an answer when it was gone.
    pub open: u64,
    /// From its end to the first answer after that.
    pub back: Duration,
}

/// Ends the first process of a part, starts it again on its data, and waits
/// for the first answer. Clients go on by `turn`.
pub fn restart(
    (part, exit): (&str, Exit),
    post: &mut Post,
    target: &mut Target,
    mut turn: impl FnMut(&mut Post) -> Result<usize>,
) -> Result<Seen> {
    post.repeats.restart_begins(Instant::now());
    if exit == Exit::Told {
        target.terminate(part)?;
        let began = Instant::now();
        while !target.has_ended(part)? {
            interrupt::check()?;
            ensure!(began.elapsed() < STOP_PATIENCE, "{part} does not stop");
            turn(post)?;
        }
    } else {
        target.kill(part)?;
    }
    let gone_at = Instant::now();
    let mut turns = 0;
    while post.turn()? > 0 && turns < LAST_TURNS {
        turns += 1;
    }
    let open = post.tally().unanswered;
    post.take_answered_at();
    target.start_again(part)?;
    let mut deadline = Deadline::new("coming back", ANSWER_PATIENCE);
    let answered_at = loop {
        if let Some(at) = post.take_answered_at() {
            break at;
        }
        deadline.check(target)?;
        turn(post)?;
    };
    post.repeats.restart_ends(answered_at);
    let back = answered_at.duration_since(gone_at);
    Ok(Seen { open, back })
}

/// Nothing new is written: waits until all is answered, and until those who
/// are away have come and have what is theirs. An error if something that was
/// safe does not come.
pub fn settle(post: &mut Post, away: Range<usize>, target: &mut Target) -> Result<()> {
    post.write_no_more();
    let mut deadline = Deadline::new("answering what was open", ANSWER_PATIENCE);
    while !post.is_answered() {
        deadline
            .check(target)
            .with_context(|| format!("{:?}", post.tally()))?;
        post.turn()?;
    }
    log_in(post, away, target)?;
    let began = Instant::now();
    while !post.is_settled() && began.elapsed() < DRAIN_PATIENCE {
        target.check()?;
        post.turn()?;
    }
    linger(post)?;
    let tally = post.tally();
    ensure!(
        tally.lost == 0 && tally.refused == 0,
        "messages that were safe are lost, or some were refused: {tally:?}"
    );
    Ok(())
}

/// Sees to the clients until this moment.
pub fn until(moment: Instant, post: &mut Post, target: &mut Target) -> Result<()> {
    let left = moment.saturating_duration_since(Instant::now());
    // The wait itself ends in time; what else may end it is looked after.
    let mut deadline = Deadline::new("the load", left + ANSWER_PATIENCE);
    while Instant::now() < moment {
        deadline.check(target)?;
        post.turn()?;
    }
    Ok(())
}
