//! What a shard shows to who scrapes.
//!
//! Owns the figures' names. The core counts; the shell adds what was counted
//! since the last time.

use std::time::Duration;

use msgd_core::Counters;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// How old a figure may be.
pub const PUBLISH_INTERVAL: Duration = Duration::from_millis(500);

macro_rules! figures {
    ($($name:ident: $help:literal,)*) => {
        /// The figures of all shards of a process.
        #[derive(Debug, Default)]
        pub struct Metrics {
            /// Users in memory.
            pub users: Gauge,
            /// Sessions of users.
            pub user_sessions: Gauge,
            /// Receipts not kept: the store does not keep up.
            pub notes_shed: Counter,
            /// Links cut because their queue was full.
            pub link_full: Counter,
            $(#[doc = $help] $name: Counter,)*
        }

        impl Metrics {
            /// Makes the figures known under `msgd_…`.
            pub fn register(&self, registry: &mut Registry) {
                let registry = registry.sub_registry_with_prefix("msgd");
                registry.register("users", "Users in memory", self.users.clone());
                registry.register("user_sessions", "Sessions of users", self.user_sessions.clone());
                registry.register(
                    "notes_shed",
                    "Receipts not kept: the store does not keep up",
                    self.notes_shed.clone(),
                );
                registry.register(
                    "link_full",
                    "Links cut because their queue was full",
                    self.link_full.clone(),
                );
                $(registry.register(stringify!($name), $help, self.$name.clone());)*
            }

            /// Adds what a shard counted between two times.
            pub fn add(&self, from: &Counters, to: &Counters) {
                $(self.$name.inc_by(to.$name - from.$name);)*
            }
        }
    };
}

figures! {
    sessions: "Sessions accepted",
    accepted: "Messages that passed the sender's checks",
    rejected: "Messages refused for good",
    delivered: "Messages answered as delivered",
    stored: "Messages answered as stored",
    logged: "Messages to groups answered as logged",
    repeated: "Messages that came again",
    unknown: "Messages answered as unknown",
    returned: "Messages given back to their windows",
    copies_shed: "Copies for further devices dropped: they read too slowly",
    friendd_requests: "Questions to the friend service",
    friendd_logins: "Log-ins for which the friend service was asked",
    statuses: "Statuses pushed to sessions",
    tells_shed: "Statuses given up: too many unanswered",
    shed: "Transient messages, receipts and requests dropped for want of room",
    users_evicted: "Users dropped from memory for want of room",
    store_failures: "Requests that the store did not carry out",
}
