//! The wish to read the settings again: SIGHUP.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Listens for SIGHUP, if there is something to be read again.
///
/// Without a settings file it is left as it is: a terminal that closes ends
/// what was started in it.
#[derive(Debug)]
pub struct Hangup(Option<Signal>);

impl Hangup {
    /// Begins to listen, if `wanted`. Call it inside a tokio runtime with I/O
    /// enabled.
    ///
    /// # Errors
    /// The system does not let us listen.
    pub fn listen(wanted: bool) -> io::Result<Self> {
        let hangup = wanted.then(|| signal(SignalKind::hangup())).transpose()?;
        Ok(Self(hangup))
    }

    /// Waits for the next; for ever, if it does not listen.
    pub async fn asked(&mut self) {
        match &mut self.0 {
            Some(hangup) => {
                hangup.recv().await;
            }
            None => std::future::pending().await,
        }
    }
}
