//! What a shard says to another one of its own accord.
//!
//! Owns by which gateway it leaves. Must not know what it says.

use proto::ids::GatewayId;
use proto::link::{Down, Relay};

use crate::pledges::Pledges;
use crate::shard::Shard;

/// By so many gateways a question leaves, if there are as many.
const WAYS: usize = 3;

/// Of more shards than this each is asked by one way at a time: then turns are
/// enough, and copies cost too much.
const FEW: usize = 64;

impl Shard {
    /// What other shards say about leases.
    pub fn pledges(&self) -> &Pledges {
        &self.pledges
    }

    /// Asks other shards: each question leaves by several gateways, and the next
    /// time by the next ones, so that one that has no way costs little.
    pub fn ask(&self, questions: Vec<Relay>) {
        let gateways = self.gateways();
        if gateways.is_empty() {
            return;
        }
        let ways = if questions.len() > FEW { 1 } else { WAYS };
        let ways = ways.min(gateways.len());
        let turn = self.pledges.turn(ways);
        for (number, question) in questions.into_iter().enumerate() {
            let first = turn.wrapping_add(number) % gateways.len();
            let turns = gateways.iter().cycle().skip(first);
            for gateway in turns.take(ways) {
                self.send(*gateway, Down::Relay(question.clone()));
            }
        }
    }

    /// Answers another shard, by the gateway by which it asked.
    pub fn answer(&self, gateway: GatewayId, promise: Relay) {
        self.send(gateway, Down::Relay(promise));
    }

    /// Those with a link, in an order that stays.
    fn gateways(&self) -> Vec<GatewayId> {
        let links = self.links.borrow();
        let linked = links.iter().filter(|(_, (_, filler))| filler.is_some());
        let mut gateways: Vec<GatewayId> = linked.map(|(gateway, _)| *gateway).collect();
        gateways.sort_unstable();
        gateways
    }
}
