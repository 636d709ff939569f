//! Gateways as a process of their own.

mod settings;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use connd::gateway::Gateway;
use connd::metrics::Metrics as GatewayMetrics;
use connd::token::Tokens;
use connd::{links, listen};
use node::admin::{Admin, Readiness};
use node::layers::Layers;
use node::metrics::Metrics;
use node::reload::Hangup;
use node::shards::{ShardAddress, ring};
use node::shutdown::Shutdown;
use proto::ids::GatewayId;
use proto::ring::Ring;
use settings::Settings;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{LocalSet, spawn_local};

/// For what was written last to leave, when the daemon stops.
const FLUSH: Duration = Duration::from_millis(100);

fn main() -> anyhow::Result<()> {
    let (layers, tokens) = Layers::start()?;
    node::limits::raise_open_files().context("limit on open files")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(layers, tokens))
}

/// What gateways take from settings, at the start and again by SIGHUP.
#[derive(Clone)]
struct Loaded {
    settings: connd_core::Settings,
    tokens: Arc<Tokens>,
}

async fn run(mut layers: Layers<Settings>, tokens: Tokens) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let mut hangup = Hangup::listen(layers.has_file())?;
    let settings = layers.settings().clone();
    let (listen, count) = (settings.listen, settings.threads());
    let listeners = listen::bind(listen, count).with_context(|| format!("--listen {listen}"))?;
    let metrics = Metrics::default();
    let gateway_metrics = Arc::new(GatewayMetrics::default());
    metrics.register(|registry| gateway_metrics.register(registry));
    let ring = Arc::new(ring(&settings.shards)?);
    let (load, loaded) = watch::channel(Loaded {
        settings: settings.gateway.core(),
        tokens: Arc::new(tokens),
    });
    let mut threads = Vec::new();
    for (number, listener) in listeners.into_iter().enumerate() {
        let parts = Parts {
            listener,
            shards: settings.shards.clone(),
            ring: ring.clone(),
            metrics: gateway_metrics.clone(),
        };
        let loaded = loaded.clone();
        let thread = std::thread::Builder::new().name(format!("gateway-{number}"));
        threads.push(thread.spawn(move || serve(parts, loaded))?);
    }
    let shards = settings.shards.len() * count.get();
    let admin = open_admin(settings.admin, metrics, gateway_metrics, shards).await?;
    tracing::info!(%listen, admin = %admin.address(), "connd serves");
    let admin = tokio::spawn(admin.serve());
    let signal = loop {
        tokio::select! {
            signal = shutdown.asked() => break signal,
            () = hangup.asked() => reload(&mut layers, &load),
        }
    };
    tracing::info!(signal, "connd stops");
    admin.abort();
    drop(load);
    for thread in threads {
        match thread.join() {
            Ok(ended) => ended?,
            Err(_) => bail!("a gateway's thread panicked"),
        }
    }
    Ok(())
}

fn reload(layers: &mut Layers<Settings>, load: &watch::Sender<Loaded>) {
    let Some(tokens) = layers.reload() else {
        return;
    };
    load.send_modify(|loaded| {
        loaded.settings = layers.settings().gateway.core();
        loaded.tokens = loaded.tokens.replaced_by(tokens);
    });
}

async fn open_admin(
    address: SocketAddr,
    metrics: Metrics,
    linked: Arc<GatewayMetrics>,
    shards: usize,
) -> anyhow::Result<Admin> {
    let readiness = move || {
        let up = linked.links.get();
        if usize::try_from(up).is_ok_and(|up| up >= shards) {
            Readiness::Ready
        } else {
            Readiness::NotReady(format!("{up} of {shards} links are up"))
        }
    };
    Ok(Admin::bind(address, metrics, readiness).await?)
}

/// What a thread is made of.
struct Parts {
    listener: std::net::TcpListener,
    shards: Vec<ShardAddress>,
    ring: Arc<Ring>,
    metrics: Arc<GatewayMetrics>,
}

fn serve(parts: Parts, mut loaded: watch::Receiver<Loaded>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    LocalSet::new().block_on(&runtime, async move {
        let id = GatewayId(fastrand::u64(..));
        let Loaded { settings, tokens } = loaded.borrow_and_update().clone();
        let gateway = Gateway::start(id, settings, parts.ring, tokens, parts.metrics);
        for shard in parts.shards {
            spawn_local(links::keep(gateway.clone(), shard.name, shard.address));
        }
        let listener = TcpListener::from_std(parts.listener)?;
        let accepting = spawn_local(listen::run(gateway.clone(), listener));
        // The sender is dropped when the daemon stops.
        while loaded.changed().await.is_ok() {
            let Loaded { settings, tokens } = loaded.borrow_and_update().clone();
            gateway.reload(settings, tokens);
        }
        accepting.abort();
        gateway.stop();
        tokio::time::sleep(FLUSH).await;
        Ok(())
    })
}
