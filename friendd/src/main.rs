//! The friend service as a process of its own.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use friendd::{Blocks, FriendSettings, Friendd, grpc};
use node::admin::{Admin, Readiness};
use node::flags::DaemonFlags;
use node::metrics::Metrics;
use node::shutdown::Shutdown;
use store::{Engine, Running};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// For questions under way and for connections to go when the daemon stops.
const GRACE: Duration = Duration::from_millis(500);

/// Keeps the friend graph: requests, friendships, blocks.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Where shards ask, over gRPC; a loopback address.
    #[arg(long, default_value = "127.0.0.1:7300")]
    listen: SocketAddr,
    /// The directory of the store; created if it is missing.
    #[arg(long, default_value = "data/friendd")]
    data: PathBuf,
    /// Whether users learn that they are blocked: told or hidden.
    #[arg(long, default_value = "told")]
    blocks: Blocks,
    /// What every daemon has.
    #[command(flatten)]
    daemon: DaemonFlags,
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    flags.daemon.telemetry()?;
    node::limits::raise_open_files().context("limit on open files")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(flags))
}

async fn run(flags: Flags) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let settings = FriendSettings {
        blocks: flags.blocks,
        ..FriendSettings::default()
    };
    let metrics = Metrics::default();
    let listener = grpc::bind(flags.listen).await?;
    let mut engine = Engine::open(&flags.data, store::Settings::default())?;
    let (friendd, friends) = Friendd::open(&settings, &mut engine)?;
    metrics.register(|registry| {
        engine.metrics().register(registry);
        friendd.register(registry);
    });
    let store = Arc::new(engine.start()?);
    let admin = Admin::bind(flags.daemon.admin, metrics, readiness(&store)).await?;
    tracing::info!(
        listen = %listener.local_addr()?,
        admin = %admin.address(),
        data = %flags.data.display(),
        "friendd serves"
    );

    let mut graph = tokio::spawn(friendd.run());
    let admin = tokio::spawn(admin.serve());
    let (stop, stopped) = oneshot::channel::<()>();
    let mut server = pin!(grpc::serve(listener, friends, async {
        // Also when `stop` is dropped.
        let _ = stopped.await;
    }));
    tokio::select! {
        signal = shutdown.asked() => tracing::info!(signal, "friendd stops"),
        ended = &mut server => bail!("the gRPC port has closed: {ended:?}"),
        ended = &mut graph => bail!("the friend service has ended: {ended:?}"),
    }
    drop(stop);
    if timeout(GRACE, server).await.is_err() {
        tracing::warn!("connections that stay are cut");
    }
    graph.abort();
    admin.abort();
    // Nobody else holds it for longer than a look.
    Arc::into_inner(store).map_or(Ok(()), Running::stop)?;
    Ok(())
}

fn readiness(store: &Arc<Running>) -> impl Fn() -> Readiness + Send + Sync + 'static {
    let store = Arc::downgrade(store);
    move || match store.upgrade() {
        Some(store) if store.is_open() => Readiness::Ready,
        _ => Readiness::NotReady("the store is closed".to_owned()),
    }
}
