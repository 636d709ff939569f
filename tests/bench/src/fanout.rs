//! `fanout` and `relay-fanout`: one member of a room writes, and all get it.
//!
//! Owns the order of the run. Must not know how members are driven.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::arguments::{self, Fanout, RelayFanout};
use crate::deadline::Deadline;
use crate::launch::Launch;
use crate::meter::{self, Meter, Spent};
use crate::outcome::Latencies;
use crate::report::{Report, ratio};
use crate::room::{Room, Side};
use crate::run::allow_files;
use crate::target::Target;

/// Nobody is held to a rate: what is measured is what it costs.
const SETTINGS: &str = "[shard]\nmember_messages_per_second = 1000000\n\
                        group_messages_per_second = 1000000\n";
/// Pages of history that are read at the end.
const PAGES: usize = 1_000;
/// Pages hold so many entries; a log with fewer is not read.
const ENTRIES_MIN: u64 = 100;
/// All that was written has reached all in this time.
const DRAIN_PATIENCE: Duration = Duration::from_secs(35);
/// The longest wait for a socket.
const TURN: Duration = Duration::from_millis(20);

/// `fanout`
pub fn cluster(fanout: &Fanout) -> Result<Report> {
    let members = fanout.room.members.get();
    allow_files(members + fanout.deaf)?;
    let launch = Launch {
        shard_settings: SETTINGS.to_owned(),
        ..Launch::open()
    };
    let cluster = fanout.cluster();
    let mut target = Target::cluster(&cluster, &launch)?;
    let mut room = Room::new(Side::Cluster, members, fanout.deaf, &target)?;
    room.log_in(&mut target)?;
    meter::settle(&target)?;
    let meter = Meter::start(&target)?;
    room.join(&mut target)?;
    let joined = meter.stop(&target)?;
    let (spent, in_window) = measure(&mut room, &fanout.room, &mut target)?;
    ensure!(
        room.accounts().sent == room.written(),
        "not every message is answered as safe"
    );
    let all = (members + fanout.deaf) as u64;
    let pages = match all + room.written() >= ENTRIES_MIN {
        true => Some(read(&mut room, &mut target)?),
        false => None,
    };
    let report = Report {
        deaf: Some(fanout.deaf),
        cpu_us_per_join: joined.us_per(all),
        cpu_us_per_page: pages.and_then(|spent| spent.us_per(PAGES as u64)),
        memory_peak_bytes: Some(target.memory_peak()?),
        friendd_requests: target.friendd_requests()?,
        ..Report::of_cluster("fanout", &cluster)
    };
    Ok(of_room(report, &fanout.room, &mut room, &spent, in_window))
}

/// `relay-fanout`
pub fn relay(fanout: &RelayFanout) -> Result<Report> {
    let members = fanout.room.members.get();
    allow_files(members)?;
    let mut target = Target::relay(true)?;
    let mut room = Room::new(Side::Relay, members, 0, &target)?;
    room.log_in(&mut target)?;
    let (spent, in_window) = measure(&mut room, &fanout.room, &mut target)?;
    let report = Report {
        bench: "relay-fanout",
        ..Report::default()
    };
    Ok(of_room(report, &fanout.room, &mut room, &spent, in_window))
}

/// What the window cost, and how many deliveries were made in it.
fn measure(room: &mut Room, load: &arguments::Room, target: &mut Target) -> Result<(Spent, u64)> {
    meter::settle(target)?;
    room.accounts().delivery = Some(Latencies::new());
    let window = Duration::from_secs(u64::from(load.secs.get()));
    let interval = Duration::from_secs_f64(1.0 / load.rate);
    let mut deadline = Deadline::new("the window", window + DRAIN_PATIENCE);
    let meter = Meter::start(target)?;
    let start = Instant::now();
    let end = start + window;
    let mut due = start;
    while Instant::now() < end {
        deadline.check(target)?;
        match load.closed {
            Some(in_flight) => {
                while room.open() < in_flight.get() {
                    room.write(Instant::now(), load.size);
                }
                room.turn(TURN)?;
            }
            None => {
                while due <= Instant::now() && due < end {
                    room.write(due, load.size);
                    due += interval;
                }
                room.turn(due.saturating_duration_since(Instant::now()).min(TURN))?;
            }
        }
    }
    let spent = meter.stop(target)?;
    let in_window = room.accounts().delivered;
    while room.open() > 0 {
        deadline.check(target)?;
        room.turn(TURN)?;
    }
    // For late repeats, and the last answers.
    let late = Instant::now() + Duration::from_secs(1);
    while Instant::now() < late {
        room.turn(TURN)?;
    }
    Ok((spent, in_window))
}

fn read(room: &mut Room, target: &mut Target) -> Result<Spent> {
    meter::settle(target)?;
    let meter = Meter::start(target)?;
    room.read_pages(PAGES, target)?;
    meter.stop(target)
}

fn of_room(
    report: Report,
    load: &arguments::Room,
    room: &mut Room,
    spent: &Spent,
    in_window: u64,
) -> Report {
    let messages = room.written();
    let accounts = room.accounts();
    let delivery = accounts.delivery.as_ref();
    Report {
        sessions: load.members.get(),
        members: Some(load.members.get()),
        size: Some(load.size),
        secs: Some(load.secs.get()),
        messages_per_s: load.closed.is_none().then_some(load.rate),
        closed: load.closed.map(usize::from),
        messages: Some(messages),
        delivered: Some(accounts.delivered),
        lost: Some(accounts.lost),
        refused: Some(accounts.refused),
        duplicates: Some(accounts.duplicates),
        per_s: ratio(in_window as f64, spent.took.as_secs_f64()),
        p50_us: delivery.and_then(|latencies| latencies.quantile_us(0.5)),
        p99_us: delivery.and_then(|latencies| latencies.quantile_us(0.99)),
        cpu_us_per_delivery: spent.us_per(in_window),
        ..report.with_parts(spent, in_window)
    }
}
