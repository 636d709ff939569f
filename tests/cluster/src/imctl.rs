//! `imctl`, as an operator calls it.
//!
//! Owns the call. Must not know what it says.

use std::process::{Command, Stdio};

use crate::binaries::program;

/// What a call has left.
#[derive(Debug, Clone)]
pub struct Said {
    /// It has done what it was asked.
    pub done: bool,
    /// What it says.
    pub out: String,
    /// What it complains of.
    pub error: String,
}

/// Calls it, while the test goes on.
pub async fn imctl(words: &[&str]) -> Said {
    let mut command = Command::new(program("imctl"));
    command.args(words).stdin(Stdio::null());
    let called = tokio::task::spawn_blocking(move || command.output());
    let output = called.await.expect("a thread").expect("imctl starts");
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Said {
        done: output.status.success(),
        out: text(output.stdout),
        error: text(output.stderr),
    }
}

/// Calls it, and it does what it is asked.
///
/// # Panics
/// It does not.
pub async fn obeyed(words: &[&str]) -> String {
    let said = imctl(words).await;
    assert!(said.done, "{words:?}: {said:?}");
    said.out
}
