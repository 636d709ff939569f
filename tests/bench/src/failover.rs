//! `failover`: how long users are without service when a part of the cluster
//! goes, or is emptied.
//!
//! Owns the order of the run, and who is concerned. Must not know how messages
//! are driven.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use proto::ids::Epoch;
use proto::ring::{Member, Ring};
use proto::slot::Slot;

use crate::arguments::{Change, Failover};
use crate::deadline::Deadline;
use crate::launch::{Launch, shard_name};
use crate::meter;
use crate::offline::log_in;
use crate::post::{Post, Served};
use crate::report::Report;
use crate::restart;
use crate::returning::{self, Returning};
use crate::ring;
use crate::run::allow_files;
use crate::seats::Seats;
use crate::target::Target;

/// The change and what follows from it take no longer.
const PATIENCE: Duration = Duration::from_secs(120);

/// What `imctl` is told besides where the registry is.
const DRAIN: &[&str] = &["shard", "drain"];

/// `failover`
pub fn run(failover: &Failover) -> Result<Report> {
    let report = match failover.of {
        Change::Connd => gateway(failover)?,
        Change::Msgd | Change::Drain => shard(failover)?,
    };
    Ok(Report {
        failover: Some(failover.of.name()),
        ..report
    })
}

/// The first gateway is killed under all its sessions.
fn gateway(failover: &Failover) -> Result<Report> {
    let (cluster, sessions) = (&failover.cluster, failover.n.get());
    ensure!(
        cluster.connds.get() > 1,
        "who is at the connd that is killed must find another one: --processes --connds 2"
    );
    allow_files(sessions)?;
    let mut target = Target::cluster(cluster, &Launch::open())?;
    let mut all = Returning::new(sessions, &target.gateways)?;
    all.enter(&mut target)?;
    meter::settle(&target)?;
    let asked = |target: &Target| {
        let requests = target.friendd_requests()?;
        requests.context("nobody counts what friendd is asked")
    };
    let before = asked(&target)?;
    target.lose("connd")?;
    let returning::Seen {
        back,
        logins_per_s_max,
        put_off,
    } = all.come_back(Instant::now(), PATIENCE)?;
    // Counters are published now and then.
    meter::settle(&target)?;
    Ok(Report {
        sessions,
        back_ms: Some(back.as_millis() as u64),
        logins_per_s_max: Some(logins_per_s_max),
        put_off: Some(put_off),
        friendd_requests: Some(asked(&target)?.saturating_sub(before)),
        ..Report::of_cluster("failover", cluster)
    })
}

/// The first shard is killed, or drained, while everybody writes.
fn shard(failover: &Failover) -> Result<Report> {
    let cluster = &failover.cluster;
    let shards = cluster.msgds.get();
    ensure!(
        shards > 1 && cluster.redis.is_some(),
        "others must be able to have the shard's users: --processes --msgds 3 --redis always"
    );
    let seats = Seats {
        pairs: failover.pairs.get(),
        senders: 0,
        users: 0,
    };
    allow_files(seats.all())?;
    let mut target = Target::cluster(cluster, &Launch::open())?;
    let mut post = seats.post(failover.window.get(), failover.size, &target)?;
    log_in(&mut post, 0..seats.all(), &mut target)?;
    let moved = of_the_first(shards, seats.all())?;

    post.watch();
    let stretch = Duration::from_secs(u64::from(failover.secs.get()));
    let mut load = Load {
        began: Instant::now(),
        rate: f64::from(failover.rate.get()),
        written: 0,
    };
    load.until(Instant::now() + stretch, &mut post, &mut target)?;
    let changed = post.clock();
    match failover.of {
        Change::Drain => drain(&target)?,
        _ => target.lose("msgd")?,
    }
    load.until(Instant::now() + stretch, &mut post, &mut target)?;
    restart::settle(&mut post, seats.away(), &mut target)?;

    let waits = Waits::of(&moved, changed, post.served())?;
    // Neither they nor whom they write to.
    let others = (0..moved.len()).map(|at| !moved[at] && !moved[at ^ 1]);
    let others: Vec<bool> = others.collect();
    let others = Waits::of(&others, changed, post.served())?;
    Ok(Report {
        sessions: seats.all(),
        pairs: Some(seats.pairs),
        window: Some(failover.window.get()),
        secs: Some(failover.secs.get()),
        rate: Some(failover.rate.get()),
        moved: Some(moved.iter().filter(|moved| **moved).count()),
        served_after_ms: Some(waits.served_after.as_millis() as u64),
        pause_p50_ms: Some(waits.quantile_ms(0.5)),
        pause_p99_ms: Some(waits.quantile_ms(0.99)),
        others_pause_p99_ms: Some(others.quantile_ms(0.99)),
        ..Report::of_cluster("failover", cluster).with_post(&post, failover.size)
    })
}

/// Which users live on the first of so many shards.
fn of_the_first(shards: usize, users: usize) -> Result<Vec<bool>> {
    let member = |number| {
        Ok(Member {
            shard: shard_name(number).parse()?,
            weight: 1,
        })
    };
    let members = (1..=shards).map(member).collect::<Result<_>>()?;
    let shards = Ring::build(Epoch(1), members)?;
    let first = shard_name(1);
    let is_there = |user| {
        let owner = shards.owner(Slot::of(&ring::name(user)?));
        Ok(owner.as_str() == first)
    };
    (0..users).map(is_there).collect()
}

/// An operator moves the slots of the first shard away.
fn drain(target: &Target) -> Result<()> {
    let registry = target.registry().context("there is no registry")?;
    let mut command = Command::new(target.program("imctl"));
    command.args(["--registry", registry]).args(DRAIN);
    let output = command.arg(shard_name(1)).output()?;
    ensure!(output.status.success(), "imctl: {output:?}");
    Ok(())
}

/// Messages at a steady rate.
struct Load {
    began: Instant,
    rate: f64,
    written: u64,
}

impl Load {
    fn until(&mut self, moment: Instant, post: &mut Post, target: &mut Target) -> Result<()> {
        let left = moment.saturating_duration_since(Instant::now());
        let mut deadline = Deadline::new("the load", left + PATIENCE);
        while Instant::now() < moment {
            deadline.check(target)?;
            let due = (self.began.elapsed().as_secs_f64() * self.rate) as u64;
            post.write_more(due - self.written)?;
            self.written = due;
            post.turn()?;
        }
        Ok(())
    }
}

/// How long users waited.
struct Waits {
    /// From the change until the last of them had an answer to a message of
    /// theirs, and somebody one to a message to them, written after the change.
    served_after: Duration,
    /// Of each, in order: the longest time from writing a message of or to them
    /// until it was answered, of those that were not yet answered at the change.
    longest: Vec<Duration>,
}

impl Waits {
    fn of(users: &[bool], changed: Duration, served: &[Served]) -> Result<Self> {
        let mut longest = vec![Duration::ZERO; users.len()];
        let mut first: [Vec<Option<Duration>>; 2] =
            [vec![None; users.len()], vec![None; users.len()]];
        for message in served.iter().filter(|one| one.answered > changed) {
            for (role, user) in [message.sender, message.recipient].into_iter().enumerate() {
                longest[user] = longest[user].max(message.answered - message.written);
                if message.written > changed {
                    let first = &mut first[role][user];
                    *first =
                        Some(first.map_or(message.answered, |first| first.min(message.answered)));
                }
            }
        }
        let mut served_after = Duration::ZERO;
        for user in (0..users.len()).filter(|user| users[*user]) {
            for first in &first {
                let first = first[user].context("a user was never served again")?;
                served_after = served_after.max(first - changed);
            }
        }
        let concerned = longest.into_iter().zip(users).filter(|(_, is)| **is);
        let mut longest: Vec<Duration> = concerned.map(|(longest, _)| longest).collect();
        longest.sort_unstable();
        Ok(Self {
            served_after,
            longest,
        })
    }

    /// In milliseconds; 0 of nobody.
    fn quantile_ms(&self, share: f64) -> u64 {
        let last = self.longest.len().saturating_sub(1);
        let at = (last as f64 * share).ceil() as usize;
        self.longest
            .get(at)
            .map_or(0, |wait| wait.as_millis() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(sender: usize, recipient: usize, written: u64, answered: u64) -> Served {
        Served {
            sender,
            recipient,
            written: Duration::from_millis(written),
            answered: Duration::from_millis(answered),
        }
    }

    #[test]
    fn who_is_served_again_has_written_and_been_written_to_since() {
        let changed = Duration::from_millis(1_000);
        let all = [
            // Answered before the change: no wait of it.
            served(0, 1, 100, 900),
            // Under way at the change: a wait, and no service after it.
            served(0, 1, 950, 1_050),
            served(0, 1, 1_010, 1_300),
            served(0, 1, 1_020, 1_200),
            served(1, 0, 1_100, 1_400),
            served(2, 2, 1_100, 9_000),
        ];
        let waits = Waits::of(&[true, false, false], changed, &all).unwrap();
        assert_eq!(waits.served_after, Duration::from_millis(400));
        assert_eq!(waits.longest, [Duration::from_millis(300)]);
        let waits = Waits::of(&[true, true, false], changed, &all[..5]).unwrap();
        assert_eq!(
            (waits.quantile_ms(0.5), waits.quantile_ms(0.99)),
            (300, 300)
        );
        assert!(Waits::of(&[false, false, true], changed, &all[..5]).is_err());
    }

    #[test]
    fn each_shard_has_its_share_of_users() {
        let first = of_the_first(3, 300).unwrap();
        let count = first.iter().filter(|is| **is).count();
        assert!((50..150).contains(&count), "{count}");
    }
}
