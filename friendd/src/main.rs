//! The friend service as a process of its own.

mod settings;

use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use friendd::{Friendd, grpc};
use node::admin::{Admin, Readiness};
use node::layers::Layers;
use node::metrics::Metrics;
use node::reload::Hangup;
use node::shutdown::Shutdown;
use service::tls::LinkTls;
use settings::Settings;
use store::{Engine, Running};
use tokio::sync::oneshot;
use tokio::time::timeout;

/// For questions under way and for connections to go when the daemon stops.
const GRACE: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    node::ending::ending(start())
}

fn start() -> anyhow::Result<()> {
    let (layers, certificates) = Layers::<Settings>::start()?;
    let links = certificates.map(|c| LinkTls::new(&c.ca, &c.chain, &c.key));
    node::limits::raise_open_files().context("limit on open files")?;
    node::runtime::resting()?.block_on(run(layers, links))
}

async fn run(mut layers: Layers<Settings>, links: Option<LinkTls>) -> anyhow::Result<()> {
    let mut shutdown = Shutdown::listen()?;
    let mut hangup = Hangup::listen(layers.has_file())?;
    let settings = layers.settings().clone();
    let metrics = Metrics::default();
    let listener = grpc::bind(settings.listen, links.as_ref()).await?;
    let mut engine = Engine::open(&settings.data, settings.database.core())?;
    let (friendd, friends) = Friendd::open(&settings.core(), &mut engine)?;
    metrics.register(|registry| {
        engine.metrics().register(registry);
        friendd.register(registry);
    });
    let store = Arc::new(engine.start()?);
    let admin = Admin::bind(settings.admin, metrics, readiness(&store)).await?;
    tracing::info!(
        listen = %listener.local_addr()?,
        admin = %admin.address(),
        data = %settings.data.display(),
        "friendd serves"
    );

    let mut graph = tokio::spawn(friendd.run());
    let admin = tokio::spawn(admin.serve());
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
            ended = &mut graph => bail!("the friend service has ended: {ended:?}"),
        }
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
