//! Figures beside their targets, as a Markdown table.
//!
//! Owns how a row looks. Must not know where figures come from.

use serde_json::Value;

use crate::goals::{Goal, Limit, Measurement, SHAPES};
use crate::report::ratio;

/// What the runs of one measurement came to; an error in words.
pub type Came = Result<Value, String>;

/// A measurement and what came of it: by shape, and of the relay.
pub struct Measured {
    /// Which.
    pub measurement: &'static Measurement,
    /// In the order of [`SHAPES`].
    pub shapes: [Came; 2],
    /// `None` where there is no relay for it.
    pub relay: Option<Came>,
}

/// The table.
pub fn markdown(all: &[Measured]) -> String {
    let mut out = String::from(
        "| figure | runs as | measured | target | relay | × relay | |\n\
         |---|---|---:|---:|---:|---:|---|\n",
    );
    for measured in all {
        for goal in measured.measurement.goals {
            for (shape, came) in SHAPES.iter().zip(&measured.shapes).enumerate() {
                let limit = goal.limits[shape];
                out += &row(goal, came.0, came.1, limit, measured.relay.as_ref());
            }
        }
    }
    out
}

fn row(
    goal: &Goal,
    shape: &str,
    came: &Came,
    limit: Option<Limit>,
    relay: Option<&Came>,
) -> String {
    let field = |came: &Value| came.get(goal.field).and_then(Value::as_f64);
    let relay = relay.and_then(|relay| field(relay.as_ref().ok()?));
    let figure = match came {
        Ok(report) => field(report),
        Err(_) => None,
    };
    let verdict = match (came, figure, limit) {
        (Err(e), ..) => format!("failed: {}", cell(e)),
        (Ok(_), None, _) => "no figure".to_owned(),
        (Ok(_), Some(_), None) => String::new(),
        (Ok(_), Some(figure), Some(limit)) => match limit.is_met(figure, relay) {
            Some(true) => "met".to_owned(),
            Some(false) => "**missed**".to_owned(),
            None => "no relay".to_owned(),
        },
    };
    let times = figure.and_then(|figure| ratio(figure, relay?));
    format!(
        "| {} | {shape} | {} | {} | {} | {} | {verdict} |\n",
        goal.name,
        shown(figure),
        limit.map(|limit| target(limit, relay)).unwrap_or_default(),
        shown(relay),
        shown(times),
    )
}

fn target(limit: Limit, relay: Option<f64>) -> String {
    match limit {
        Limit::AtMost(bound) => format!("≤ {bound}"),
        Limit::AtLeast(bound) => format!("≥ {bound}"),
        Limit::RelayTimes(times, _) => {
            let bound = shown(limit.bound(relay));
            format!("≤ {bound} ({times} × relay or more)")
        }
    }
}

fn shown(figure: Option<f64>) -> String {
    figure.map(|figure| figure.to_string()).unwrap_or_default()
}

/// Text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::goals::MEASUREMENTS;

    fn chat(imd: Came, processes: Came) -> String {
        markdown(&[Measured {
            measurement: &MEASUREMENTS[0],
            shapes: [imd, processes],
            relay: Some(Ok(
                json!({"cpu_us_per_msg": 20.0, "p99_us": 1_500, "lost": 0}),
            )),
        }])
    }

    fn line<'a>(table: &'a str, begins: &str, shape: &str) -> &'a str {
        let shape = format!("| {shape} |");
        let mut lines = table.lines();
        lines
            .find(|line| line.starts_with(begins) && line.contains(&shape))
            .unwrap()
    }

    #[test]
    fn a_row_has_figure_target_relay_and_verdict() {
        let table = chat(
            Ok(json!({"cpu_us_per_msg": 40.5, "p99_us": 2_900, "lost": 0})),
            Ok(json!({"cpu_us_per_msg": 130.0, "p99_us": 4_600, "lost": 1})),
        );
        let cpu = "| chat at 5,000 messages/s: CPU";
        assert!(line(&table, cpu, "imd").ends_with("| imd | 40.5 | ≤ 45 | 20 | 2.03 | met |"));
        let row = line(&table, cpu, "processes");
        assert!(
            row.ends_with("| 130 | ≤ 120 | 20 | 6.5 | **missed** |"),
            "{row}"
        );
        let p99 = "| chat at 5,000 messages/s: p99";
        let row = line(&table, p99, "imd");
        assert!(
            row.ends_with("| 2900 | ≤ 3000 (2 × relay or more) | 1500 | 1.93 | met |"),
            "{row}"
        );
        assert!(line(&table, p99, "processes").ends_with("**missed** |"));
        assert!(
            line(&table, "| chat at 5,000 messages/s: lost", "processes")
                .ends_with("| 1 | ≤ 0 | 0 |  | **missed** |")
        );
    }

    #[test]
    fn what_failed_says_so_in_its_own_row() {
        let table = chat(
            Err("a | b\nc".to_owned()),
            Ok(json!({"cpu_us_per_msg": null})),
        );
        let cpu = "| chat at 5,000 messages/s: CPU";
        assert!(line(&table, cpu, "imd").ends_with("failed: a \\| b c |"));
        assert!(line(&table, cpu, "processes").ends_with("| no figure |"));
    }
}
