//! One measurement from the first process to the last.
//!
//! Owns the order: start, log in, settle, measure, drain, end. Must not know
//! how a figure is read or shown.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use proto::ids::{DeviceId, UserId};

use crate::arguments::{self, Chat, Idle, Relay};
use crate::crew::{self, Crew, Watch};
use crate::dialect::Dialect;
use crate::generator::{Arrivals, Plan};
use crate::launch::Launch;
use crate::meter::{self, Meter, Spent};
use crate::report::{Report, ratio};
use crate::schedule::Schedule;
use crate::session::Seat;
use crate::steady;
use crate::stream::Trust;
use crate::target::Target;
use crate::traffic::Load;

/// Whom clients trust, among the certificates for trying.
const AUTHORITY: &str = "ca.pem";
/// Files besides sessions that are open here.
const OTHER_FILES: u64 = 100;
/// One session in so many is there before the others are counted.
const FIRST: usize = 10;
/// Memory is steady when it stays within this for a second.
const PSS_BYTES_TOLERANCE: u64 = 64 * 1024;
const PSS_PATIENCE: Duration = Duration::from_secs(60);

/// `chat`
pub fn chat(chat: &Chat) -> Result<Report> {
    let launch = if chat.friends {
        Launch::by_default()
    } else {
        Launch::open()
    };
    let target = Target::cluster(&chat.cluster, &launch)?;
    let report = Report {
        friends: Some(chat.friends),
        ..Report::of_cluster("chat", &chat.cluster)
    };
    traffic(report, target, &chat.load, Dialect::Cluster)
}

/// `relay`
pub fn relay(relay: &Relay) -> Result<Report> {
    let acked = relay.acked;
    let report = Report {
        bench: "relay",
        acked: Some(acked),
        ..Report::default()
    };
    let target = Target::relay(false)?;
    traffic(report, target, &relay.load, Dialect::Relay { acked })
}

/// `idle`
pub fn idle(idle: &Idle) -> Result<Report> {
    let sessions = idle.n.get();
    allow_files(sessions)?;
    let directory = tempfile::tempdir()?;
    let certificates = directory.path().join("tls");
    let launch = Launch {
        certificates: idle.tls.then(|| certificates.clone()),
        ..Launch::open()
    };
    let mut target = Target::cluster(&idle.cluster, &launch)?;
    let trust = idle.tls.then(|| Trust::of(&certificates.join(AUTHORITY)));
    let trust = trust.transpose()?;
    let dialect = Dialect::Cluster;
    let plan = || Plan {
        arrivals: Arrivals::Idle,
        load: Load { dialect, size: 0 },
        window: Duration::ZERO,
        seed: 0,
    };
    let seat = |number| {
        let seat = seat(number, &target, dialect)?;
        Ok(Seat {
            trust: trust.clone(),
            ..seat
        })
    };
    let crew = |numbers: std::ops::Range<usize>| {
        anyhow::Ok(Crew {
            plan: plan(),
            seats: numbers.map(seat).collect::<Result<_>>()?,
            friends: false,
        })
    };
    // The first use what an allocator kept of the start.
    let first = sessions / FIRST;
    let (first, rest) = (crew(0..first)?, crew(first..sessions)?);
    let counted = rest.seats.len();
    let ((before, after), _) = crew::work(&mut target, &[first], |target, _| {
        let before = settled_memory(target)?;
        let rest = crew::work(target, &[rest], |target, _| settled_memory(target));
        Ok((before, rest?.0))
    })?;
    let grown = after.value as f64 - before.value as f64;
    Ok(Report {
        sessions,
        tls: Some(idle.tls),
        handshakes: target.counter("connd_handshakes_total")?,
        pss_bytes_per_session: ratio(grown, counted as f64),
        steady: Some(before.steady && after.steady),
        friendd_requests: target.friendd_requests()?,
        ..Report::of_cluster("idle", &idle.cluster)
    })
}

fn settled_memory(target: &Target) -> Result<steady::Settled> {
    let settled = steady::wait(|| target.pss_bytes(), PSS_BYTES_TOLERANCE, PSS_PATIENCE)?;
    eprintln!("bench: {} bytes, steady: {}", settled.value, settled.steady);
    Ok(settled)
}

fn traffic(
    report: Report,
    mut target: Target,
    load: &arguments::Load,
    dialect: Dialect,
) -> Result<Report> {
    let pairs = load.pairs.get();
    allow_files(2 * pairs)?;
    let window = Duration::from_secs(u64::from(load.secs.get()));
    let friends = report.friends == Some(true);
    let crews = crews(load, dialect, window, friends, &target)?;
    let (spent, outcome) = crew::work(&mut target, &crews, |target, watch| {
        measure(target, watch, window)
    })?;
    let messages = outcome.delivered_in_window;
    Ok(Report {
        sessions: 2 * pairs,
        pairs: Some(pairs),
        size: Some(load.size),
        secs: Some(load.secs.get()),
        rate: load.closed.is_none().then_some(load.rate.get()),
        closed: load.closed.map(usize::from),
        per_s: ratio(messages as f64, window.as_secs_f64()),
        friendd_requests: target.friendd_requests()?,
        cpu_us_per_msg: spent.us_per(messages),
        ..report
            .with_outcome(&outcome, dialect)
            .with_parts(&spent, messages)
    })
}

fn measure(target: &mut Target, watch: &Watch, window: Duration) -> Result<Spent> {
    meter::settle(target)?;
    let start = watch.start_window(target)?;
    let meter = Meter::start(target)?;
    watch.wait_for(target, start + window)?;
    let spent = meter.stop(target)?;
    watch.wait_for_threads(target)?;
    Ok(spent)
}

/// The generator's threads for a load: pairs of users, spread over them.
pub fn crews(
    load: &arguments::Load,
    dialect: Dialect,
    window: Duration,
    friends: bool,
    target: &Target,
) -> Result<Vec<Crew>> {
    let pairs = load.pairs.get();
    let threads = load.threads.get().min(pairs);
    let size = load.size;
    let crew = |thread: usize| {
        let per_second = f64::from(load.rate.get());
        let schedule = Schedule::new(per_second, window.as_secs_f64(), thread, threads);
        let arrivals = match load.closed {
            Some(in_flight) => Arrivals::Closed(in_flight.get()),
            None => Arrivals::Open(schedule),
        };
        let users = (thread..pairs)
            .step_by(threads)
            .flat_map(|pair| [2 * pair, 2 * pair + 1]);
        Ok(Crew {
            plan: Plan {
                arrivals,
                load: Load { dialect, size },
                window,
                seed: thread as u64,
            },
            seats: users
                .map(|number| seat(number, target, dialect))
                .collect::<Result<_>>()?,
            friends,
        })
    };
    (0..threads).map(crew).collect()
}

/// Users 2k and 2k + 1 are a pair; where there are several gateways they are
/// on different ones.
fn seat(number: usize, target: &Target, dialect: Dialect) -> Result<Seat> {
    let (pair, side) = (number / 2, number % 2);
    let device = match dialect {
        Dialect::Cluster => "bench".to_owned(),
        // The relay learns by it who the peer is.
        Dialect::Relay { .. } => format!("u{}", number ^ 1),
    };
    Ok(Seat {
        user: UserId::new(format!("u{number}"))?,
        device: DeviceId::new(device)?,
        address: target.gateways[(pair + side) % target.gateways.len()],
        trust: None,
    })
}

/// Raises the limit on open files for so many sessions.
pub fn allow_files(sessions: usize) -> Result<()> {
    let wanted = sessions as u64 + OTHER_FILES;
    let allowed = rlimit::increase_nofile_limit(wanted).context("limit on open files")?;
    ensure!(
        allowed >= wanted,
        "{sessions} sessions need {wanted} open files, this system allows {allowed}"
    );
    Ok(())
}
