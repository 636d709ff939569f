//! The figures as they are shown: one JSON object per line.
//!
//! Owns the fields' names, and what several runs come to. README.md tells what
//! each field means. Must not know how a figure came about.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::arguments::{Cluster, Sync};
use crate::dialect::Dialect;
use crate::growth::ByLife;
use crate::meter::Spent;
use crate::outcome::Outcome;
use crate::post::Post;
use crate::repeats::Repeats;

/// Fields that count what must not happen: of several runs the sum is shown,
/// of all others the median.
const SUMMED: [&str; 9] = [
    "lost",
    "unanswered",
    "unknown",
    "refused",
    "duplicates",
    "out_of_order",
    "unsent",
    "put_off",
    "threads_ended",
];

/// The figures of one run; `None` where one does not apply.
#[derive(Debug, Clone, Default, Serialize)]
#[allow(missing_docs)]
pub struct Report {
    pub bench: &'static str,
    pub profile: String,
    pub attack: Option<&'static str>,
    pub processes: Option<bool>,
    pub connds: Option<NonZeroUsize>,
    pub msgds: Option<NonZeroUsize>,
    pub redis: Option<&'static str>,
    pub sessions: usize,
    pub tls: Option<bool>,
    pub handshakes: Option<u64>,
    pub pairs: Option<usize>,
    pub members: Option<usize>,
    pub deaf: Option<usize>,
    pub size: Option<usize>,
    pub secs: Option<u32>,
    pub rate: Option<u32>,
    pub messages_per_s: Option<f64>,
    pub closed: Option<usize>,
    pub acked: Option<bool>,
    pub friends: Option<bool>,
    pub friends_per_user: Option<usize>,
    pub token: Option<&'static str>,
    pub recipients: Option<usize>,
    pub senders: Option<usize>,
    pub window: Option<usize>,
    pub messages: Option<u64>,
    pub delivered: Option<u64>,
    pub lost: Option<u64>,
    pub unanswered: Option<u64>,
    pub unknown: Option<u64>,
    pub refused: Option<u64>,
    pub duplicates: Option<u64>,
    pub out_of_order: Option<u64>,
    pub stored: Option<u64>,
    pub unsent: Option<u64>,
    pub per_s: Option<f64>,
    pub p50_us: Option<u64>,
    pub p99_us: Option<u64>,
    pub sent_p50_us: Option<u64>,
    pub sent_p99_us: Option<u64>,
    pub late_p50_us: Option<u64>,
    pub late_p99_us: Option<u64>,
    pub cpu_us_per_msg: Option<f64>,
    pub cpu_us_per_delivery: Option<f64>,
    pub cpu_us_per_join: Option<f64>,
    pub cpu_us_per_page: Option<f64>,
    pub cpu_us_by_part: Option<BTreeMap<String, f64>>,
    pub cpu_us_by_thread: Option<BTreeMap<String, f64>>,
    pub threads_ended: Option<u64>,
    pub generator_cpu_us_per_msg: Option<f64>,
    pub pss_bytes_per_session: Option<f64>,
    pub steady: Option<bool>,
    pub friendd_requests: Option<u64>,
    pub put_off: Option<u64>,
    pub cpu_us_per_login: Option<f64>,
    pub again_cpu_us_per_login: Option<f64>,
    pub again_friendd_requests: Option<u64>,
    pub notifications: Option<u64>,
    pub cpu_us_per_notification: Option<f64>,
    pub store_cpu_us_per_msg: Option<f64>,
    pub store_per_s: Option<f64>,
    pub drain_cpu_us_per_msg: Option<f64>,
    pub drain_cpu_us_by_part: Option<BTreeMap<String, f64>>,
    pub drain_per_s: Option<f64>,
    pub kills: Option<u32>,
    pub open_at_kill: Option<u64>,
    pub written_again: Option<u64>,
    pub back_ms: Option<u64>,
    pub failover: Option<&'static str>,
    pub moved: Option<usize>,
    pub served_after_ms: Option<u64>,
    pub pause_p50_ms: Option<u64>,
    pub pause_p99_ms: Option<u64>,
    pub others_pause_p99_ms: Option<u64>,
    pub logins_per_s_max: Option<usize>,
    pub restarts: Option<u32>,
    pub redelivered: Option<u64>,
    pub visits: Option<u64>,
    pub status_changes: Option<u64>,
    pub memory_growth_percent: Option<f64>,
    pub rss_growth_percent: Option<f64>,
    pub pss_kib_by_life: Option<ByLife>,
    pub rss_kib_by_life: Option<ByLife>,
    pub attacked_per_s: Option<BTreeMap<String, f64>>,
    pub counted: Option<BTreeMap<String, u64>>,
    pub memory_peak_bytes: Option<u64>,
    pub memory_bound_bytes: Option<u64>,
}

impl Report {
    /// What a benchmark of a cluster knows before it starts.
    pub fn of_cluster(bench: &'static str, cluster: &Cluster) -> Self {
        Self {
            bench,
            processes: Some(cluster.processes),
            connds: cluster.processes.then_some(cluster.connds),
            msgds: cluster.processes.then_some(cluster.msgds),
            redis: cluster.redis.map(Sync::name),
            ..Self::default()
        }
    }

    /// Adds what became of the messages.
    pub fn with_outcome(self, outcome: &Outcome, dialect: Dialect) -> Self {
        let tally = &outcome.tally;
        let answers = dialect.has_answers();
        Self {
            messages: Some(tally.messages),
            delivered: Some(tally.delivered),
            lost: answers.then_some(tally.lost),
            unanswered: Some(tally.unanswered),
            unknown: answers.then_some(tally.unknown),
            refused: answers.then_some(tally.refused),
            duplicates: Some(tally.duplicates),
            stored: answers.then_some(tally.stored),
            unsent: Some(outcome.unsent),
            p50_us: outcome.delivery.quantile_us(0.5),
            p99_us: outcome.delivery.quantile_us(0.99),
            sent_p50_us: outcome.sent.quantile_us(0.5).filter(|_| answers),
            sent_p99_us: outcome.sent.quantile_us(0.99).filter(|_| answers),
            late_p50_us: outcome.late.quantile_us(0.5),
            late_p99_us: outcome.late.quantile_us(0.99),
            ..self
        }
    }

    /// Adds what became of the messages of [`Post`].
    pub fn with_post(self, post: &Post, size: usize) -> Self {
        let tally = post.tally();
        Self {
            size: Some(size),
            messages: Some(tally.messages),
            delivered: Some(tally.delivered),
            lost: Some(tally.lost),
            unanswered: Some(tally.unanswered),
            unknown: Some(tally.unknown),
            refused: Some(tally.refused),
            duplicates: Some(tally.duplicates),
            out_of_order: Some(post.out_of_order()),
            stored: Some(tally.stored),
            written_again: Some(post.written_again()),
            ..self
        }
    }

    /// Adds which deliveries were not the first: those that a restart explains
    /// are not called duplicates.
    pub fn with_repeats(self, repeats: &Repeats) -> Self {
        Self {
            duplicates: Some(repeats.unexplained()),
            redelivered: Some(repeats.explained()),
            ..self
        }
    }

    /// Adds where processor time went, per message or whatever else was done.
    pub fn with_parts(self, spent: &Spent, done: u64) -> Self {
        let each = |nanos: u64| us_per(nanos, done);
        let by_thread = spent.servers.by_thread.iter();
        let by_thread = by_thread.filter_map(|(thread, ns)| Some((thread.clone(), each(*ns)?)));
        Self {
            cpu_us_by_part: Some(by_part(spent, done)),
            cpu_us_by_thread: Some(by_thread.collect()),
            threads_ended: Some(spent.servers.threads_ended),
            generator_cpu_us_per_msg: each(spent.generator_ns),
            ..self
        }
    }
}

/// Processor time of each part, in microseconds per what was done.
pub fn by_part(spent: &Spent, done: u64) -> BTreeMap<String, f64> {
    let parts = spent.servers.by_part.iter();
    parts
        .filter_map(|(part, nanos)| Some(((*part).into(), us_per(*nanos, done)?)))
        .collect()
}

/// Nanoseconds as microseconds per what was done; `None` of nothing.
pub fn us_per(nanos: u64, done: u64) -> Option<f64> {
    ratio(nanos as f64 / 1_000.0, done as f64)
}

/// A quotient to two digits; `None` of nothing.
pub fn ratio(amount: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| (amount / of * 100.0).round() / 100.0)
}

/// What several runs come to: the median of each figure, the sum of each of
/// [`SUMMED`].
pub fn summary(runs: &[Report]) -> Result<Value> {
    let values = runs
        .iter()
        .map(|run| Ok(serde_json::to_value(run)?))
        .collect::<Result<Vec<_>>>()?;
    let mut merged = merge("", &values);
    if let Value::Object(fields) = &mut merged {
        fields.insert("runs".to_owned(), runs.len().into());
    }
    Ok(merged)
}

fn merge(field: &str, values: &[Value]) -> Value {
    let mut numbers: Vec<f64> = values.iter().filter_map(Value::as_f64).collect();
    if !numbers.is_empty() && SUMMED.contains(&field) {
        let sum: u64 = values.iter().filter_map(Value::as_u64).sum();
        return sum.into();
    }
    if !numbers.is_empty() {
        numbers.sort_by(f64::total_cmp);
        let median = numbers[(numbers.len() - 1) / 2];
        // As it was written: a count stays a whole number.
        let written = values.iter().find(|value| value.as_f64() == Some(median));
        return written.cloned().unwrap_or(Value::Null);
    }
    if values.iter().any(Value::is_object) {
        let objects: Vec<_> = values.iter().filter_map(Value::as_object).collect();
        let names = objects.iter().flat_map(|object| object.keys());
        let one = |name: &String| {
            let of_name = objects.iter().filter_map(|object| object.get(name));
            let of_name: Vec<Value> = of_name.cloned().collect();
            (name.clone(), merge(name, &of_name))
        };
        return Value::Object(names.map(one).collect::<Map<_, _>>());
    }
    // A run in which something was not so counts for all: `steady`.
    let odd = values.iter().find(|value| **value == Value::Bool(false));
    odd.or(values.first()).cloned().unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(cpu: f64, lost: u64, steady: bool) -> Report {
        Report {
            bench: "chat",
            cpu_us_per_msg: Some(cpu),
            cpu_us_by_part: Some([("imd".to_owned(), cpu)].into()),
            delivered: Some(50_000 + lost),
            lost: Some(lost),
            steady: Some(steady),
            ..Report::default()
        }
    }

    #[test]
    fn runs_come_to_medians_and_failures_to_sums() {
        let runs = [run(40.5, 1, true), run(90.0, 0, false), run(42.0, 2, true)];
        let summary = summary(&runs).unwrap();
        assert_eq!(summary["bench"], "chat");
        assert_eq!(summary["runs"], 3);
        assert_eq!(summary["cpu_us_per_msg"], 42.0);
        assert_eq!(summary["cpu_us_by_part"]["imd"], 42.0);
        assert_eq!(summary["delivered"], 50_001);
        assert_eq!(summary["lost"], 3);
        assert_eq!(summary["steady"], false);
        assert_eq!(summary["rate"], Value::Null);
    }

    #[test]
    fn a_quotient_of_nothing_is_none() {
        assert_eq!(ratio(1.0, 3.0), Some(0.33));
        assert_eq!(ratio(1.0, 0.0), None);
    }
}
