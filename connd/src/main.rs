//! Gateways as a process of their own.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use connd::gateway::Gateway;
use connd::metrics::Metrics as GatewayMetrics;
use connd::token::{TokenFlags, Tokens};
use connd::{links, listen};
use node::admin::{Admin, Readiness};
use node::flags::DaemonFlags;
use node::metrics::Metrics;
use node::shards::{ShardAddress, ring};
use node::shutdown::Shutdown;
use proto::ids::GatewayId;
use proto::ring::Ring;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{LocalSet, spawn_local};

/// For what was written last to leave, when the daemon stops.
const FLUSH: Duration = Duration::from_millis(100);

/// Holds client connections and routes between them and the shards.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// Where clients connect. In open mode a loopback address.
    #[arg(long, default_value = "127.0.0.1:7100")]
    listen: SocketAddr,
    /// A shard of the ring, as NAME=HOST:PORT; once for each.
    #[arg(long = "shard", value_name = "NAME=HOST:PORT", required = true)]
    shards: Vec<ShardAddress>,
    /// Threads, each with a gateway. Default: one per two cores.
    #[arg(long)]
    threads: Option<NonZeroUsize>,
    /// Keys that tokens are checked with.
    #[command(flatten)]
    tokens: TokenFlags,
    /// What every daemon has.
    #[command(flatten)]
    daemon: DaemonFlags,
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    if flags.tokens.is_open() && !flags.listen.ip().is_loopback() {
        bail!(
            "--listen {}: without --key or --secret anyone may be anyone, so only a loopback \
             address is allowed",
            flags.listen
        );
    }
    flags.daemon.telemetry()?;
    node::limits::raise_open_files().context("limit on open files")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(flags))
}

async fn run(flags: Flags) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let count = flags.threads.unwrap_or_else(node::cpu::threads_default);
    let listeners =
        listen::bind(flags.listen, count).with_context(|| format!("--listen {}", flags.listen))?;
    let metrics = Metrics::default();
    let gateway_metrics = Arc::new(GatewayMetrics::default());
    metrics.register(|registry| gateway_metrics.register(registry));
    let tokens = Arc::new(flags.tokens.tokens()?);
    let ring = Arc::new(ring(&flags.shards)?);
    let (stop, stopped) = watch::channel(());
    let mut threads = Vec::new();
    for (number, listener) in listeners.into_iter().enumerate() {
        let parts = Parts {
            listener,
            shards: flags.shards.clone(),
            ring: ring.clone(),
            tokens: tokens.clone(),
            metrics: gateway_metrics.clone(),
        };
        let stopped = stopped.clone();
        let thread = std::thread::Builder::new().name(format!("gateway-{number}"));
        threads.push(thread.spawn(move || serve(parts, stopped))?);
    }
    let shards = flags.shards.len() * count.get();
    let linked = gateway_metrics.clone();
    let readiness = move || {
        let up = linked.links.get();
        if usize::try_from(up).is_ok_and(|up| up >= shards) {
            Readiness::Ready
        } else {
            Readiness::NotReady(format!("{up} of {shards} links are up"))
        }
    };
    let admin = Admin::bind(flags.daemon.admin, metrics, readiness).await?;
    tracing::info!(listen = %flags.listen, admin = %admin.address(), "connd serves");
    let admin = tokio::spawn(admin.serve());
    let signal = shutdown.asked().await;
    tracing::info!(signal, "connd stops");
    admin.abort();
    drop(stop);
    for thread in threads {
        match thread.join() {
            Ok(ended) => ended?,
            Err(_) => bail!("a gateway's thread panicked"),
        }
    }
    Ok(())
}

/// What a thread is made of.
struct Parts {
    listener: std::net::TcpListener,
    shards: Vec<ShardAddress>,
    ring: Arc<Ring>,
    tokens: Arc<Tokens>,
    metrics: Arc<GatewayMetrics>,
}

fn serve(parts: Parts, mut stopped: watch::Receiver<()>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async move {
        let id = GatewayId(fastrand::u64(..));
        let settings = connd_core::Settings::default();
        let gateway = Gateway::start(id, settings, parts.ring, parts.tokens, parts.metrics);
        for shard in parts.shards {
            spawn_local(links::keep(gateway.clone(), shard.name, shard.address));
        }
        let listener = TcpListener::from_std(parts.listener)?;
        let accepting = spawn_local(listen::run(gateway.clone(), listener));
        // The sender is dropped when the daemon stops.
        let _ = stopped.changed().await;
        accepting.abort();
        gateway.stop();
        tokio::time::sleep(FLUSH).await;
        Ok(())
    })
}
