//! Every part of the cluster in one process, over an embedded store.
//!
//! Owns how parts are put together. Holds no logic of any of them.

mod parts;
mod settings;
mod thread;

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use connd::access::Access;
use msgd::words::Words;
use node::admin::{Admin, Readiness, Ready};
use node::layers::Layers;
use node::metrics::Metrics;
use node::reload::Hangup;
use node::shutdown::Shutdown;
use parts::Parts;
use service::admin::{About, Desk, Part, SYNCED, answer_store, part};
use settings::Settings;
use thread::Threads;
use tokio::sync::Notify;

/// For the friend service to answer what it was asked, when all else is over.
const GRACE: Duration = Duration::from_millis(200);

fn main() -> ExitCode {
    node::ending::ending(start())
}

fn start() -> anyhow::Result<()> {
    let (layers, (opened, text)) = Layers::start()?;
    node::limits::raise_open_files().context("limit on open files")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(layers, Access::new(opened), text))
}

async fn run(
    mut layers: Layers<Settings>,
    access: Access,
    text: Option<String>,
) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let mut hangup = Hangup::listen(layers.has_file())?;
    let settings = layers.settings().clone();
    let metrics = Metrics::default();
    let parts = Parts::open(&settings, access, &metrics)?;
    let mut friendd = tokio::spawn(parts.friendd.run());
    let ended = Arc::new(Notify::new());
    let words = parts.words;
    replace(&words, text.as_deref());
    let threads = Threads::start(parts.threads, parts.loaded, &ended)?;
    let ready = parts.serving.clone();
    let store = Arc::new(parts.store);
    let open = Arc::downgrade(&store);
    let ready: Ready = Arc::new(move || readiness(&open, &ready));
    let desk = desk(&settings, parts.asked, &store, ready.clone());
    let admin = Admin::bind((settings.admin, None), metrics, ready, desk.routes()).await?;
    settings.greet(admin.address());
    let admin = tokio::spawn(admin.serve());

    let stopped = loop {
        tokio::select! {
            signal = shutdown.asked() => {
                tracing::info!(signal, "imd stops");
                break Ok(());
            }
            () = hangup.asked() => {
                if let Some((opened, text)) = layers.reload() {
                    threads.reload(layers.settings(), opened);
                    replace(&words, text.as_deref());
                }
            }
            () = ended.notified() => break Err(anyhow::anyhow!("a thread ended by itself")),
            _ = &mut friendd => {
                break Err(anyhow::anyhow!("the friend service ended by itself"));
            }
        }
    };
    admin.abort();
    stopped.and(threads.stop().await)?;
    if tokio::time::timeout(GRACE, friendd).await.is_err() {
        tracing::warn!("the friend service did not end in time");
    }
    // The admin port is gone, so nobody else holds it.
    Arc::into_inner(store).map_or(Ok(()), store::Running::stop)?;
    Ok(())
}

/// Where an operator asks: these parts, and the store.
fn desk(
    settings: &Settings,
    mut parts: Vec<Part>,
    store: &Arc<store::Running>,
    ready: Ready,
) -> Desk {
    let about = About {
        program: "imd",
        version: env!("CARGO_PKG_VERSION"),
    };
    let (kept, asked) = part("store");
    parts.push(kept);
    let open = Arc::downgrade(store);
    let is_open = move || open.upgrade().is_some_and(|store| store.is_open());
    let directory = settings.data.display().to_string();
    let copied = Arc::downgrade(store);
    let backup = move |path: &Path| msgd::mailboxes::backup(&copied, path);
    let synced = async || SYNCED.to_owned();
    let answers = answer_store(asked, directory, synced, is_open, backup);
    tokio::spawn(answers);
    let listen = settings.listen.to_string();
    Desk::new(about, listen, parts, move || ready().why_not())
}

/// Every shard has these words from now on.
fn replace(words: &[Words], text: Option<&str>) {
    words.iter().for_each(|words| words.replace(text));
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
