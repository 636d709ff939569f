//! `soak`: a mixed load for a long time, while parts of the cluster are
//! started again and again.
//!
//! Owns the order of the run. Must not know how messages are driven, or what
//! memory is compared with what.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::arguments::Soak;
use crate::bustle::Bustle;
use crate::deadline::Deadline;
use crate::growth::{self, Growth};
use crate::launch::Launch;
use crate::offline::{log_in, seat};
use crate::post::Post;
use crate::report::Report;
use crate::restart::{self, Exit, Seen};
use crate::run::allow_files;
use crate::seats::Seats;
use crate::session::Session;
use crate::target::Target;

/// Memory is looked at so often, and often enough in a short run.
const SAMPLE_EVERY: Duration = Duration::from_secs(2);
const SAMPLES_PER_STRETCH: u32 = 40;
/// Messages that are written at once right before a part goes, so that some
/// are on their way.
const BURST: u64 = 200;
const PATIENCE: Duration = Duration::from_secs(120);
/// In seconds.
const MINUTE: NonZeroU32 = NonZeroU32::new(60).expect("it is not zero");

/// What runs.
struct Run {
    target: Target,
    post: Post,
    bustle: Bustle,
    growth: Growth,
    parts: &'static [&'static str],
    sample_every: Duration,
}

/// `soak`
pub fn run(soak: &Soak) -> Result<Report> {
    let seats = Seats {
        pairs: soak.pairs.get(),
        senders: soak.senders.get(),
        users: soak.users.get(),
    };
    allow_files(seats.all())?;
    let mut target = Target::cluster(&soak.cluster, &Launch::open())?;
    let mut post = seats.post(soak.window.get(), soak.size, &target)?;
    befriend(seats.chatters(), &target)?;
    log_in(&mut post, 0..seats.writers(), &mut target)?;

    let secs = soak.secs.unwrap_or(soak.minutes.saturating_mul(MINUTE));
    let stretch = Duration::from_secs(u64::from(secs.get())) / (soak.restarts.get() + 1);
    let mut run = Run {
        target,
        post,
        bustle: Bustle::new(soak.rate.get(), seats.chatters(), seats.away()),
        growth: Growth::new(stretch),
        parts: if soak.cluster.processes {
            &["connd", "msgd", "friendd"]
        } else {
            &["imd"]
        },
        sample_every: SAMPLE_EVERY.min(stretch / SAMPLES_PER_STRETCH),
    };
    let restarts = run.load(soak.restarts.get(), stretch)?;
    let Run {
        mut target,
        mut post,
        bustle,
        growth,
        ..
    } = run;
    restart::settle(&mut post, seats.away(), &mut target)?;
    let repeats = &post.repeats;
    ensure!(
        repeats.unexplained() == 0,
        "{} messages came again, and no restart explains it",
        repeats.unexplained()
    );
    let open = restarts.iter().map(|seen| seen.open).sum();
    ensure!(open > 0, "nothing was open at a restart: it proves nothing");
    let back = restarts.iter().map(|seen| seen.back.as_millis() as u64);
    let pss = growth.by_life(|held| held.pss);
    let rss = growth.by_life(|held| held.rss);
    Ok(Report {
        sessions: seats.all(),
        pairs: Some(soak.pairs.get()),
        recipients: Some(soak.users.get()),
        senders: Some(soak.senders.get()),
        window: Some(soak.window.get()),
        secs: Some(secs.get()),
        rate: Some(soak.rate.get()),
        restarts: Some(soak.restarts.get()),
        open_at_kill: Some(open),
        back_ms: back.max(),
        visits: Some(bustle.visits),
        status_changes: Some(bustle.statuses),
        notifications: Some(post.statuses_seen()),
        memory_growth_percent: growth::percent(&pss),
        rss_growth_percent: growth::percent(&rss),
        pss_kib_by_life: Some(pss),
        rss_kib_by_life: Some(rss),
        ..Report::of_cluster("soak", &soak.cluster)
            .with_post(&post, soak.size)
            .with_repeats(&post.repeats)
    })
}

/// Each pair sees each other's status.
fn befriend(chatters: usize, target: &Target) -> Result<()> {
    for at in (0..chatters).step_by(2) {
        let mut one = Session::log_in(&seat(at, target)?)?;
        let mut other = Session::log_in(&seat(at + 1, target)?)?;
        one.befriend(&mut other)?;
    }
    Ok(())
}

impl Run {
    /// The load: stretches of the same length, with a restart between each two.
    fn load(&mut self, restarts: u32, stretch: Duration) -> Result<Vec<Seen>> {
        let start = Instant::now();
        for part in self.parts {
            self.growth.is_born(part, start);
        }
        let mut seen = Vec::new();
        for number in 0..restarts {
            self.until(Instant::now() + stretch)?;
            let (part, exit) = plan(number as usize, self.parts);
            eprintln!(
                "bench: restart {} of {restarts}: {part}, {exit:?}",
                number + 1
            );
            self.post.write_more(BURST)?;
            self.post.flush();
            let Self {
                post,
                target,
                bustle,
                ..
            } = self;
            let one = restart::restart((part, exit), post, target, |post| {
                bustle.turn(post)?;
                post.turn()
            })?;
            seen.push(one);
            self.growth.is_born(part, Instant::now());
        }
        self.until(Instant::now() + stretch)?;
        self.post.write_no_more();
        let mut deadline = Deadline::new("the last visits", PATIENCE);
        while !self.bustle.is_over(&mut self.post) {
            deadline.check(&mut self.target)?;
            self.post.turn()?;
        }
        Ok(seen)
    }

    fn until(&mut self, moment: Instant) -> Result<()> {
        let left = moment.saturating_duration_since(Instant::now());
        let mut deadline = Deadline::new("the load", left + PATIENCE);
        let mut sample_at = Instant::now();
        while Instant::now() < moment {
            deadline.check(&mut self.target)?;
            self.bustle.turn(&mut self.post)?;
            self.post.turn()?;
            let now = Instant::now();
            if now >= sample_at {
                sample_at = now + self.sample_every;
                for part in self.parts {
                    self.growth.holds(part, now, self.target.held(part)?);
                }
            }
        }
        Ok(())
    }
}

/// Each part in turn: first told to stop, then killed.
fn plan(number: usize, parts: &[&'static str]) -> (&'static str, Exit) {
    let exit = match number % 2 {
        0 => Exit::Told,
        _ => Exit::Killed,
    };
    (parts[number / 2 % parts.len()], exit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_goes_both_ways() {
        let plan = |number| plan(number, &["connd", "msgd"]);
        assert_eq!(plan(0), ("connd", Exit::Told));
        assert_eq!(plan(1), ("connd", Exit::Killed));
        assert_eq!(plan(2), ("msgd", Exit::Told));
        assert_eq!(plan(3), ("msgd", Exit::Killed));
        assert_eq!(plan(4), ("connd", Exit::Told));
    }
}
