//! Every part of the cluster in one process, over an embedded store.
//!
//! Owns how parts are put together. Holds no logic of any of them.

mod flags;
mod parts;
mod thread;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use flags::Flags;
use node::admin::{Admin, Readiness};
use node::metrics::Metrics;
use node::shutdown::Shutdown;
use parts::Parts;
use tokio::sync::Notify;

/// For the friend service to answer what it was asked, when all else is over.
const GRACE: Duration = Duration::from_millis(200);

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    flags.check()?;
    flags.daemon.telemetry()?;
    node::limits::raise_open_files().context("limit on open files")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(flags))
}

async fn run(flags: Flags) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let metrics = Metrics::default();
    let parts = Parts::open(&flags, &metrics)?;
    let mut friendd = tokio::spawn(parts.friendd.run());
    let ended = Arc::new(Notify::new());
    let threads = thread::start_all(parts.threads, &ended)?;
    let ready = parts.serving.clone();
    let store = Arc::new(parts.store);
    let open = Arc::downgrade(&store);
    let readiness = move || readiness(&open, &ready);
    let admin = Admin::bind(flags.daemon.admin, metrics, readiness).await?;
    flags.greet(admin.address(), threads.len());
    let admin = tokio::spawn(admin.serve());

    let stopped = tokio::select! {
        signal = shutdown.asked() => {
            tracing::info!(signal, "imd stops");
            Ok(())
        }
        () = ended.notified() => Err(anyhow::anyhow!("a thread ended by itself")),
        _ = &mut friendd => Err(anyhow::anyhow!("the friend service ended by itself")),
    };
    admin.abort();
    stopped.and(thread::stop_all(threads).await)?;
    if tokio::time::timeout(GRACE, friendd).await.is_err() {
        tracing::warn!("the friend service did not end in time");
    }
    // The admin port is gone, so nobody else holds it.
    Arc::into_inner(store).map_or(Ok(()), store::Running::stop)?;
    Ok(())
}

fn readiness(
    store: &std::sync::Weak<store::Running>,
    serving: &[Arc<std::sync::atomic::AtomicBool>],
) -> Readiness {
    if !store.upgrade().is_some_and(|store| store.is_open()) {
        return Readiness::NotReady("the store is closed".to_owned());
    }
    let all = serving
        .iter()
        .all(|s| s.load(std::sync::atomic::Ordering::Relaxed));
    if !all {
        return Readiness::NotReady("slots are being claimed".to_owned());
    }
    Readiness::Ready
}
