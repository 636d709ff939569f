//! What others noticed of attackers, as a Markdown table.
//!
//! Owns what is asked of each figure. Must not know where figures come from.

use serde_json::Value;

use crate::report::ratio;

/// The tail of the others may be so many times that without an attack, or this
/// long, in microseconds, whichever is larger.
const P99_TIMES: f64 = 2.0;
const P99_US: f64 = 5_000.0;
const MIB: f64 = 1_048_576.0;

/// A row for each figure; the first report is that without an attack.
pub fn markdown(reports: &[Value]) -> String {
    let mut out =
        String::from("| attack | figure | measured | target | |\n|---|---|---:|---:|---|\n");
    let Some(calm) = reports.first() else {
        return out;
    };
    for report in reports {
        let attack = report["attack"].as_str().unwrap_or_default();
        for row in rows(report, calm) {
            out += &format!("| {attack} | {row} |\n");
        }
    }
    out
}

fn rows(report: &Value, calm: &Value) -> Vec<String> {
    let figure = |field: &str| report[field].as_f64();
    let is_calm = report["attack"] == calm["attack"];
    let mut rows = vec![free("others: p50, µs", figure("p50_us"))];
    let p99 = figure("p99_us");
    if is_calm {
        rows.push(free("others: p99, µs", p99));
    } else {
        let calm = calm["p99_us"].as_f64();
        let bound = calm.map(|calm| (P99_TIMES * calm).max(P99_US));
        rows.push(at_most("others: p99, µs", p99, bound));
        let times = p99.and_then(|p99| ratio(p99, calm?));
        rows.push(free("others: p99, × that of none", times));
    }
    for field in ["lost", "unanswered"] {
        rows.push(at_most(
            &format!("others: {field}"),
            figure(field),
            Some(0.0),
        ));
    }
    let spent = figure("cpu_us_per_msg");
    rows.push(free(
        "servers: processor time per message of others, µs",
        spent,
    ));
    let mib = |field| figure(field).map(|bytes| (bytes / MIB).ceil());
    let (peak, bound) = (mib("memory_peak_bytes"), mib("memory_bound_bytes"));
    rows.push(at_most("memory at its peak, MiB", peak, bound));
    for (counter, count) in numbers(&report["counted"]) {
        rows.push(at_least(counter, count, 1.0));
    }
    for (attack, per_s) in numbers(&report["attacked_per_s"]) {
        let name = format!("the attacker did, per second: {attack}");
        rows.push(free(&name, Some(per_s)));
    }
    rows
}

fn numbers(object: &Value) -> impl Iterator<Item = (&String, f64)> {
    let fields = object.as_object().into_iter().flatten();
    fields.filter_map(|(name, value)| Some((name, value.as_f64()?)))
}

fn free(name: &str, figure: Option<f64>) -> String {
    format!("{name} | {} | | ", shown(figure))
}

fn at_most(name: &str, figure: Option<f64>, bound: Option<f64>) -> String {
    let met = figure.zip(bound).map(|(figure, bound)| figure <= bound);
    let target = format!("≤ {}", shown(bound));
    format!("{name} | {} | {target} | {}", shown(figure), verdict(met))
}

fn at_least(name: &str, figure: f64, bound: f64) -> String {
    format!(
        "{name} | {figure} | ≥ {bound} | {}",
        verdict(Some(figure >= bound))
    )
}

fn verdict(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "**missed**",
        None => "no figure",
    }
}

fn shown(figure: Option<f64>) -> String {
    figure.map(|figure| figure.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn report(attack: &str, p99_us: u64) -> Value {
        json!({
            "attack": attack, "p50_us": 90, "p99_us": p99_us,
            "lost": 0, "unanswered": 0,
            "memory_peak_bytes": 3 << 20, "memory_bound_bytes": 2 << 20,
            "counted": {"connd_refused_total": 7}, "attacked_per_s": {"logins": 12.5},
        })
    }

    #[test]
    fn others_may_wait_twice_as_long_or_a_little() {
        let table = |calm, attacked| markdown(&[report("none", calm), report("logins", attacked)]);
        let met = "| logins | others: p99, µs | 4999 | ≤ 5000 | met |\n";
        assert!(table(100, 4_999).contains(met));
        let missed = "| logins | others: p99, µs | 6001 | ≤ 6000 | **missed** |\n";
        assert!(table(3_000, 6_001).contains(missed));
        let times = "| logins | others: p99, × that of none | 2 | |  |\n";
        assert!(table(3_000, 6_000).contains(times));
    }

    #[test]
    fn every_bound_has_its_row() {
        let table = markdown(&[report("none", 100), report("logins", 100)]);
        for row in [
            "| none | memory at its peak, MiB | 3 | ≤ 2 | **missed** |",
            "| logins | connd_refused_total | 7 | ≥ 1 | met |",
            "| logins | the attacker did, per second: logins | 12.5 | |  |",
            "| logins | others: lost | 0 | ≤ 0 | met |",
        ] {
            assert!(table.contains(row), "{row} in {table}");
        }
        assert!(!table.contains("others: p99, × that of none | 1 | |  |\n| none"));
    }
}
