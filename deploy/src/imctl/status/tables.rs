//! The status as people read it.
//!
//! Owns the columns. Must not know how a figure came about.

use proto::slot::SLOTS;

use super::{Daemon, Gateway, Graph, Shard, Status, Store};
use crate::output::{span, table};

impl Status {
    pub(super) fn text(&self) -> String {
        let tables = [
            self.daemons_text(),
            self.gateways_text(),
            self.shards_text(),
            self.stores_text(),
            self.graphs_text(),
            super::mail::text(&self.mail),
        ];
        let tables: Vec<String> = tables.into_iter().filter(|t| !t.is_empty()).collect();
        let mut text = tables.join("\n");
        if !self.shards.is_empty() {
            text += &format!("\n{} of {SLOTS} slots are served\n", self.slots_served);
        }
        for silent in &self.silent {
            text += &format!("silent: {silent}\n");
        }
        text
    }

    fn daemons_text(&self) -> String {
        let row = |daemon: &Daemon| {
            [
                format!("{} {}", daemon.program, daemon.version),
                daemon.listen.clone(),
                daemon.admin.clone(),
                daemon.process.to_string(),
                span(daemon.up_ms),
                match &daemon.not_ready {
                    None => "ready".to_owned(),
                    Some(why) => format!("not ready: {why}"),
                },
            ]
        };
        let rows: Vec<_> = self.daemons.iter().map(row).collect();
        let heads = ["daemon", "listens", "admin", "process", "up", "state"];
        table(heads, &rows)
    }

    fn gateways_text(&self) -> String {
        let row = |gateway: &Gateway| {
            let links = match gateway.links_down.as_slice() {
                [] => format!("{} up", gateway.links_up),
                down => format!("{} up, down: {}", gateway.links_up, down.join(" ")),
            };
            [
                gateway.gateway.clone(),
                gateway.admin.clone(),
                format!("{:x}", gateway.ring),
                gateway.sessions.to_string(),
                if gateway.leaving { "leaving" } else { "serves" }.to_owned(),
                links,
                gateway.logins.shown(),
                gateway.submitted.shown(),
                gateway.delivered.shown(),
                gateway.fate_unknown.shown(),
            ]
        };
        let rows: Vec<_> = self.gateways.iter().map(row).collect();
        let heads = [
            "gateway",
            "admin",
            "ring",
            "sessions",
            "state",
            "links",
            "log-ins/s",
            "sent/s",
            "delivered/s",
            "unknown/s",
        ];
        table(heads, &rows)
    }

    fn shards_text(&self) -> String {
        let row = |shard: &Shard| {
            [
                shard.shard.clone(),
                shard.admin.clone(),
                format!("{:x}", shard.ring),
                format!("{} of {}", shard.slots_held, shard.slots_owned),
                shard.users.to_string(),
                shard.sessions.to_string(),
                shard.gateways.to_string(),
                shard.waiting.to_string(),
                match shard.lease_ms {
                    Some(left) => format!("{left} ms"),
                    None => "fixed".to_owned(),
                },
                shard.accepted.shown(),
                shard.delivered.shown(),
                shard.stored.shown(),
                shard.rejected.shown(),
                shard.unknown.shown(),
            ]
        };
        let rows: Vec<_> = self.shards.iter().map(row).collect();
        let heads = [
            "shard",
            "admin",
            "ring",
            "slots",
            "users",
            "sessions",
            "links",
            "waiting",
            "lease",
            "accepted/s",
            "delivered/s",
            "stored/s",
            "rejected/s",
            "unknown/s",
        ];
        table(heads, &rows)
    }

    fn stores_text(&self) -> String {
        let row = |store: &Store| {
            [
                store.store.clone(),
                store.admin.clone(),
                if store.open { "open" } else { "closed" }.to_owned(),
                store.stored_means.clone(),
            ]
        };
        let rows: Vec<_> = self.stores.iter().map(row).collect();
        table(["store", "admin", "state", "'stored' means"], &rows)
    }

    fn graphs_text(&self) -> String {
        let row = |graph: &Graph| {
            [
                graph.admin.clone(),
                graph.users.to_string(),
                graph.waiting.to_string(),
                graph.loads.to_string(),
            ]
        };
        let rows: Vec<_> = self.graphs.iter().map(row).collect();
        let heads = ["friend service", "users in memory", "waiting", "loaded"];
        table(heads, &rows)
    }
}
