//! What shards promise each other while the registry is away.

use proto::ids::{GatewayId, Incarnation, ShardId};
use proto::link::{Batch, Down, Pledge, Relay, Relayed};
use proto::slot::Slot;

use super::{Turn, Who};
use crate::agenda::MS;
use crate::world::{Step, World};

/// By so many gateways each question leaves.
const WAYS: usize = 2;

impl World {
    /// Asks the others whether it may go on without the registry, if it is time.
    pub(super) fn seat_asks_others(&mut self, shard: usize, life: Incarnation) {
        let node = &mut self.shards[shard];
        let now = node.clock.now(self.now).moment;
        let Some(tenure) = &mut node.seat.tenure else {
            return;
        };
        if node.seat.own.incarnation != life {
            return;
        }
        let questions = tenure.questions(now);
        let next = node.clock.time_of(tenure.next_questions());
        let who = Who::Shard(shard, node.process);
        let again = Step::Registry(Turn::Questions(who, life));
        self.agenda.plan(next.max(self.now + MS), again);
        let own = self.shards[shard].name.clone();
        let turn = self.shards[shard].seat.turn;
        self.shards[shard].seat.turn += WAYS;
        for (name, to, number) in questions {
            let (Some(back), Some(slot)) = (self.slot_of(shard, &own), self.slot_of(shard, &name))
            else {
                continue;
            };
            let pledge = Pledge {
                from: life,
                back,
                to,
                number,
                given: false,
            };
            for way in 0..WAYS {
                let gateway = (turn + way) % self.gateways.len();
                let gateway = self.gateways[gateway].boot;
                self.say(shard, gateway, slot, pledge);
            }
        }
    }

    /// Another shard asks, or has promised.
    pub(in crate::world) fn seat_pledged(
        &mut self,
        shard: usize,
        gateway: GatewayId,
        pledge: &Pledge,
    ) {
        let node = &mut self.shards[shard];
        let own = node.seat.own.incarnation;
        if pledge.to != own {
            return;
        }
        if pledge.given {
            if let Some(tenure) = &mut node.seat.tenure {
                tenure.promised(pledge.from, pledge.number);
            }
            return self.seat_tells_lease(shard);
        }
        let now = node.clock.now(self.now).moment;
        let promises = node.seat.watcher.promises(now, pledge.from);
        if promises {
            let promise = Pledge {
                from: own,
                back: pledge.back,
                to: pledge.from,
                number: pledge.number,
                given: true,
            };
            self.say(shard, gateway, pledge.back, promise);
        }
    }

    fn say(&mut self, shard: usize, gateway: GatewayId, slot: Slot, pledge: Pledge) {
        let epoch = self.shards[shard].seat.seen();
        let relayed = Relayed::Pledge(pledge);
        let envelopes = vec![Down::Relay(Relay { slot, relayed })];
        let batch = Batch { epoch, envelopes };
        self.send_down(shard, gateway, batch);
    }

    fn slot_of(&self, shard: usize, name: &ShardId) -> Option<Slot> {
        let view = self.shards[shard].seat.view.as_ref()?;
        Slot::all().find(|slot| view.ring().owner(*slot) == name)
    }
}
