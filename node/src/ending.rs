//! The last word of a daemon that ends with an error: one line, to stderr.
//!
//! Must not know what can go wrong.

use std::error::Error;
use std::process::ExitCode;

/// What `main` returns: 0, or 1 after a line that says why.
pub fn ending<E: AsRef<dyn Error>>(result: Result<(), E>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", line(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes; those that it names itself are not repeated.
fn line(error: &dyn Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !line.contains(&text) {
            line = format!("{line}: {text}");
        }
        cause = error.source();
    }
    line.replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    enum Wrong {
        #[error("--listen {0}")]
        Listen(u16, #[source] io::Error),
        #[error("--admin: {0}")]
        Admin(#[source] io::Error),
    }

    #[test]
    fn each_cause_is_named_once() {
        let taken = || io::Error::other("taken");
        assert_eq!(line(&Wrong::Listen(7, taken())), "--listen 7: taken");
        assert_eq!(line(&Wrong::Admin(taken())), "--admin: taken");
    }
}
