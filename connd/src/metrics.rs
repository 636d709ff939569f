//! What a gateway shows to who scrapes.
//!
//! Owns the figures' names. The core counts; the shell adds what was counted
//! since the last time.

use std::time::Duration;

use connd_core::Counters;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// How old a figure may be.
pub const PUBLISH_INTERVAL: Duration = Duration::from_millis(500);

macro_rules! figures {
    ($($name:ident: $help:literal,)*) => {
        /// The figures of all gateways of a process.
        #[derive(Debug, Default)]
        pub struct Metrics {
            /// Connections at this time.
            pub sessions: Gauge,
            /// Links that are up, of all gateways.
            pub links: Gauge,
            /// Envelopes that found a link's queue full.
            pub link_full: Counter,
            /// Typing, signals and copies not written to clients that lag.
            pub shed: Counter,
            /// Clients that lagged so far that entries of groups were left out.
            pub lagged: Counter,
            /// Connections that the system did not give.
            pub accept_failures: Counter,
            /// TLS handshakes.
            pub handshakes: Counter,
            /// TLS handshakes that had to wait for their turn.
            pub handshakes_delayed: Counter,
            /// Connections whose TLS was not acceptable.
            pub tls_failures: Counter,
            $(#[doc = $help] $name: Counter,)*
        }

        impl Metrics {
            /// Makes the figures known under `connd_…`.
            pub fn register(&self, registry: &mut Registry) {
                let registry = registry.sub_registry_with_prefix("connd");
                registry.register("sessions", "Connections at this time", self.sessions.clone());
                registry.register("links", "Links that are up", self.links.clone());
                registry.register(
                    "link_full",
                    "Envelopes that found a link's queue full",
                    self.link_full.clone(),
                );
                registry.register(
                    "shed",
                    "Typing, signals and copies not written to clients that lag",
                    self.shed.clone(),
                );
                registry.register(
                    "lagged",
                    "Clients that lagged so far that entries of groups were left out",
                    self.lagged.clone(),
                );
                registry.register(
                    "accept_failures",
                    "Connections that the system did not give",
                    self.accept_failures.clone(),
                );
                registry.register("handshakes", "TLS handshakes", self.handshakes.clone());
                registry.register(
                    "handshakes_delayed",
                    "TLS handshakes that had to wait for their turn",
                    self.handshakes_delayed.clone(),
                );
                registry.register(
                    "tls_failures",
                    "Connections whose TLS was not acceptable",
                    self.tls_failures.clone(),
                );
                $(registry.register(stringify!($name), $help, self.$name.clone());)*
            }

            /// Adds what a gateway counted between two times.
            pub fn add(&self, from: &Counters, to: &Counters) {
                $(self.$name.inc_by(to.$name - from.$name);)*
            }
        }
    };
}

figures! {
    opened: "Connections accepted",
    logins: "Log-ins answered with a session",
    refused: "Connections closed with a code",
    submitted: "Messages taken from clients",
    window_exceeded: "Messages beyond a window",
    held: "Clients not read from for a while, since they wrote far beyond their rate",
    resent: "Windows sent again",
    fate_unknown: "Messages answered as unknown after send.patience",
    delivered: "Deliveries written to clients",
    group_deliveries: "Entries of groups for clients",
    deliveries_dropped: "Deliveries dropped: an old token or a dead session",
    relayed: "Envelopes passed from shard to shard",
    relays_dropped: "Envelopes for another shard dropped",
    asked_to_move: "Clients asked to move, since the gateway is about to stop",
    slow_readers: "Connections closed because they read too slowly",
}
