//! A shard as a process of its own.

mod settings;

use std::collections::HashMap;
use std::process::ExitCode;
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
use node::shards::ring;
use node::shutdown::Shutdown;
use proto::ids::Incarnation;
use service::link::{LinkDoor, ShardEnd};
use service::tls::LinkTls;
use settings::{STORE_CAPACITY, Settings};
use store::{Engine, Running};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::spawn_local;
use tonic::transport::server::TcpIncoming;

/// Links that come in at once.
const LINKS_WAITING: usize = 64;

/// Incarnations are 40 bits, drawn at every start.
const INCARNATION_BITS: u32 = 40;

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
    runtime.block_on(run(layers, words, links))
}

async fn run(
    mut layers: Layers<Settings>,
    text: Option<String>,
    links: Option<LinkTls>,
) -> anyhow::Result<()> {
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
    let shard = Shard::start(Parts {
        name: name.clone(),
        incarnation: Incarnation(fastrand::u64(..1 << INCARNATION_BITS)),
        settings: settings.core(),
        ring: Arc::new(ring(&settings.shards)?),
        filter: Some(Box::new(words.clone())),
        store: mailboxes.shard(0),
        outcomes,
        friends: msgd::friends::remote(&settings.friendd, links.as_ref()).context("--friendd")?,
        metrics: shard_metrics,
        serving: serving.clone(),
    });
    let (door, ends) = mpsc::channel::<ShardEnd>(LINKS_WAITING);
    let served = spawn_local(msgd::links::run_all(shard.clone(), ends));
    let door = LinkDoor::new(HashMap::from([(name.clone(), door)]));
    let (mut transport, service) = door.server(links.as_ref())?;
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let mut server = tokio::spawn(async move {
        transport
            .add_service(service)
            .serve_with_incoming(incoming)
            .await
    });
    let store = Arc::new(store);
    let open = Arc::downgrade(&store);
    let ready = move || readiness(&open, &serving);
    let admin = Admin::bind(settings.admin, metrics, ready).await?;
    tracing::info!(%name, listen = %settings.listen, "msgd serves");
    let admin = tokio::spawn(admin.serve());
    loop {
        tokio::select! {
            signal = shutdown.asked() => {
                tracing::info!(signal, "msgd stops");
                break;
            }
            () = hangup.asked() => reload(&mut layers, &shard, &words),
            ended = &mut server => bail!("the gRPC port has closed: {ended:?}"),
        }
    }
    admin.abort();
    shard.stop().await;
    tokio::time::sleep(FLUSH).await;
    served.abort();
    server.abort();
    // The admin port is gone, so nobody else holds it.
    Arc::into_inner(store).map_or(Ok(()), Running::stop)?;
    Ok(())
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
