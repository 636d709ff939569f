//! `unfair`: what others notice of clients who take more than their share.
//!
//! Owns the order of the run. Must not know what an attacker does, or how a
//! table looks.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::arguments::Unfair;
use crate::attack::Attack;
use crate::attacker::Attacker;
use crate::crew::{self, Watch};
use crate::dialect::Dialect;
use crate::launch::Launch;
use crate::meter::{self, Meter, Spent};
use crate::report::{self, Report, ratio};
use crate::run;
use crate::target::Target;
use crate::verdict;
use crate::{binaries, interrupt};

/// Every attack is met in this time after its start, and counted in this time
/// after its end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Counters are looked at so often.
const LOOK_AROUND: Duration = Duration::from_millis(100);
/// What a sender may, per session; by default it is a hundred times that.
const MESSAGES_PER_SECOND: usize = 200;
/// What others take of that: they choose at random who writes next.
const FAIR_PER_SECOND: usize = MESSAGES_PER_SECOND / 4;
/// What a gateway admits; by default it is five times that.
const LOGINS_PER_SECOND: usize = 1_000;
/// Sessions besides those of the others: what a bound of memory is made of.
const ATTACKING_SESSIONS: usize = 500;
/// Of what `--check` says, what grows with sessions and what they send. The
/// rest is for links and lists, which nobody fills here.
const BOUNDED: [&str; 3] = ["all sessions", "store", "store, mailbox cache"];

/// `unfair`
pub fn run(unfair: &Unfair) -> Result<()> {
    interrupt::listen()?;
    let rows = rows(&unfair.only);
    let mut reports = vec![Vec::new(); rows.len()];
    // Round by round, so that what is compared is measured at the same time.
    for round in 1..=unfair.load.runs.get() {
        for ((name, attacks), reports) in rows.iter().zip(&mut reports) {
            eprintln!("bench: run {round} of {}: {name}", unfair.load.runs);
            let report = Report {
                attack: Some(name),
                profile: binaries::profile()?,
                ..measure(unfair, attacks).with_context(|| format!("attack: {name}"))?
            };
            eprintln!("{}", serde_json::to_string(&report)?);
            reports.push(report);
        }
    }
    let summaries: Result<Vec<_>> = reports.iter().map(|runs| report::summary(runs)).collect();
    println!("{}", verdict::markdown(&summaries?));
    Ok(())
}

/// What is measured: first nobody attacks, then each one alone, then all; or
/// only some, each alone.
fn rows(only: &[Attack]) -> Vec<(&'static str, Vec<Attack>)> {
    let attacks = if only.is_empty() { &Attack::ALL } else { only };
    let alone = attacks.iter().map(|attack| (attack.name(), vec![*attack]));
    let mut rows = vec![("none", Vec::new())];
    rows.extend(alone);
    if only.is_empty() {
        rows.push(("all at once", Attack::ALL.to_vec()));
    }
    rows
}

/// What attackers did, what was counted of it, and what servers spent.
struct Attacked {
    per_s: BTreeMap<String, f64>,
    counted: BTreeMap<String, u64>,
    memory_peak: u64,
    spent: Spent,
}

fn measure(unfair: &Unfair, attacks: &[Attack]) -> Result<Report> {
    let load = &unfair.load;
    let sessions = 2 * load.pairs.get();
    ensure!(
        load.closed.is_none() && load.rate.get() as usize <= sessions * FAIR_PER_SECOND,
        "others are to stay below {FAIR_PER_SECOND} messages per second each: more pairs, a lower \
         rate, and no closed loop"
    );
    run::allow_files(sessions)?;
    let mut target = Target::cluster(&unfair.cluster, &launch(sessions))?;
    let bound = target.memory_bound(&BOUNDED)?;
    let window = Duration::from_secs(u64::from(load.secs.get()));
    let dialect = Dialect::Cluster;
    let crews = run::crews(load, dialect, window, false, &target)?;
    let (attacked, outcome) = crew::work(&mut target, &crews, |target, watch| {
        meter::settle(target)?;
        attack(target, watch, attacks, window)
    })?;
    let tally = &outcome.tally;
    ensure!(
        tally.lost + tally.unanswered + tally.refused + tally.unknown == 0,
        "others paid for it: {tally:?}"
    );
    let messages = outcome.delivered_in_window;
    Ok(Report {
        sessions,
        pairs: Some(load.pairs.get()),
        size: Some(load.size),
        secs: Some(load.secs.get()),
        rate: Some(load.rate.get()),
        per_s: ratio(messages as f64, window.as_secs_f64()),
        attacked_per_s: Some(attacked.per_s),
        counted: Some(attacked.counted),
        memory_peak_bytes: Some(attacked.memory_peak),
        memory_bound_bytes: Some(bound),
        cpu_us_per_msg: attacked.spent.us_per(messages),
        ..Report::of_cluster("unfair", &unfair.cluster)
            .with_outcome(&outcome, dialect)
            .with_parts(&attacked.spent, messages)
    })
}

/// The window, with attackers at work from before its start to its end.
fn attack(
    target: &mut Target,
    watch: &Watch,
    attacks: &[Attack],
    window: Duration,
) -> Result<Attacked> {
    let names = attacks.iter().flat_map(|attack| attack.counters());
    let names: Vec<&str> = names.copied().collect();
    let before = counters(target, &names)?;
    let began = Instant::now();
    let start = |attack: &Attack| Attacker::start(*attack, &target.gateways);
    let mut attackers: Vec<_> = attacks.iter().map(start).collect::<Result<_>>()?;
    loop {
        let now = counters(target, &names)?;
        let idle = names.iter().zip(before.iter().zip(&now));
        let idle: Vec<_> = idle.filter(|(_, (before, now))| now <= before).collect();
        if idle.is_empty() {
            break;
        }
        ensure!(began.elapsed() < PATIENCE, "nothing is counted: {idle:?}");
        attackers.iter_mut().try_for_each(Attacker::check)?;
        watch.wait_for(target, Instant::now() + LOOK_AROUND)?;
    }
    let start = watch.start_window(target)?;
    let meter = Meter::start(target)?;
    watch.wait_for(target, start + window)?;
    let spent = meter.stop(target)?;
    let after = counters(target, &names)?;
    let memory_peak = target.memory_peak()?;
    let mut attacked = Attacked {
        memory_peak,
        spent,
        per_s: BTreeMap::new(),
        counted: BTreeMap::new(),
    };
    for (attack, attacker) in attacks.iter().zip(attackers) {
        let done = attacker.stop()? as f64;
        let per_s = ratio(done, began.elapsed().as_secs_f64()).unwrap_or_default();
        attacked.per_s.insert(attack.name().to_owned(), per_s);
    }
    watch.wait_for_threads(target)?;
    for (name, (before, after)) in names.iter().zip(before.iter().zip(&after)) {
        attacked.counted.insert((*name).to_owned(), after - before);
    }
    Ok(attacked)
}

fn counters(target: &Target, names: &[&str]) -> Result<Vec<u64>> {
    let counter = |name: &&str| {
        let count = target.counter(name)?;
        count.with_context(|| format!("nobody counts {name}"))
    };
    names.iter().map(counter).collect()
}

/// Everything at its default, but for the bounds that an attacker here could
/// not meet, and for how many may be there at all.
fn launch(others: usize) -> Launch {
    let sessions = others + ATTACKING_SESSIONS;
    let gateway = format!(
        "[gateway]\nlogins_per_second = {LOGINS_PER_SECOND}\nsessions_max = {sessions}\n\
         sessions_per_address_max = {sessions}\n"
    );
    let shard = format!(
        "[shard]\nsession_messages_per_second = {MESSAGES_PER_SECOND}\n\
         user_messages_per_second = {}\n",
        2 * MESSAGES_PER_SECOND
    );
    Launch {
        gateway_settings: gateway,
        shard_settings: shard,
        ..Launch::open()
    }
}
