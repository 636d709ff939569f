//! One thread of clients: waits for its sockets and its plan, and lets the
//! traffic flow.
//!
//! Owns the thread's epoll and the phases of a run. Must not know packets,
//! processes, or how figures are shown.

use std::mem::MaybeUninit;
use std::num::NonZeroU64;
use std::os::fd::OwnedFd;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

use crate::outcome::Outcome;
use crate::schedule::Schedule;
use crate::session::Session;
use crate::traffic::{Load, Traffic};

/// After the window everything must be settled within this time; the server
/// gives up on a message after 30 s.
const DRAIN_PATIENCE: Duration = Duration::from_secs(35);
/// When all is settled, late repeats are waited for.
const LINGER: Duration = Duration::from_secs(1);
/// How often what other threads decide is looked at.
const LOOK_AROUND: Duration = Duration::from_millis(20);
/// Sockets that are looked at per turn.
const EVENTS_MAX: usize = 256;

/// When to send.
#[derive(Debug, Clone)]
pub enum Arrivals {
    /// By plan, whatever the server does.
    Open(Schedule),
    /// So many per user are always unanswered.
    Closed(usize),
    /// Never: sessions only stay.
    Idle,
}

/// What a thread is to do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// When to send.
    pub arrivals: Arrivals,
    /// What to send.
    pub load: Load,
    /// How long messages are sent.
    pub window: Duration,
    /// Chooses the senders of an open loop.
    pub seed: u64,
}

/// What all threads look at.
#[derive(Default)]
pub struct Signals {
    /// When the window starts, once that is known.
    pub start: OnceLock<Instant>,
    /// How many threads have logged their sessions in.
    pub logged_in: AtomicUsize,
    /// All is to end: idle sessions were measured, or something failed.
    pub end: AtomicBool,
}

/// One thread's clients.
pub struct Generator {
    plan: Plan,
    epoll: OwnedFd,
    traffic: Traffic,
    senders: fastrand::Rng,
    ping_at: Instant,
}

impl Generator {
    /// Takes over sessions that are logged in; in pairs, unless idle.
    pub fn new(plan: Plan, sessions: Vec<Session>) -> Result<Self> {
        let (in_flight, expected) = match &plan.arrivals {
            Arrivals::Open(schedule) => (1, schedule.messages() as usize),
            // Room that is reserved and not used costs nothing.
            Arrivals::Closed(in_flight) => (*in_flight, 1 << 23),
            Arrivals::Idle => (0, 0),
        };
        let traffic = Traffic::new(plan.load, in_flight, expected, sessions)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        for (at, socket) in traffic.sockets().enumerate() {
            // Edges: a socket is read until it is empty, and its room for
            // writing needs no registration of its own.
            let edges = epoll::EventFlags::IN | epoll::EventFlags::OUT | epoll::EventFlags::ET;
            epoll::add(&epoll, socket, epoll::EventData::new_u64(at as u64), edges)?;
        }
        Ok(Self {
            senders: fastrand::Rng::with_seed(plan.seed),
            ping_at: Instant::now() + traffic.ping_every(),
            plan,
            epoll,
            traffic,
        })
    }

    /// Runs the plan to its end, or until it is told to stop.
    pub fn run(mut self, signals: &Signals) -> Result<Outcome> {
        // By default the kernel may wake a thread 50 µs late, a good part of
        // what is measured.
        rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
        let start = loop {
            if signals.end.load(Ordering::Relaxed) {
                return Ok(self.traffic.finish());
            }
            if let Some(start) = signals.start.get() {
                break *start;
            }
            self.turn(LOOK_AROUND)?;
        };
        while let Some(left) = start.checked_duration_since(Instant::now())
            && !left.is_zero()
        {
            self.turn(left)?;
        }
        self.begin(start)?;
        self.measure(start, signals)?;
        Ok(self.traffic.finish())
    }

    fn begin(&mut self, start: Instant) -> Result<()> {
        let window = self.plan.window;
        let Arrivals::Closed(in_flight) = self.plan.arrivals else {
            self.traffic.begin(start, window, Duration::ZERO);
            return Ok(());
        };
        self.traffic.begin(start, window, window);
        for sender in 0..self.traffic.clients() {
            for _ in 0..in_flight {
                self.traffic.offer(sender, 0)?;
            }
        }
        self.traffic.flush()
    }

    fn measure(&mut self, start: Instant, signals: &Signals) -> Result<()> {
        let mut settled_at = None;
        while !signals.end.load(Ordering::Relaxed) {
            let now = start.elapsed();
            self.send_due(now)?;
            if now > self.plan.window + DRAIN_PATIENCE {
                break;
            }
            if now <= self.plan.window || !self.traffic.is_settled() {
                settled_at = None;
            } else if now > *settled_at.get_or_insert(now) + LINGER {
                break;
            }
            let due = self.next_due().saturating_sub(start.elapsed());
            self.turn(due.min(LOOK_AROUND))?;
        }
        Ok(())
    }

    fn next_due(&self) -> Duration {
        match &self.plan.arrivals {
            Arrivals::Open(schedule) => schedule
                .next_ns()
                .map_or(Duration::MAX, Duration::from_nanos),
            Arrivals::Closed(_) | Arrivals::Idle => Duration::MAX,
        }
    }

    fn send_due(&mut self, now: Duration) -> Result<()> {
        let Arrivals::Open(schedule) = &mut self.plan.arrivals else {
            return Ok(());
        };
        while let Some(intended_ns) = schedule.take_due(now.as_nanos() as u64) {
            let sender = self.senders.usize(..self.traffic.clients());
            self.traffic.offer(sender, intended_ns)?;
        }
        self.traffic.flush()
    }

    /// Waits for sockets, at most so long, and serves them.
    fn turn(&mut self, patience: Duration) -> Result<()> {
        let mut room = [MaybeUninit::<epoll::Event>::uninit(); EVENTS_MAX];
        let timeout = Timespec {
            tv_sec: patience.as_secs() as i64,
            tv_nsec: i64::from(patience.subsec_nanos()),
        };
        let events = match epoll::wait(&self.epoll, &mut room, Some(&timeout)) {
            Ok((events, _)) => events,
            Err(Errno::INTR) => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        for event in events {
            self.traffic.ready(event.data.u64() as usize)?;
        }
        if Instant::now() >= self.ping_at {
            self.ping_at += self.traffic.ping_every();
            self.traffic.ping()?;
        }
        Ok(())
    }
}
