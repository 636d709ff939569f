//! A shard as a process of its own.

mod seat;
mod settings;

use std::collections::HashMap;
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, bail};
use msgd::mailboxes::{Health, Mailboxes};
use msgd::metrics::Metrics as ShardMetrics;
use msgd::outcomes::Outcomes;
use msgd::shard::{Parts, Shard};
use msgd::words::Words;
use msgd_core::store::StoreSettings;
use node::admin::{Readiness, Ready};
use node::certificates::Certificates;
use node::layers::Layers;
use node::metrics::Metrics;
use node::reload::Hangup;
use node::shutdown::Shutdown;
use proto::ids::ShardId;
use registry::announced::Announced;
use seat::{Follows, Placed};
use service::admin::{About, Desk, Questions, answer_store, part};
use service::link::{LinkDoor, ShardEnd};
use service::tls::LinkTls;
use settings::Settings;
use shared::durability::Telling;
use shared::{Trust, mark};
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
    let (layers, (words, certificates, trust)) = Layers::<Settings>::start()?;
    let links = certificates.as_ref();
    let links = links.map(|c| LinkTls::new(&c.ca, &c.chain, &c.key));
    node::limits::raise_open_files().context("limit on open files")?;
    let runtime = node::runtime::resting()?;
    match runtime.block_on(run(layers, words, (certificates, links), trust))? {
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
    (certificates, links): (Option<Certificates>, Option<LinkTls>),
    trust: Trust,
) -> anyhow::Result<Ended> {
    let mut shutdown = Shutdown::listen()?;
    let mut hangup = Hangup::listen(layers.has_file())?;
    let settings = layers.settings().clone();
    let name = settings.own().context("name")?.clone();
    let listener = TcpListener::bind(settings.listen).await;
    let listener = listener.with_context(|| format!("--listen {}", settings.listen))?;
    let metrics = Metrics::default();
    let outcomes = Outcomes::default();
    let mailboxes = open_mailboxes(&settings, trust.clone(), (&outcomes, &metrics))?;
    let serving = Arc::new(AtomicBool::new(false));
    let shard_metrics = Arc::new(ShardMetrics::default());
    metrics.register(|registry| shard_metrics.register(registry));
    let words = Words::default();
    words.replace(text.as_deref());
    let friends = msgd::friends::remote(&settings.friendd, links.as_ref()).context("--friendd")?;
    let (health, is_serving) = (mailboxes.health(), serving.clone());
    let ready: Ready = Arc::new(move || readiness(&health, &is_serving));
    let (durability, health) = (settings.durability(trust.clone()), mailboxes.health());
    let (desk, questions) = desk(&settings, durability, health, ready.clone());
    let pages = (metrics.clone(), ready, desk.routes());
    let bound = (settings.admin, certificates.as_ref());
    let (admin, admin_at) = settings.links.open_admin(bound, pages).await?;
    let admin = tokio::spawn(admin.serve());
    let announced = settings.registry(&trust);
    let announced = announced.map(|(place, _)| Announced::operators(place, admin_at));
    let mut place = tokio::select! {
        place = take_place(&settings, &trust, &metrics) => place?,
        _ = shutdown.asked() => return Ok(Ended::Stopped),
    };
    let shard = Shard::start(Parts {
        name: name.clone(),
        incarnation: place.incarnation(),
        settings: settings.core(),
        ring: place.ring(),
        lease: place.lease(),
        filter: Some(Box::new(words.clone())),
        store: mailboxes.shard(),
        outcomes,
        friends,
        metrics: shard_metrics,
        serving,
    });
    spawn_local(shard.clone().answer_operator(questions));
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
                Follows::Lost => return Ok(lost(place).await),
            },
        }
    }
    admin.abort();
    Announced::end_all(announced).await;
    give_up(place, &shard, mailboxes, (linked, server)).await?;
    Ok(Ended::Stopped)
}

/// Takes the shard's place, if what it serves is whole.
async fn take_place(
    settings: &Settings,
    trust: &Trust,
    metrics: &Metrics,
) -> anyhow::Result<Placed> {
    if let Some(redis) = settings.shared_store(trust.clone()) {
        mark::is_whole(&redis).await.context("--store")?;
    }
    Placed::take(settings, trust, metrics).await
}

/// Gives up what the shard has; gateways hear its last words before they go.
async fn give_up(
    place: Placed,
    shard: &Rc<Shard>,
    mailboxes: Mailboxes,
    (linked, server): (JoinHandle<()>, Server),
) -> anyhow::Result<()> {
    place.leave(shard).await;
    shard.stop().await;
    tokio::time::sleep(FLUSH).await;
    linked.abort();
    server.abort();
    // Others of this thread go on: the lease lives until the last is written.
    tokio::task::spawn_blocking(move || mailboxes.close()).await??;
    place.end().await;
    Ok(())
}

/// Where an operator asks, and where the shard is asked.
fn desk(
    settings: &Settings,
    durability: Telling,
    health: Health,
    ready: Ready,
) -> (Desk, Questions) {
    let about = About {
        program: "msgd",
        version: env!("CARGO_PKG_VERSION"),
    };
    let (shard, questions) = part("shard");
    let (kept, asked) = part("store");
    let place = settings.place();
    let copied = health.clone();
    let is_open = move || health.trouble().is_none();
    let backup = move |path: &Path| copied.backup(path);
    tokio::spawn(answer_store(asked, place, durability, is_open, backup));
    let (listen, parts) = (settings.listen.to_string(), vec![shard, kept]);
    let why_not = move || ready().why_not();
    (Desk::new(about, listen, parts, why_not), questions)
}

/// Others need not wait until they notice.
async fn lost(place: Placed) -> Ended {
    place.end().await;
    Ended::Lost
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
    let Some((text, ..)) = layers.reload() else {
        return;
    };
    words.replace(text.as_deref());
    shard.reload(layers.settings().core());
}

fn open_mailboxes(
    settings: &Settings,
    trust: Trust,
    told: (&Outcomes, &Metrics),
) -> anyhow::Result<Mailboxes> {
    let bounds = StoreSettings {
        mailbox: settings.mailbox.core(),
        log: settings.groups.core(),
    };
    match settings.shared_store(trust) {
        Some(redis) => Mailboxes::in_redis(&redis, bounds, settings.held(), told),
        None => Mailboxes::in_directory(&settings.data, settings.database.core(), bounds, told),
    }
}

fn readiness(store: &Health, serving: &Arc<AtomicBool>) -> Readiness {
    if let Some(trouble) = store.trouble() {
        return Readiness::NotReady(trouble.to_owned());
    }
    if serving.load(Ordering::Relaxed) {
        Readiness::Ready
    } else {
        Readiness::NotReady("slots are being claimed".to_owned())
    }
}
