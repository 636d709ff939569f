//! What a shard says to another one of its own accord.
//!
//! Owns by which gateway it leaves. Must not know what it says.

use proto::ids::GatewayId;
use proto::link::{Down, Relay};

use crate::pledges::Pledges;
use crate::shard::Shard;

impl Shard {
    /// What other shards say about leases.
    pub fn pledges(&self) -> &Pledges {
        &self.pledges
    }

    /// Says something to another shard, by this gateway or by any: the next time
    /// it may be one that has a way.
    pub fn say(&self, gateway: Option<GatewayId>, relay: Relay) {
        let gateway = gateway.or_else(|| {
            let links = self.links.borrow();
            let any = fastrand::usize(..links.len().max(1));
            links.keys().nth(any).copied()
        });
        if let Some(gateway) = gateway {
            self.send(gateway, Down::Relay(relay));
        }
    }
}
