//! The generator and the relay together, as they are run by hand.

use std::process::{Command, Stdio};

use serde_json::Value;

/// Runs the benchmark and returns the last line of its output.
fn bench(arguments: &str) -> Value {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(arguments.split(' '))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

fn number(report: &Value, field: &str) -> f64 {
    let value = report[field].as_f64();
    value.unwrap_or_else(|| panic!("{field} in {report}"))
}

fn assert_nothing_went_wrong(report: &Value) {
    for field in ["unanswered", "duplicates", "unsent"] {
        assert_eq!(number(report, field), 0.0, "{field} in {report}");
    }
    assert_eq!(report["messages"], report["delivered"], "{report}");
    assert!(number(report, "p50_us") <= number(report, "p99_us"));
    for field in ["per_s", "cpu_us_per_msg", "generator_cpu_us_per_msg"] {
        assert!(number(report, field) > 0.0, "{field} in {report}");
    }
    let by_part = number(&report["cpu_us_by_part"], "relay");
    assert_eq!(by_part, number(report, "cpu_us_per_msg"));
}

#[test]
fn an_open_loop_sends_by_its_plan_and_each_message_is_answered() {
    let report = bench("relay --acked --pairs 3 --rate 1000 --secs 1 --threads 2");
    assert_nothing_went_wrong(&report);
    assert_eq!(number(&report, "messages"), 1_000.0);
    assert_eq!(number(&report, "lost"), 0.0);
    // The answer follows the delivery.
    assert!(number(&report, "sent_p50_us") >= number(&report, "p50_us"));
    assert_eq!(report["bench"], "relay");
    assert_eq!(report["rate"], 1_000);
    assert_eq!(report["sessions"], 6);
    for field in ["processes", "pss_bytes_per_session", "friendd_requests"] {
        assert_eq!(report[field], Value::Null, "{field}");
    }
}

#[test]
fn without_answers_a_delivery_stands_for_one() {
    let report = bench("relay --pairs 2 --rate 500 --secs 1 --runs 2 --size 10000");
    assert_nothing_went_wrong(&report);
    assert_eq!(number(&report, "messages"), 500.0);
    assert_eq!(report["runs"], 2);
    for field in ["lost", "sent_p50_us", "refused"] {
        assert_eq!(report[field], Value::Null, "{field}");
    }
}

#[test]
fn a_closed_loop_goes_on_until_the_window_ends() {
    for acked in ["relay", "relay --acked"] {
        let report = bench(&format!("{acked} --closed 8 --pairs 2 --secs 1"));
        assert_nothing_went_wrong(&report);
        // 32 are unanswered at any time; a thousandth of what is usual.
        assert!(number(&report, "messages") > 200.0, "{report}");
        assert_eq!(report["closed"], 8);
        assert_eq!(report["rate"], Value::Null);
    }
}

#[test]
fn more_at_once_than_is_granted_is_said_so() {
    let output = Command::new(env!("CARGO_BIN_EXE_bench"))
        .args(["relay", "--acked", "--closed", "129", "--pairs", "1"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("grants 128"), "{text}");
}

#[test]
fn a_bare_loop_writes_each_frame_to_all() {
    let report = bench("relay-fanout --members 10 --rate 50 --secs 1");
    assert_eq!(number(&report, "messages"), 50.0);
    assert_eq!(number(&report, "delivered"), 500.0);
    assert_eq!(number(&report, "lost"), 0.0);
    assert!(number(&report, "cpu_us_per_delivery") > 0.0, "{report}");
}
