//! A shard as a process of its own.

mod seat;
mod settings;

use std::collections::HashMap;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::{Context, bail};
use msgd::metrics::Metrics as ShardMetrics;
use msgd::outcomes::Outcomes;
use msgd::shard::{Parts, Shard};
use msgd::store::EmbeddedStore;
use msgd::words::Words;
use node::admin::{Admin, Readiness};
use node::layers::Layers;
use node::metrics::Metrics;
use node::reload::Hangup;
use node::shutdown::Shutdown;
use proto::ids::ShardId;
use seat::{Follows, Placed};
use service::link::{LinkDoor, ShardEnd};
use service::tls::LinkTls;
use settings::{STORE_CAPACITY, Settings};
use store::{Engine, Running};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, spawn_local};
use tonic::transport::server::TcpIncoming;

/// Links that come in at once.
const LINKS_WAITING: usize = 64;

/// For what was sent last to leave, when the daemon stops.
const FLUSH: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    node::ending::ending(start())
}

fn start() -> anyhow::Result<()> {
    let (layers, (words, certificates)) = Layers::<Settings>::start()?;
    let links = certificates.map(|c| LinkTls::new(&c.ca, &c.chain, &c.key));
    node::limits::raise_open_files().context("limit on open files")?;
    let runtime = node::runtime::resting()?;
    match runtime.block_on(run(layers, words, links))? {
        Ended::Stopped => Ok(()),
        // Nothing that a former incarnation knew is to be left.
        Ended::Lost => Err(node::again::again()).context("to begin anew"),
    }
}

/// Why a shard has ended.
enum Ended {
    /// It was asked to, and has given up what it had.
    Stopped,
    /// Its lease is over: it is nobody any more.
    Lost,
}

async fn run(
    mut layers: Layers<Settings>,
    text: Option<String>,
    links: Option<LinkTls>,
) -> anyhow::Result<Ended> {
    let mut shutdown = Shutdown::listen()?;
    let mut hangup = Hangup::listen(layers.has_file())?;
    let settings = layers.settings().clone();
    let name = settings.own().context("name")?.clone();
    let listener = TcpListener::bind(settings.listen).await;
    let listener = listener.with_context(|| format!("--listen {}", settings.listen))?;
    let metrics = Metrics::default();
    let (store, mailboxes, outcomes) = open_store(&settings, &metrics)?;
    let serving = Arc::new(AtomicBool::new(false));
    let shard_metrics = Arc::new(ShardMetrics::default());
    metrics.register(|registry| shard_metrics.register(registry));
    let words = Words::default();
    words.replace(text.as_deref());
    let friends = msgd::friends::remote(&settings.friendd, links.as_ref()).context("--friendd")?;
    let store = Arc::new(store);
    let (open, is_serving) = (Arc::downgrade(&store), serving.clone());
    let ready = move || readiness(&open, &is_serving);
    let admin = Admin::bind(settings.admin, metrics.clone(), ready).await?;
    let admin = tokio::spawn(admin.serve());
    let mut place = tokio::select! {
        place = Placed::take(&settings, &metrics) => place?,
        _ = shutdown.asked() => return Ok(Ended::Stopped),
    };
    let shard = Shard::start(Parts {
        name: name.clone(),
        incarnation: place.incarnation(),
        settings: settings.core(),
        ring: place.ring(),
        lease: place.lease(),
        filter: Some(Box::new(words.clone())),
        store: mailboxes.shard(0),
        outcomes,
        friends,
        metrics: shard_metrics,
        serving,
    });
    let (linked, mut server) = take_links(listener, &shard, &name, links.as_ref())?;
    tracing::info!(%name, listen = %settings.listen, "msgd serves");
    loop {
        tokio::select! {
            signal = shutdown.asked() => {
                tracing::info!(signal, "msgd stops");
                break;
            }
            () = hangup.asked() => reload(&mut layers, &shard, &words),
            ended = &mut server => bail!("the gRPC port has closed: {ended:?}"),
            follows = place.follow(&shard) => match follows {
                Follows::Stop => break,
                Follows::Lost => return Ok(Ended::Lost),
            },
        }
    }
    admin.abort();
    place.leave(&shard).await;
    shard.stop().await;
    tokio::time::sleep(FLUSH).await;
    linked.abort();
    server.abort();
    // The admin port knows it only as long as it is there.
    Arc::into_inner(store).map_or(Ok(()), Running::stop)?;
    place.end().await;
    Ok(Ended::Stopped)
}

type Server = JoinHandle<Result<(), tonic::transport::Error>>;

/// Gateways may connect from now on: the tasks of their links, and of the port.
fn take_links(
    listener: TcpListener,
    shard: &Rc<Shard>,
    name: &ShardId,
    tls: Option<&LinkTls>,
) -> anyhow::Result<(JoinHandle<()>, Server)> {
    let (door, ends) = mpsc::channel::<ShardEnd>(LINKS_WAITING);
    let linked = spawn_local(msgd::links::run_all(shard.clone(), ends));
    let door = LinkDoor::new(HashMap::from([(name.clone(), door)]));
    let (mut transport, service) = door.server(tls)?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let server = tokio::spawn(async move {
        transport
            .add_service(service)
            .serve_with_incoming(incoming)
            .await
    });
    Ok((linked, server))
}

fn reload(layers: &mut Layers<Settings>, shard: &Shard, words: &Words) {
    let Some((text, _)) = layers.reload() else {
        return;
    };
    words.replace(text.as_deref());
    shard.reload(layers.settings().core());
}

fn open_store(
    settings: &Settings,
    metrics: &Metrics,
) -> anyhow::Result<(Running, EmbeddedStore, Outcomes)> {
    let mut engine = Engine::open(&settings.data, settings.store.core())?;
    let outcomes = Outcomes::default();
    let sink = outcomes.clone();
    let mailboxes = EmbeddedStore::open(
        &mut engine,
        settings.mailbox.core(),
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

fn readiness(store: &Weak<Running>, serving: &Arc<AtomicBool>) -> Readiness {
    if !store.upgrade().is_some_and(|store| store.is_open()) {
        return Readiness::NotReady("the store is closed".to_owned());
    }
    if serving.load(Ordering::Relaxed) {
        Readiness::Ready
    } else {
        Readiness::NotReady("slots are being claimed".to_owned())
    }
}
