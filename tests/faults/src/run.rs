//! A run from its beginning to its end.
//!
//! Owns the order: people come, faults happen, all comes to rest, the accounts
//! are closed. Must not know how a fault is brought about.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use client::{Availability, UserId};
use proto::slot::Slot;
use redis_stage::Server;
use registry::view::View;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::act;
use crate::books::{Books, To};
use crate::cast::{self, Cast};
use crate::device::Device;
use crate::fault::{Fault, What, Whom};
use crate::order::Window;
use crate::plan::{Plan, Step};
use crate::report::{Happened, Report};
use crate::stage::{SHARDS, Stage};
use crate::streams::Stream;
use crate::visits::{self, Truth};

/// Messages come with the order unbroken so long after all are served again.
const GRACE: Duration = Duration::from_secs(1);
/// Between two faults, besides: what comes late now has no excuse.
const CALM: Duration = Duration::from_secs(3);
/// After a fault everybody is served within this time: clients pause up to
/// half a minute between attempts.
const SERVED: Duration = Duration::from_secs(90);
/// A fault comes within so many milliseconds after many messages, so that some
/// are anywhere on their way.
const BURST_MS: u64 = 40;
/// Between two looks.
pub const LOOK: Duration = Duration::from_millis(50);

/// When Redis writes what changed to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Fsync {
    /// Before it answers.
    Always,
    /// Once a second.
    Everysec,
    /// When the system does.
    No,
}

impl Fsync {
    /// As Redis calls it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::Everysec => "everysec",
            Self::No => "no",
        }
    }
}

/// What is to be run.
#[derive(Debug, Clone)]
pub struct Orders {
    /// Of the schedule.
    pub seed: u64,
    /// For how long faults are begun.
    pub time: Duration,
    /// Messages per second of all together.
    pub rate: u32,
    /// These kinds of faults; none: all.
    pub only: Vec<What>,
    /// How Redis writes.
    pub fsync: Fsync,
    /// Where the daemons' logs are put in the end.
    pub logs: Option<PathBuf>,
}

/// What runs.
pub struct Run {
    /// The cluster.
    pub stage: Stage,
    /// What everybody writes into.
    pub books: Books,
    /// Who there is.
    pub cast: Cast,
    /// What they show of themselves.
    pub truth: Truth,
    /// Ends the load.
    pub stop: watch::Sender<bool>,
    /// Has everybody write many messages at once.
    pub burst: watch::Sender<u64>,
    /// Who writes.
    pub streams: JoinSet<Result<()>>,
    /// Who blocks, and shows statuses.
    pub others: JoinSet<Result<()>>,
    /// Who comes and goes.
    pub visitors: JoinSet<Result<Device>>,
    /// Streams that are to be served.
    pub served: Vec<usize>,
    /// From when to when there was a fault.
    pub windows: Vec<Window>,
    /// Whether all were served where there was no fault.
    pub is_calm: bool,
    /// When the first fault might have begun.
    pub began: Instant,
}

/// Runs it.
///
/// # Errors
/// The run did not come about. Promises that were not kept stand in the report.
pub async fn run(orders: &Orders) -> Result<Report> {
    let fsync = orders.fsync.word();
    let redis = Server::start_with(&["--appendonly", "yes", "--appendfsync", fsync]);
    let stage = Stage::start(redis).await?;
    let mut run = Run::begins(stage, orders.rate).await?;
    let mut plan = Plan::new(orders.seed, &orders.only);
    let mut faults = Vec::new();
    while run.began.elapsed() < orders.time {
        let step = plan.next();
        let happened = run.step(&step).await?;
        let is_over = happened.is_empty() || happened.iter().any(|f| f.served_after_ms.is_none());
        for happened in happened {
            eprintln!("{}", told(&happened));
            faults.push(happened);
        }
        if is_over {
            // What comes next would prove nothing.
            break;
        }
    }
    let (secs, run_is_calm) = (run.began.elapsed().as_secs(), run.is_calm);
    let mut report = run.ends(orders.logs.as_ref()).await?;
    report.faults = faults;
    (report.seed, report.secs, report.fsync) = (orders.seed, secs, fsync);
    report.judge_faults();
    report.ledger.not_served_again += usize::from(!run_is_calm);
    Ok(report)
}

fn told(fault: &Happened) -> String {
    let served = fault.served_after_ms.map(|ms| format!("{ms} ms"));
    let shown = fault.evidence.as_ref().or(fault.trouble.as_ref());
    format!(
        "{:>7} ms {} {}, {} ms: {}; {} acknowledged before, {} sent; {} streams out for {} to {} ms; \
         served {} after its end",
        fault.at_ms,
        fault.part,
        fault.fault,
        fault.span_ms,
        shown.map_or("", String::as_str),
        fault.acknowledged_before,
        fault.sent_during,
        fault.streams,
        fault.out_median_ms,
        fault.out_longest_ms,
        served.as_deref().unwrap_or("NOT AGAIN"),
    )
}

impl Run {
    async fn begins(stage: Stage, rate: u32) -> Result<Self> {
        let books = Books::of(cast::routes()?);
        let cast = Cast::comes(&stage.addresses(), &books).await?;
        let stop = watch::Sender::new(false);
        let served = books.routes().iter().enumerate();
        let served = served.filter(|(_, route)| !route.is_blocked);
        let mut run = Self {
            served: served.map(|(number, _)| number).collect(),
            stage,
            books,
            cast,
            truth: Truth::default(),
            stop,
            streams: JoinSet::new(),
            others: JoinSet::new(),
            visitors: JoinSet::new(),
            windows: Vec::new(),
            is_calm: true,
            burst: watch::Sender::new(0),
            began: Instant::now(),
        };
        run.spawn(rate)?;
        let all = run.is_served(run.began).await;
        all.context("the load does not begin to flow")?;
        sleep(CALM).await;
        run.began = Instant::now();
        Ok(run)
    }

    fn spawn(&mut self, rate: u32) -> Result<()> {
        let routes = self.books.routes();
        // There are not so many.
        let streams = routes.len() as u32;
        let pace = Duration::from_secs(1) * streams / rate.max(1);
        for (number, route) in routes.iter().enumerate() {
            let stream = Stream {
                number,
                client: self.cast.device(&route.from)?.client.clone(),
                to: route.to.clone(),
                pace,
                stop: self.stop.subscribe(),
                burst: self.burst.subscribe(),
                books: self.books.clone(),
            };
            self.streams.spawn(stream.run());
        }
        for owner in self.cast.visitors.drain(..) {
            let visits = visits::visits(owner, self.books.clone(), self.stop.subscribe());
            self.visitors.spawn(visits);
        }
        for pair in self.cast.blockers() {
            let pair = pair.map(|device| (device.user.clone(), device.client.clone()));
            let blocks = visits::blocks(pair, self.books.clone(), self.stop.subscribe());
            self.others.spawn(blocks);
        }
        if let Ok(mut truth) = self.truth.lock() {
            let there = self.cast.devices.iter().map(|device| device.user.clone());
            truth.extend(there.map(|user| (user, Availability::Online)));
        }
        for device in self.cast.with_one_device() {
            let (user, client) = (device.user.clone(), device.client.clone());
            let (truth, stop) = (self.truth.clone(), self.stop.subscribe());
            self.others
                .spawn(visits::statuses(user, client, truth, stop));
        }
        Ok(())
    }

    /// Waits until all streams have an acknowledgement of what was handed over
    /// since then.
    async fn is_served(&self, since: Instant) -> Result<Instant> {
        let end = Instant::now() + SERVED;
        loop {
            let unserved = self.books.open().service.unserved(&self.served, since);
            let now = Instant::now();
            if unserved.is_empty() {
                return Ok(now);
            }
            let routes = self.books.routes();
            let who = unserved.iter().map(|stream| &routes[*stream]);
            let who = who.map(|route| format!("{} to {}", route.from, route.to));
            ensure!(now < end, "not served: {:?}", who.collect::<Vec<_>>());
            sleep(LOOK).await;
        }
    }

    /// Faults that happen together, until everybody is served again and a calm
    /// is over; none, if not everybody is served without.
    async fn step(&mut self, step: &Step) -> Result<Vec<Happened>> {
        let view = self.stage.ring().await?;
        // A disk that stalls is none of the faults, and may silence all.
        if let Err(error) = self.is_served(Instant::now()).await {
            eprintln!("without a fault {error}");
            self.is_calm = false;
            return Ok(Vec::new());
        }
        let first = self.happens(&step.fault, Duration::ZERO);
        let mut faults = match &step.second {
            None => vec![(step.fault, first.await)],
            Some((later, second)) => {
                let both = tokio::join!(first, self.happens(second, *later));
                vec![(step.fault, both.0), (*second, both.1)]
            }
        };
        let healed = faults.iter().map(|(_, raw)| raw.healed).max();
        let healed = healed.unwrap_or_else(Instant::now);
        let served = self.is_served(healed).await;
        if let Err(error) = &served {
            eprintln!("{error}");
        }
        let until = *served.as_ref().unwrap_or(&Instant::now());
        let begun = faults[0].1.began;
        self.windows.push((begun, until + GRACE));
        let told = faults.drain(..).enumerate().map(|(at, (fault, raw))| {
            let mut told = self.account(&fault, raw, &view, until);
            told.is_second = at > 0;
            told.served_after_ms = told.served_after_ms.filter(|_| served.is_ok());
            told
        });
        let told = told.collect();
        sleep(GRACE + CALM).await;
        Ok(told)
    }

    async fn happens(&self, fault: &Fault, later: Duration) -> Raw {
        sleep(later).await;
        self.burst.send_modify(|bursts| *bursts += 1);
        sleep(Duration::from_millis(fastrand::u64(..BURST_MS))).await;
        let began = Instant::now();
        let begun = act::begin(&self.stage, fault).await;
        sleep(fault.span).await;
        let ended = Instant::now();
        let healed = act::heal(&self.stage, fault).await;
        Raw {
            began,
            ended,
            healed: Instant::now(),
            trouble: begun
                .as_ref()
                .err()
                .or(healed.as_ref().err())
                .map(|e| format!("{e:#}")),
            evidence: begun.ok(),
        }
    }

    fn account(&self, fault: &Fault, raw: Raw, view: &View, served: Instant) -> Happened {
        let accounts = self.books.open();
        let service = &accounts.service;
        let broken = accounts.broken.iter().rev();
        let broken = broken.take_while(|(at, _)| *at >= raw.began);
        let broken: HashSet<&UserId> = broken.map(|(_, user)| user).collect();
        let concerns = |slot: Slot, user: Option<&UserId>| match (fault.what, fault.whom) {
            (What::ShardJoins, _) | (_, Whom::Friends(_) | Whom::Redis) => true,
            (_, Whom::Shard(number)) => view.ring().owner(slot).as_str() == SHARDS[number],
            // Where no connection broke, whose it was is not known.
            (_, Whom::Gateway(_)) => {
                broken.is_empty() || user.is_some_and(|user| broken.contains(user))
            }
        };
        let routes = self.books.routes();
        let concerned = self.served.iter().copied().filter(|stream| {
            let route = &routes[*stream];
            let to = match &route.to {
                To::User(to) => Some(to),
                To::Group(_) => None,
            };
            concerns(Slot::of(&route.from), Some(&route.from)) || concerns(route.to.slot(), to)
        });
        let concerned: Vec<usize> = concerned.collect();
        let outage = service.outage(&concerned, raw.began, served);
        let second_before = raw.began - Duration::from_secs(1);
        Happened {
            fault: fault.what.name(),
            part: fault.whom.to_string(),
            at_ms: millis(raw.began - self.began),
            span_ms: millis(fault.span),
            evidence: raw.evidence,
            trouble: raw.trouble,
            is_second: false,
            acknowledged_before: service.acknowledged_within(second_before, raw.began),
            sent_during: service.sent_within(raw.began, raw.ended),
            streams: outage.streams,
            out_median_ms: millis(outage.median),
            out_longest_ms: millis(outage.longest),
            served_after_ms: Some(millis(served - raw.ended)),
        }
    }
}

/// What is known of a fault when it is over.
struct Raw {
    began: Instant,
    /// When it began to be healed.
    ended: Instant,
    healed: Instant,
    evidence: Option<String>,
    trouble: Option<String>,
}

/// Whole milliseconds.
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
