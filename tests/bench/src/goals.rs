//! The targets: what is measured for the table, and what each figure is to be.
//!
//! Owns the figures of the table. Must not know how they are measured or shown.

/// How the daemons run, in the order of a goal's limits.
pub const SHAPES: [&str; 2] = ["imd", "processes"];

/// One benchmark of the table.
pub struct Measurement {
    /// Its command line, without `bench` and without `--processes`.
    pub line: &'static str,
    /// The same, short: for seeing that it runs.
    pub quick: &'static str,
    /// How often; the median counts.
    pub runs: usize,
    /// What is looked at.
    pub goals: &'static [Goal],
}

impl Measurement {
    /// Its command line, and the relay's under the same load, where there is
    /// one.
    pub fn lines(&self, quick: bool) -> (&'static str, Option<String>) {
        let line = if quick { self.quick } else { self.line };
        let load = line.strip_prefix("chat");
        (line, load.map(|load| format!("relay --acked{load}")))
    }
}

/// One row.
pub struct Goal {
    /// What it is, with its unit.
    pub name: &'static str,
    /// The field of the report.
    pub field: &'static str,
    /// What it is to be, by shape; `None` where nothing is asked.
    pub limits: [Option<Limit>; 2],
}

/// What a figure is to be.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// At most this.
    AtMost(f64),
    /// At least this.
    AtLeast(f64),
    /// At most so many times the relay's figure, or this, whichever is larger.
    RelayTimes(f64, f64),
}

use Limit::{AtLeast, AtMost, RelayTimes};

const fn goal(name: &'static str, field: &'static str, limits: [Option<Limit>; 2]) -> Goal {
    Goal {
        name,
        field,
        limits,
    }
}

const fn at_most(one_process: f64, processes: f64) -> [Option<Limit>; 2] {
    [Some(AtMost(one_process)), Some(AtMost(processes))]
}

const KIB: f64 = 1_024.0;

/// Everything that is measured.
pub const MEASUREMENTS: &[Measurement] = &[
    Measurement {
        line: "chat --rate 5000",
        quick: "chat --rate 200 --pairs 3 --secs 1",
        runs: 5,
        goals: &[
            goal(
                "chat at 5,000 messages/s: CPU per message, µs",
                "cpu_us_per_msg",
                at_most(45.0, 120.0),
            ),
            goal(
                "chat at 5,000 messages/s: p99, µs",
                "p99_us",
                [
                    Some(RelayTimes(2.0, 2_000.0)),
                    Some(RelayTimes(3.0, 3_000.0)),
                ],
            ),
            goal("chat at 5,000 messages/s: lost", "lost", at_most(0.0, 0.0)),
        ],
    },
    Measurement {
        line: "chat --rate 20000",
        quick: "chat --rate 400 --pairs 3 --secs 1",
        runs: 3,
        goals: &[goal(
            "chat at 20,000 messages/s: CPU per message, µs",
            "cpu_us_per_msg",
            at_most(30.0, 50.0),
        )],
    },
    Measurement {
        line: "chat --closed 8",
        quick: "chat --closed 8 --pairs 3 --secs 1",
        runs: 3,
        goals: &[goal(
            "chat, 8 in flight per user: CPU per message, µs",
            "cpu_us_per_msg",
            at_most(4.0, 8.0),
        )],
    },
    Measurement {
        line: "idle --n 10000",
        quick: "idle --n 20",
        runs: 3,
        goals: &[goal(
            "idle session, 10,000: bytes",
            "pss_bytes_per_session",
            at_most(2.0 * KIB, 2.0 * KIB),
        )],
    },
    Measurement {
        line: "idle --n 4000 --tls",
        quick: "idle --n 20 --tls",
        runs: 3,
        goals: &[goal(
            "idle session, 4,000 over TLS: bytes",
            "pss_bytes_per_session",
            at_most(11.0 * KIB, 11.0 * KIB),
        )],
    },
    Measurement {
        line: "login --users 2000 --friends 20 --token eddsa --again",
        quick: "login --users 20 --friends 4 --token eddsa --again",
        runs: 3,
        goals: &[
            goal(
                "log-in with presence and snapshot: CPU each, µs",
                "cpu_us_per_login",
                at_most(150.0, 250.0),
            ),
            goal(
                "again with the right hashes: requests to friendd",
                "again_friendd_requests",
                at_most(0.0, 0.0),
            ),
        ],
    },
    Measurement {
        line: "presence --users 2000 --friends 20",
        quick: "presence --users 20 --friends 4",
        runs: 3,
        goals: &[goal(
            "all turn visible: CPU per notification, µs",
            "cpu_us_per_notification",
            at_most(6.0, 10.0),
        )],
    },
    Measurement {
        line: "offline --users 500 --per 200 --senders 64 --window 16",
        quick: "offline --users 10 --per 20 --senders 4 --window 4",
        runs: 3,
        goals: &[
            goal(
                "storing for who is away: CPU per message, µs",
                "store_cpu_us_per_msg",
                at_most(12.0, 20.0),
            ),
            goal(
                "storing for who is away: messages/s",
                "store_per_s",
                [Some(AtLeast(40_000.0)), None],
            ),
            goal(
                "draining, log-in included: CPU per message, µs",
                "drain_cpu_us_per_msg",
                at_most(10.0, 15.0),
            ),
        ],
    },
    Measurement {
        line: "crash",
        quick: "crash --pairs 2 --users 5 --senders 2 --secs 2",
        runs: 3,
        goals: &[goal(
            "kill -9 in mid-load: acknowledged and lost",
            "lost",
            at_most(0.0, 0.0),
        )],
    },
];

impl Limit {
    /// The bound in force; `None` where it needs the relay's figure and there
    /// is none.
    pub fn bound(self, relay: Option<f64>) -> Option<f64> {
        match self {
            AtMost(bound) | AtLeast(bound) => Some(bound),
            RelayTimes(times, at_least) => Some((relay? * times).max(at_least)),
        }
    }

    /// Whether a figure is within it.
    pub fn is_met(self, figure: f64, relay: Option<f64>) -> Option<bool> {
        let bound = self.bound(relay)?;
        Some(match self {
            AtLeast(_) => figure >= bound,
            AtMost(_) | RelayTimes(..) => figure <= bound,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use serde_json::Value;

    use super::*;
    use crate::arguments::Arguments;
    use crate::report::Report;

    #[test]
    fn every_line_is_understood_and_every_field_is_there() {
        let report = serde_json::to_value(Report::default()).unwrap();
        let Value::Object(fields) = report else {
            panic!("a report is an object")
        };
        for measurement in MEASUREMENTS {
            for quick in [false, true] {
                let (line, relay) = measurement.lines(quick);
                let processes = format!("{line} --processes");
                for line in [Some(line.to_owned()), Some(processes), relay] {
                    let Some(line) = line else { continue };
                    let words = std::iter::once("bench").chain(line.split(' '));
                    assert!(Arguments::try_parse_from(words).is_ok(), "{line}");
                }
            }
            for goal in measurement.goals {
                assert!(fields.contains_key(goal.field), "{}", goal.field);
            }
        }
    }

    #[test]
    fn a_limit_by_the_relay_has_a_floor() {
        let limit = RelayTimes(2.0, 2_000.0);
        assert_eq!(limit.is_met(1_999.0, Some(10.0)), Some(true));
        assert_eq!(limit.is_met(2_001.0, Some(10.0)), Some(false));
        assert_eq!(limit.is_met(2_999.0, Some(1_500.0)), Some(true));
        assert_eq!(limit.is_met(1.0, None), None);
        assert_eq!(AtLeast(5.0).is_met(5.0, None), Some(true));
        assert_eq!(AtLeast(5.0).is_met(4.9, None), Some(false));
        assert_eq!(AtMost(5.0).is_met(5.1, None), Some(false));
    }
}
