//! Gateways as a process of their own.

mod control;
mod settings;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use connd::access::Access;
use connd::gateway::Gateway;
use connd::metrics::Metrics as GatewayMetrics;
use connd::{links, listen};
use connd_core::Leaving;
use control::{Control, Loaded};
use node::admin::{Readiness, Ready};
use node::certificates::Certificates;
use node::layers::Layers;
use node::metrics::Metrics;
use node::reload::Hangup;
use node::shards::ring;
use node::shutdown::Shutdown;
use proto::ids::GatewayId;
use proto::ring::Ring;
use registry::Trust;
use registry::client::Place;
use registry::metrics::Metrics as RegistryMetrics;
use registry::view::View;
use registry::watch::{Watched, Watching, first, fixed, watch as watch_registry};
use service::admin::{About, Desk, Questions, part};
use service::tls::LinkTls;
use settings::Settings;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_local};

/// For what was written last to leave, when the daemon stops.
const FLUSH: Duration = Duration::from_millis(100);

/// For the last client to have moved, after the moment at which it should.
const GRACE: Duration = Duration::from_secs(1);

fn main() -> ExitCode {
    node::ending::ending(start())
}

fn start() -> anyhow::Result<()> {
    let (layers, (opened, certificates, trust)) = Layers::<Settings>::start()?;
    let links = certificates.as_ref();
    let links = links.map(|c| LinkTls::new(&c.ca, &c.chain, &c.key));
    node::limits::raise_open_files().context("limit on open files")?;
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run(
            layers,
            Access::new(opened),
            (certificates, links),
            trust,
        ))
}

async fn run(
    layers: Layers<Settings>,
    access: Access,
    (certificates, links): (Option<Certificates>, Option<LinkTls>),
    trust: Trust,
) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let mut hangup = Hangup::listen(layers.has_file())?;
    let settings = layers.settings().clone();
    let metrics = Metrics::default();
    let gateway_metrics = Arc::new(GatewayMetrics::default());
    metrics.register(|registry| gateway_metrics.register(registry));
    let registry = settings.registry(&trust);
    let mut watched = watching(&settings, registry.clone(), &metrics)?;
    let (listen, count) = (settings.listen, settings.threads());
    let (load, loaded) = watch::channel(Loaded {
        settings: listen::fitted(settings.gateway.core(), count),
        lines: settings.lines.settings(&settings.gateway),
        access,
        leaving: None,
        stopping: false,
    });
    let (linked, followed) = (gateway_metrics.clone(), watched.clone());
    let ready: Ready = Arc::new(readiness(linked, followed, count.get(), loaded.clone()));
    let (desk, questions, orders) = desk(listen, count.get(), ready.clone());
    let pages = (metrics, ready, desk.routes());
    let bound = (settings.admin, certificates.as_ref());
    let (admin, admin_at) = settings.links.open_admin(bound, pages).await?;
    let admin = tokio::spawn(admin.serve());
    let view = tokio::select! {
        first = first(&mut watched) => first.context("the registry")?,
        signal = shutdown.asked() => {
            tracing::info!(signal, "connd stops; there was no ring");
            return Ok(());
        }
    };
    let listeners = listen::bind(listen, count).with_context(|| format!("--listen {listen}"))?;
    let mut lines = listen::bind_some(settings.lines.listen, count)?.into_iter();
    let (alive, ended) = mpsc::channel(1);
    let parts = |(listener, questions)| Parts {
        listener,
        lines: lines.next(),
        questions,
        ring: view.ring().clone(),
        watched: watched.clone(),
        links: links.clone(),
        metrics: gateway_metrics.clone(),
        _alive: alive.clone(),
    };
    let threads = start_threads(listeners.into_iter().zip(questions).map(parts), &loaded)?;
    drop((alive, loaded));
    tracing::info!(%listen, admin = %admin_at, "connd serves");
    let registry = registry.map(|place| (place, admin_at));
    let mut control = Control::new(layers, load, gateway_metrics, orders, registry);
    let signal = control.until_stopped(&mut shutdown, &mut hangup).await;
    let leaving = control.stop(signal).await;
    emptied(&mut shutdown, ended, leaving).await;
    tracing::info!("connd stops");
    admin.abort();
    drop(control);
    join_all(threads)
}

/// Where an operator asks, and where each gateway is asked, and the process.
fn desk(listen: SocketAddr, gateways: usize, ready: Ready) -> (Desk, Vec<Questions>, Questions) {
    let about = About {
        program: "connd",
        version: env!("CARGO_PKG_VERSION"),
    };
    let parts = (0..gateways).map(|number| part(format!("gateway-{number}")));
    let (mut parts, questions): (Vec<_>, _) = parts.unzip();
    let (whole, orders) = part("connd");
    parts.push(whole);
    let why_not = move || ready().why_not();
    let desk = Desk::new(about, listen.to_string(), parts, why_not);
    (desk, questions, orders)
}

type Thread = thread::JoinHandle<anyhow::Result<()>>;

fn join_all(threads: Vec<Thread>) -> anyhow::Result<()> {
    for thread in threads {
        match thread.join() {
            Ok(ended) => ended?,
            Err(_) => bail!("a gateway's thread panicked"),
        }
    }
    Ok(())
}

/// A thread for each gateway.
fn start_threads(
    gateways: impl Iterator<Item = Parts>,
    loaded: &watch::Receiver<Loaded>,
) -> anyhow::Result<Vec<Thread>> {
    let start = |(number, parts)| {
        let loaded = loaded.clone();
        let thread = thread::Builder::new().name(format!("gateway-{number}"));
        Ok(thread.spawn(move || serve(parts, loaded))?)
    };
    gateways.enumerate().map(start).collect()
}

/// Where the shards are: by a list that stands, or by the registry.
fn watching(
    settings: &Settings,
    registry: Option<Place>,
    metrics: &Metrics,
) -> anyhow::Result<watch::Receiver<Watched>> {
    let Some(place) = registry else {
        let ring = Arc::new(ring(&settings.shards)?);
        let shards = settings.shards.iter();
        let shards = shards.map(|shard| (shard.name.clone(), shard.address.clone()));
        return Ok(fixed(View::fixed(ring, shards)));
    };
    let shown = RegistryMetrics::default();
    metrics.register(|registry| shown.register(registry));
    let (tell, watched) = watch::channel(Watched::default());
    let watching = Watching::new(&place);
    tokio::spawn(watch_registry(place, watching, shown, tell));
    Ok(watched)
}

/// Waits until every gateway has ended by itself, having no client any more;
/// not longer than clients take to move, nor beyond a second signal.
async fn emptied(shutdown: &mut Shutdown, mut ended: mpsc::Receiver<Infallible>, leaving: Leaving) {
    tokio::select! {
        _ = ended.recv() => {}
        () = tokio::time::sleep(leaving.longest() + GRACE) => {}
        signal = shutdown.asked() => tracing::info!(signal, "connd does not wait for clients"),
    }
}

fn readiness(
    linked: Arc<GatewayMetrics>,
    watched: watch::Receiver<Watched>,
    gateways: usize,
    loaded: watch::Receiver<Loaded>,
) -> impl Fn() -> Readiness + Send + Sync {
    move || {
        match loaded.borrow() {
            loaded if loaded.stopping => {
                return Readiness::NotReady("it is about to stop".to_owned());
            }
            loaded if loaded.leaving.is_some() => {
                return Readiness::NotReady("an operator empties it".to_owned());
            }
            _ => {}
        }
        let Some(view) = watched.borrow().view.clone() else {
            return Readiness::NotReady("there is no ring yet".to_owned());
        };
        let shards = view.ring().members().len() * gateways;
        let up = linked.links.get();
        if usize::try_from(up).is_ok_and(|up| up >= shards) {
            Readiness::Ready
        } else {
            Readiness::NotReady(format!("{up} of {shards} links are up"))
        }
    }
}

/// What a thread is made of.
struct Parts {
    listener: std::net::TcpListener,
    /// Where lines are taken, if they are.
    lines: Option<std::net::TcpListener>,
    /// Of operators.
    questions: Questions,
    /// The ring to begin with.
    ring: Arc<Ring>,
    watched: watch::Receiver<Watched>,
    /// TLS towards shards; none: plain.
    links: Option<LinkTls>,
    metrics: Arc<GatewayMetrics>,
    /// Dropped when the thread ends.
    _alive: mpsc::Sender<Infallible>,
}

fn serve(parts: Parts, mut loaded: watch::Receiver<Loaded>) -> anyhow::Result<()> {
    let runtime = node::runtime::resting()?;
    runtime.block_on(async move {
        let id = GatewayId(fastrand::u64(1..));
        let Loaded {
            settings,
            lines,
            access,
            ..
        } = loaded.borrow_and_update().clone();
        let gateway = Gateway::start(id, (settings, lines), parts.ring, access, parts.metrics);
        spawn_local(gateway.clone().answer_operator(parts.questions));
        spawn_local(links::follow(gateway.clone(), parts.watched, parts.links));
        let accepting = listen::run_all(&gateway, parts.listener, parts.lines)?;
        serve_until_stopped(&gateway, &mut loaded, &accepting).await;
        accepting.iter().for_each(JoinHandle::abort);
        let left = gateway.stop();
        if left > 0 {
            tracing::info!(left, "clients have not moved and are closed");
        }
        tokio::time::sleep(FLUSH).await;
        Ok(())
    })
}

/// Takes what it is told, until the daemon stops, or clients were asked to move
/// and none is left.
async fn serve_until_stopped(
    gateway: &Gateway,
    loaded: &mut watch::Receiver<Loaded>,
    accepting: &[JoinHandle<()>],
) {
    let mut stopping = false;
    loop {
        tokio::select! {
            changed = loaded.changed() => if changed.is_err() { return },
            () = gateway.emptied(), if stopping => return,
        }
        let now = loaded.borrow_and_update().clone();
        gateway.reload((now.settings, now.lines), now.access);
        stopping = now.stopping;
        if let Some(leaving) = now.leaving {
            // Who connects from now on is refused, and tries another one.
            accepting.iter().for_each(JoinHandle::abort);
            gateway.leave(leaving);
        }
    }
}
