//! The wish to stop early, by Ctrl-C or SIGTERM.
//!
//! Owns the signals. Who waits asks here; then children and data are cleared
//! away as at any end.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Result, ensure};
use tokio::signal::unix::{SignalKind, signal};

static ASKED: AtomicBool = AtomicBool::new(false);

/// Begins to listen. A second signal ends the process at once.
pub fn listen() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    let _guard = runtime.enter();
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            runtime.block_on(async {
                loop {
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                    }
                    if ASKED.swap(true, Ordering::Relaxed) {
                        std::process::exit(130);
                    }
                }
            });
        })?;
    Ok(())
}

/// Whether the wish was heard.
pub fn is_asked() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// An error if the wish was heard.
pub fn check() -> Result<()> {
    ensure!(!is_asked(), "stopped by a signal");
    Ok(())
}
