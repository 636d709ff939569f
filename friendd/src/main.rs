//! The friend service as a process of its own.

mod settings;

use std::path::Path;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::{Context, bail};
use friendd::{Answers, FriendHandle, Friendd, RedisFriendd, grpc};
use node::admin::{Readiness, Ready};
use node::certificates::Certificates;
use node::layers::Layers;
use node::metrics::Metrics;
use node::reload::Hangup;
use node::shutdown::Shutdown;
use registry::announced::Announced;
use service::admin::wire::BackupStatus;
use service::admin::{About, Desk, Part, Questions, answer_store, backup_status, part};
use service::tls::LinkTls;
use settings::Settings;
use shared::Trust;
use shared::durability::Telling;
use shared::mark::Unfinished;
use store::{Engine, Running};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// For questions under way and for connections to go when the daemon stops.
const GRACE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    node::ending::ending(start())
}

fn start() -> anyhow::Result<()> {
    let (layers, (certificates, trust)) = Layers::<Settings>::start()?;
    let links = certificates.as_ref();
    let links = links.map(|c| LinkTls::new(&c.ca, &c.chain, &c.key));
    node::limits::raise_open_files().context("limit on open files")?;
    node::runtime::resting()?.block_on(run(layers, (certificates, links), trust))
}

async fn run(
    mut layers: Layers<Settings>,
    (certificates, links): (Option<Certificates>, Option<LinkTls>),
    trust: Trust,
) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let mut hangup = Hangup::listen(layers.has_file())?;
    let settings = layers.settings().clone();
    let metrics = Metrics::default();
    let listener = grpc::bind(settings.listen, links.as_ref()).await?;
    let registry = settings.registry(&trust);
    let (asked_of_graph, questions) = part("graph");
    let Serving {
        friends,
        mut graph,
        kept,
    } = Serving::start(&settings, trust.clone(), (&metrics, questions))?;
    let ready = kept.ready();
    let parts = (asked_of_graph, settings.durability(trust));
    let desk = desk(&settings, parts, &kept, ready.clone());
    let pages = (metrics, ready, desk.routes());
    let bound = (settings.admin, certificates.as_ref());
    let (admin, admin_at) = settings.links.open_admin(bound, pages).await?;
    tracing::info!(
        listen = %listener.local_addr()?,
        admin = %admin_at,
        "friendd serves"
    );

    let admin = tokio::spawn(admin.serve());
    let announced = registry.map(|place| Announced::operators(place, admin_at));
    let (stop, stopped) = oneshot::channel::<()>();
    let mut server = pin!(grpc::serve(listener, links.as_ref(), friends, async {
        // Also when `stop` is dropped.
        let _ = stopped.await;
    }));
    loop {
        tokio::select! {
            signal = shutdown.asked() => {
                tracing::info!(signal, "friendd stops");
                break;
            }
            // Nothing but the log is taken while it runs.
            () = hangup.asked() => {
                let _nothing_more = layers.reload();
            }
            ended = &mut server => bail!("the gRPC port has closed: {ended:?}"),
            ended = &mut graph => {
                ended.context("the friend service")?.context("--store")?;
                bail!("the friend service has ended");
            }
        }
    }
    Announced::end_all(announced).await;
    drop(stop);
    if timeout(GRACE, server).await.is_err() {
        tracing::warn!("connections that stay are cut");
    }
    graph.abort();
    admin.abort();
    kept.close()
}

/// Where an operator asks.
fn desk(
    settings: &Settings,
    (graph, durability): (Part, Telling),
    kept: &Kept,
    ready: Ready,
) -> Desk {
    let about = About {
        program: "friendd",
        version: env!("CARGO_PKG_VERSION"),
    };
    let (store, asked) = part("store");
    let trouble = kept.trouble();
    let is_open = move || trouble().is_none();
    let place = settings.place();
    let backup = kept.backup();
    tokio::spawn(answer_store(asked, place, durability, is_open, backup));
    let (listen, parts) = (settings.listen.to_string(), vec![graph, store]);
    Desk::new(about, listen, parts, move || ready().why_not())
}

/// The friend service.
struct Serving {
    friends: FriendHandle,
    graph: JoinHandle<Result<(), Unfinished>>,
    kept: Kept,
}

impl Serving {
    /// In a directory or in a Redis, as the settings say. Whether the Redis is
    /// there shows later.
    fn start(
        settings: &Settings,
        trust: Trust,
        (metrics, questions): (&Metrics, Questions),
    ) -> anyhow::Result<Self> {
        if let Some(redis) = settings.shared_store(trust) {
            let (friendd, friends) = RedisFriendd::new(&settings.core(), &redis);
            metrics.register(|registry| friendd.register(registry));
            tokio::spawn(friendd.answer_operator(questions));
            let kept = Kept::Elsewhere(friendd.answers());
            let graph = tokio::spawn(friendd.run());
            return Ok(Self {
                friends,
                graph,
                kept,
            });
        }
        let mut engine = Engine::open(&settings.data, settings.database.core())?;
        let (friendd, friends) = Friendd::open(&settings.core(), &mut engine)?;
        metrics.register(|registry| {
            engine.metrics().register(registry);
            friendd.register(registry);
        });
        tokio::spawn(friendd.answer_operator(questions));
        let kept = Kept::Here(Arc::new(engine.start()?));
        let graph = tokio::spawn(async {
            friendd.run().await;
            Ok(())
        });
        Ok(Self {
            friends,
            graph,
            kept,
        })
    }
}

/// What the graph is kept by.
enum Kept {
    /// The store in the directory.
    Here(Arc<Running>),
    /// A Redis.
    Elsewhere(Answers),
}

impl Kept {
    /// Whether the service is to be asked.
    fn ready(&self) -> Ready {
        let trouble = self.trouble();
        Arc::new(move || match trouble() {
            Some(trouble) => Readiness::NotReady(trouble.to_owned()),
            None => Readiness::Ready,
        })
    }

    /// What is wrong with it, for those who come later than it ends.
    fn trouble(&self) -> Box<dyn Fn() -> Option<&'static str> + Send + Sync> {
        match self {
            Self::Here(store) => {
                let store = Arc::downgrade(store);
                Box::new(move || {
                    let is_open = store.upgrade().is_some_and(|store| store.is_open());
                    (!is_open).then_some("the store is closed")
                })
            }
            Self::Elsewhere(answers) => {
                let answers = answers.clone();
                Box::new(move || (!answers.yes()).then_some("the store does not answer"))
            }
        }
    }

    /// Copies the directory, or tells how far that is; likewise.
    fn backup(&self) -> impl Fn(&Path) -> Option<BackupStatus> + Send + Sync + 'static {
        let store = match self {
            Self::Here(store) => Arc::downgrade(store),
            Self::Elsewhere(_) => Weak::new(),
        };
        move |path: &Path| {
            Some(match store.upgrade()?.backup(path) {
                Ok(progress) => backup_status(progress.entries, progress.bytes, progress.ended),
                Err(error) => backup_status(0, 0, Some(Err(error.to_string()))),
            })
        }
    }

    fn close(self) -> anyhow::Result<()> {
        match self {
            // Nobody else holds it for longer than a look.
            Self::Here(store) => Ok(Arc::into_inner(store).map_or(Ok(()), Running::stop)?),
            Self::Elsewhere(_) => Ok(()),
        }
    }
}
