//! What concerns a whole process: its log and its end. Each scene plays in a
//! process of its own: this test program, started again for an ignored test.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use node::shutdown::Shutdown;
use node::telemetry::{self, Format, TelemetryError, TelemetrySettings};

#[test]
fn the_log_is_filtered_anew() {
    let output = run("child_that_logs");
    assert!(output.status.success(), "{}", text(&output.stdout));
    let log = text(&output.stderr);
    assert!(!log.contains("unseen"), "{log}");
    let lines: Vec<_> = log.lines().collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(
        lines[0].contains(r#""level":"INFO","message":"seen""#),
        "{log}"
    );
    assert!(
        lines[1].contains(r#""level":"DEBUG","message":"seen too","id":7"#),
        "{log}"
    );
}

#[test]
#[ignore = "started by the_log_is_filtered_anew"]
fn child_that_logs() {
    let settings = TelemetrySettings {
        format: Format::Json,
        ..TelemetrySettings::default()
    };
    let log = telemetry::init(&settings).unwrap();
    tracing::info!("seen");
    tracing::debug!("unseen");
    log.set_filter("warn,process=debug").unwrap();
    tracing::debug!(id = 7, "seen too");
    let refused = log.set_filter("loud=very").unwrap_err().to_string();
    assert!(refused.contains("loud=very"), "{refused}");
    let twice = telemetry::init(&settings).unwrap_err();
    assert!(matches!(twice, TelemetryError::Twice));
}

#[test]
fn signals_ask_to_stop() {
    let output = run("child_that_is_asked_to_stop");
    assert!(output.status.success(), "{}", text(&output.stdout));
    assert_eq!(text(&output.stderr), "SIGTERM SIGINT ");
}

#[test]
#[ignore = "started by signals_ask_to_stop"]
fn child_that_is_asked_to_stop() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut shutdown = Shutdown::listen().unwrap();
        for signal in ["-TERM", "-INT"] {
            let own = std::process::id().to_string();
            assert!(
                Command::new("kill")
                    .args([signal, &own])
                    .status()
                    .unwrap()
                    .success()
            );
            let named = shutdown.asked().await;
            write!(std::io::stderr(), "{named} ").unwrap();
        }
    });
}

fn run(test: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", test])
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
