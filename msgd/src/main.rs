//! A shard as a process of its own.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use msgd::metrics::Metrics as ShardMetrics;
use msgd::outcomes::Outcomes;
use msgd::shard::{Parts, Shard};
use msgd::store::EmbeddedStore;
use msgd_core::store::MailboxSettings;
use msgd_core::{Blocks, Policy, Settings};
use node::admin::{Admin, Readiness};
use node::flags::DaemonFlags;
use node::metrics::Metrics;
use node::shards::{ShardAddress, ring};
use node::shutdown::Shutdown;
use proto::ids::{Incarnation, ShardId};
use service::link::{LinkDoor, ShardEnd};
use store::{Engine, Running};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{LocalSet, spawn_local};
use tonic::transport::server::TcpIncoming;

/// Requests that wait for the store at once.
const STORE_CAPACITY: usize = 65_536;

/// Links that come in at once.
const LINKS_WAITING: usize = 64;

/// Incarnations are 40 bits, drawn at every start.
const INCARNATION_BITS: u32 = 40;

/// For what was sent last to leave, when the daemon stops.
const FLUSH: Duration = Duration::from_millis(100);

/// Owns the users of its slots: sessions, presence, delivery, mailboxes.
#[derive(Debug, Parser)]
#[command(version)]
struct Flags {
    /// The shard's name, its place on the ring.
    #[arg(long)]
    name: ShardId,
    /// Where gateways connect, over gRPC; a loopback address.
    #[arg(long, default_value = "127.0.0.1:7200")]
    listen: SocketAddr,
    /// The directory of the store; created if it is missing.
    #[arg(long, default_value = "data/msgd")]
    data: PathBuf,
    /// The friend service, as HOST:PORT.
    #[arg(long, default_value = "127.0.0.1:7300")]
    friendd: String,
    /// A shard of the ring, as NAME=HOST:PORT; once for each, this one too.
    #[arg(long = "shard", value_name = "NAME=HOST:PORT", required = true)]
    shards: Vec<ShardAddress>,
    /// Who may write to whom: friends, or open (anyone who is not blocked).
    #[arg(long, default_value = "friends")]
    policy: Policy,
    /// What a blocked sender is told: told, or hidden (they are not friends).
    #[arg(long, default_value = "told")]
    blocks: Blocks,
    /// What every daemon has.
    #[command(flatten)]
    daemon: DaemonFlags,
}

fn main() -> anyhow::Result<()> {
    let flags = Flags::parse();
    if !flags.listen.ip().is_loopback() {
        bail!("--listen {}: allowed is a loopback address", flags.listen);
    }
    if flags.shards.iter().all(|shard| shard.name != flags.name) {
        bail!("--name {}: one --shard has to have this name", flags.name);
    }
    flags.daemon.telemetry()?;
    node::limits::raise_open_files().context("limit on open files")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, run(flags))
}

async fn run(flags: Flags) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let listener = TcpListener::bind(flags.listen).await;
    let listener = listener.with_context(|| format!("--listen {}", flags.listen))?;
    let metrics = Metrics::default();
    let (store, mailboxes, outcomes) = open_store(&flags, &metrics)?;
    let serving = Arc::new(AtomicBool::new(false));
    let shard_metrics = Arc::new(ShardMetrics::default());
    metrics.register(|registry| shard_metrics.register(registry));
    let shard = Shard::start(Parts {
        name: flags.name.clone(),
        incarnation: Incarnation(fastrand::u64(..1 << INCARNATION_BITS)),
        settings: Settings {
            policy: flags.policy,
            blocks: flags.blocks,
            ..Settings::default()
        },
        ring: Arc::new(ring(&flags.shards)?),
        filter: None,
        store: mailboxes.shard(0),
        outcomes,
        friends: msgd::friends::remote(&flags.friendd).context("--friendd")?,
        metrics: shard_metrics,
        serving: serving.clone(),
    });
    let (door, ends) = mpsc::channel::<ShardEnd>(LINKS_WAITING);
    let links = spawn_local(msgd::links::run_all(shard.clone(), ends));
    let (mut transport, service) =
        LinkDoor::new(HashMap::from([(flags.name.clone(), door)])).server();
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let mut server = tokio::spawn(async move {
        transport
            .add_service(service)
            .serve_with_incoming(incoming)
            .await
    });
    let ready = move || readiness(&serving);
    let admin = Admin::bind(flags.daemon.admin, metrics, ready).await?;
    tracing::info!(name = %flags.name, listen = %flags.listen, "msgd serves");
    let admin = tokio::spawn(admin.serve());
    tokio::select! {
        signal = shutdown.asked() => tracing::info!(signal, "msgd stops"),
        ended = &mut server => bail!("the gRPC port has closed: {ended:?}"),
    }
    admin.abort();
    shard.stop().await;
    tokio::time::sleep(FLUSH).await;
    links.abort();
    server.abort();
    store.stop()?;
    Ok(())
}

fn open_store(
    flags: &Flags,
    metrics: &Metrics,
) -> anyhow::Result<(Running, EmbeddedStore, Outcomes)> {
    let mut engine = Engine::open(&flags.data, store::Settings::default())?;
    let outcomes = Outcomes::default();
    let sink = outcomes.clone();
    let mailboxes = EmbeddedStore::open(
        &mut engine,
        MailboxSettings::default(),
        STORE_CAPACITY,
        move |answers| {
            answers.for_each(|(_, outcome)| sink.put(outcome));
            sink.ring();
        },
    )?;
    metrics.register(|registry| {
        engine.metrics().register(registry);
        mailboxes.metrics().register(registry);
    });
    Ok((engine.start()?, mailboxes, outcomes))
}

fn readiness(serving: &Arc<AtomicBool>) -> Readiness {
    if serving.load(Ordering::Relaxed) {
        Readiness::Ready
    } else {
        Readiness::NotReady("slots are being claimed".to_owned())
    }
}
