//! What a connd is told while it runs: by signals, and by operators.
//!
//! Owns what its gateways are told then, and what the registry is. Must not know
//! how a gateway carries it out.

use std::sync::Arc;
use std::time::Duration;

use connd::access::Access;
use connd::gateway::LineSettings;
use connd::listen;
use connd::metrics::Metrics as GatewayMetrics;
use connd_core::Leaving;
use node::layers::Layers;
use node::reload::Hangup;
use node::shutdown::Shutdown;
use proto::codes::Code;
use registry::announced::Announced;
use registry::client::{By, Place};
use service::admin::{Answer, Asked, Question, Questions, wire};
use tokio::sync::watch;

use crate::settings::Settings;

/// Clients are not asked to wait longer than this before they move.
const SPREAD_MAX: Duration = Duration::from_secs(600);

/// What gateways are told: settings at the start and again by SIGHUP, and that
/// they are to be left. Without its sender they stop.
#[derive(Clone)]
pub struct Loaded {
    /// Bounds and times.
    pub settings: connd_core::Settings,
    /// Of doors for lines.
    pub lines: LineSettings,
    /// Keys and certificates.
    pub access: Access,
    /// Set once: clients are asked to move.
    pub leaving: Option<Leaving>,
    /// The process ends when the last client has moved.
    pub stopping: bool,
}

/// A connd that runs.
pub struct Control {
    /// Its settings, which SIGHUP reads again.
    pub layers: Layers<Settings>,
    /// What gateways are told.
    pub load: watch::Sender<Loaded>,
    /// How many clients there are.
    pub metrics: Arc<GatewayMetrics>,
    /// What operators ask of the process as a whole.
    pub orders: Questions,
    /// Clients are told of it.
    clients: Option<Announced>,
    /// Operators are.
    operators: Option<Announced>,
}

impl Control {
    /// With a registry clients and operators hear of it from now on.
    pub fn new(
        layers: Layers<Settings>,
        load: watch::Sender<Loaded>,
        metrics: Arc<GatewayMetrics>,
        orders: Questions,
        registry: Option<(Place, String)>,
    ) -> Self {
        let place = registry.as_ref().map(|(place, _)| place.clone());
        let public = layers.settings().public.clone();
        let clients = |(place, address)| Announced::begin(place, By::Clients, address);
        Self {
            clients: place.zip(public).map(clients),
            operators: registry.map(|(place, admin)| Announced::operators(place, admin)),
            layers,
            load,
            metrics,
            orders,
        }
    }

    /// Does what it is told until it is asked to stop; gives by what.
    pub async fn until_stopped(
        &mut self,
        shutdown: &mut Shutdown,
        hangup: &mut Hangup,
    ) -> &'static str {
        loop {
            tokio::select! {
                signal = shutdown.asked() => return signal,
                () = hangup.asked() => self.reload(),
                Some(asked) = self.orders.recv() => self.asked(asked).await,
            }
        }
    }

    fn reload(&mut self) {
        let Some((opened, ..)) = self.layers.reload() else {
            return;
        };
        self.load.send_modify(|loaded| {
            let settings = self.layers.settings();
            loaded.settings = listen::fitted(settings.gateway.core(), settings.threads());
            loaded.lines = settings.lines.settings(&settings.gateway);
            loaded.access = loaded.access.replaced_by(opened);
        });
    }

    async fn asked(&mut self, asked: Asked) {
        let answers = match asked.question {
            Question::Leave(rate) => vec![Answer::Leaving(self.drain(rate).await)],
            _ => Vec::new(),
        };
        asked.answer(answers);
    }

    /// So many clients a second are asked to move. It is asked only once.
    async fn drain(&mut self, rate: u32) -> wire::Leaving {
        let sessions = u64::try_from(self.metrics.sessions.get()).unwrap_or_default();
        let spread = Duration::from_millis(sessions * 1_000 / u64::from(rate.max(1)));
        if spread > SPREAD_MAX || self.load.borrow().leaving.is_some() {
            return wire::Leaving {
                sessions,
                longest_ms: 0,
                code: Code::Busy.number(),
            };
        }
        let after = self.layers.settings().leaving.core().after;
        let leaving = Leaving { after, spread };
        tracing::info!(rate, ?leaving, "an operator empties this connd");
        self.leave(leaving).await;
        wire::Leaving {
            sessions,
            longest_ms: u64::try_from(leaving.longest().as_millis()).unwrap_or_default(),
            code: 0,
        }
    }

    /// Clients are asked to move, and no more come.
    async fn leave(&mut self, leaving: Leaving) {
        self.load.send_modify(|loaded| {
            loaded.leaving.get_or_insert(leaving);
        });
        Announced::end_all(self.clients.take()).await;
    }

    /// Likewise, and the gateways end when their clients have moved; gives how
    /// that is asked of clients who were not asked before.
    pub async fn stop(&mut self, signal: &str) -> Leaving {
        let leaving = self.layers.settings().leaving.core();
        tracing::info!(
            signal,
            ?leaving,
            "connd is about to stop; clients are asked to move"
        );
        self.load.send_modify(|loaded| loaded.stopping = true);
        self.leave(leaving).await;
        Announced::end_all(self.operators.take()).await;
        leaving
    }
}
