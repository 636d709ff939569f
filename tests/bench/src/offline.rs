//! `offline`: what it costs to store messages for those who are away, and to
//! bring them when they come back.
//!
//! Owns the order of the run. Must not know how messages are driven.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use proto::ids::DeviceId;

use crate::arguments::Offline;
use crate::correspondent::Route;
use crate::deadline::Deadline;
use crate::launch::Launch;
use crate::meter::{self, Meter, Spent};
use crate::post::{Post, Rules};
use crate::report::{self, Report};
use crate::ring;
use crate::run::allow_files;
use crate::session::Seat;
use crate::target::Target;

/// All is stored, or drained, in this time.
const PATIENCE: Duration = Duration::from_secs(300);
/// When all is there, late repeats are waited for.
const LINGER: Duration = Duration::from_secs(1);

/// `offline`
pub fn run(offline: &Offline) -> Result<Report> {
    let (senders, users) = (offline.senders.get(), offline.users.get());
    allow_files(senders + users)?;
    let mut target = Target::cluster(&offline.cluster, &Launch::open())?;
    let away = senders..senders + users;
    let rules = Rules {
        window: offline.window.get(),
        size: offline.size,
        away: away.clone(),
        come_back: false,
    };
    let client = |at| {
        let route = if at < senders {
            Route::Away
        } else {
            Route::Nobody
        };
        Ok((seat(at, &target)?, route))
    };
    let clients = (0..away.end).map(client).collect::<Result<_>>()?;
    let mut post = Post::new(rules, clients)?;
    log_in(&mut post, 0..senders, &mut target)?;

    let messages = (users * offline.per.get()) as u64;
    let stored = store(&mut post, messages, &mut target)?;
    let per = offline.per.get() as u64;
    let drained = drain(&mut post, away, per, offline.in_flight.get(), &mut target)?;
    linger(&mut post)?;
    let tally = post.tally();
    ensure!(
        tally.delivered == messages && tally.duplicates == 0 && post.out_of_order() == 0,
        "not every message came once and in its order: {tally:?}, {} out of order",
        post.out_of_order()
    );
    Ok(Report {
        sessions: senders + users,
        recipients: Some(users),
        senders: Some(senders),
        window: Some(offline.window.get()),
        store_cpu_us_per_msg: stored.us_per(messages),
        store_per_s: stored.per_s(messages),
        drain_cpu_us_per_msg: drained.us_per(messages),
        drain_cpu_us_by_part: Some(report::by_part(&drained, messages)),
        drain_per_s: drained.per_s(messages),
        friendd_requests: target.friendd_requests()?,
        ..Report::of_cluster("offline", &offline.cluster)
            .with_post(&post, offline.size)
            .with_parts(&stored, messages)
    })
}

fn store(post: &mut Post, messages: u64, target: &mut Target) -> Result<Spent> {
    meter::settle(target)?;
    let mut deadline = Deadline::new("storing", PATIENCE);
    let meter = Meter::start(target)?;
    post.write(messages)?;
    while !post.is_answered() {
        deadline.check(target)?;
        post.turn()?;
    }
    let spent = meter.stop(target)?;
    let tally = post.tally();
    ensure!(
        tally.stored == messages && tally.unknown == 0,
        "not every one of {messages} messages was stored: {tally:?}"
    );
    Ok(spent)
}

/// A few at a time, until each has all messages.
fn drain(
    post: &mut Post,
    away: Range<usize>,
    per: u64,
    in_flight: usize,
    target: &mut Target,
) -> Result<Spent> {
    meter::settle(target)?;
    let mut deadline = Deadline::new("draining", PATIENCE);
    let meter = Meter::start(target)?;
    let mut next = away.start;
    let mut open: Vec<usize> = Vec::new();
    while next < away.end || !open.is_empty() {
        deadline.check(target)?;
        while open.len() < in_flight && next < away.end {
            post.enter(next)?;
            open.push(next);
            next += 1;
        }
        post.turn()?;
        open.retain(|at| post.taken(*at) < per);
    }
    meter.stop(target)
}

/// A client's seat: users are spread over the gateways.
pub fn seat(at: usize, target: &Target) -> Result<Seat> {
    Ok(Seat {
        user: ring::name(at)?,
        device: DeviceId::new("bench")?,
        address: target.gateways[at % target.gateways.len()],
        trust: None,
    })
}

/// Logs clients in, and returns when all are.
pub fn log_in(post: &mut Post, clients: Range<usize>, target: &mut Target) -> Result<()> {
    let mut deadline = Deadline::new("logging in", PATIENCE);
    clients.clone().try_for_each(|at| post.enter(at))?;
    while !clients.clone().all(|at| post.is_there(at)) {
        deadline.check(target)?;
        post.turn()?;
    }
    Ok(())
}

/// Waits for what comes late.
pub fn linger(post: &mut Post) -> Result<()> {
    let until = Instant::now() + LINGER;
    while Instant::now() < until {
        post.turn()?;
    }
    Ok(())
}
