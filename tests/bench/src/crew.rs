//! The generator's threads: each logs its users in and drives them.
//!
//! Owns the threads' beginning and end. Must not know what is measured
//! meanwhile.

use std::sync::atomic::Ordering;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::generator::{Generator, Plan, Signals};
use crate::interrupt;
use crate::outcome::Outcome;
use crate::session::{Seat, Session};
use crate::target::Target;

/// How often threads and processes are looked after meanwhile.
const LOOK_AROUND: Duration = Duration::from_millis(50);
/// Between the threads being told of the window and its start.
const LEAD: Duration = Duration::from_millis(100);

/// What one thread does.
pub struct Crew {
    /// The load.
    pub plan: Plan,
    /// Who logs in: in pairs, unless idle.
    pub seats: Vec<Seat>,
    /// Makes each pair friends.
    pub friends: bool,
}

/// The threads at work, as seen by who measures meanwhile.
pub struct Watch<'scope> {
    signals: &'scope Signals,
    threads: Vec<ScopedJoinHandle<'scope, Result<Outcome>>>,
}

/// Logs in all users, calls `meanwhile`, ends what has not ended by itself,
/// and returns what `meanwhile` found and all threads saw.
pub fn work<T>(
    target: &mut Target,
    crews: &[Crew],
    meanwhile: impl FnOnce(&mut Target, &Watch) -> Result<T>,
) -> Result<(T, Outcome)> {
    let signals = Signals::default();
    thread::scope(|scope| {
        let signals = &signals;
        let start = |crew| scope.spawn(move || crew_member(crew, signals));
        let watch = Watch {
            signals,
            threads: crews.iter().map(start).collect(),
        };
        let logged_in = || signals.logged_in.load(Ordering::Relaxed) == crews.len();
        let found = watch
            .wait_until(target, logged_in)
            .and_then(|()| meanwhile(target, &watch));
        signals.end.store(true, Ordering::Relaxed);
        let mut outcome = Outcome::new();
        for thread in watch.threads {
            // A panic is a defect here; it goes on.
            let seen = thread
                .join()
                .unwrap_or_else(|e| std::panic::resume_unwind(e));
            // What a thread says tells more than its having ended.
            outcome.add(&seen?);
        }
        Ok((found?, outcome))
    })
}

fn crew_member(crew: &Crew, signals: &Signals) -> Result<Outcome> {
    let mut sessions = Vec::with_capacity(crew.seats.len());
    for seat in &crew.seats {
        interrupt::check()?;
        sessions.push(Session::log_in(seat)?);
    }
    if crew.friends {
        for pair in sessions.chunks_exact_mut(2) {
            if let [one, other] = pair {
                interrupt::check()?;
                one.befriend(other)?;
            }
        }
    }
    let generator = Generator::new(crew.plan.clone(), sessions)?;
    signals.logged_in.fetch_add(1, Ordering::Relaxed);
    generator.run(signals)
}

impl Watch<'_> {
    /// Starts the window, and returns when it does.
    pub fn start_window(&self, target: &mut Target) -> Result<Instant> {
        let start = Instant::now() + LEAD;
        let first = self.signals.start.set(start);
        ensure!(first.is_ok(), "there is one window only");
        self.wait_for(target, start)?;
        Ok(start)
    }

    /// Waits for a moment.
    pub fn wait_for(&self, target: &mut Target, moment: Instant) -> Result<()> {
        while let Some(left) = moment.checked_duration_since(Instant::now())
            && !left.is_zero()
        {
            self.look_after(target)?;
            thread::sleep(left.min(LOOK_AROUND));
        }
        Ok(())
    }

    /// Waits until all threads have ended by themselves.
    pub fn wait_for_threads(&self, target: &mut Target) -> Result<()> {
        while !self.threads.iter().all(ScopedJoinHandle::is_finished) {
            interrupt::check()?;
            target.check()?;
            thread::sleep(LOOK_AROUND);
        }
        Ok(())
    }

    fn wait_until(&self, target: &mut Target, reached: impl Fn() -> bool) -> Result<()> {
        while !reached() {
            self.look_after(target)?;
            thread::sleep(LOOK_AROUND);
        }
        Ok(())
    }

    fn look_after(&self, target: &mut Target) -> Result<()> {
        interrupt::check()?;
        target.check()?;
        let ended = self.threads.iter().any(ScopedJoinHandle::is_finished);
        ensure!(!ended, "a thread of the generator ended early");
        Ok(())
    }
}
