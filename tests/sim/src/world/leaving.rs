//! A gateway is left before it stops: its clients are asked to move, and who
//! connects is refused.

use std::time::Duration;

use connd_core::{Event, Leaving};
use proto::ids::GatewayId;
use proto::server::Goaway;

use super::{Step, World};
use crate::agenda::{MS, SECOND, Time};
use crate::client::Waking;
use crate::observed::Observed;

/// From when the last client should have moved, to the stop.
const GRACE: Time = 500 * MS;

impl World {
    /// A gateway asks its clients to move, and stops some time later.
    pub(super) fn gateway_leave(&mut self, gateway: usize) {
        let micros = |range, world: &mut Self| Duration::from_micros(world.dice.within(range));
        let leaving = Leaving {
            after: micros(0..300 * MS, self),
            spread: micros(0..2 * SECOND, self),
        };
        let node = &mut self.gateways[gateway];
        if node.core.is_none() || std::mem::replace(&mut node.is_leaving, true) {
            return;
        }
        let boot = node.boot;
        self.gateway_event(gateway, Event::Leaving(leaving));
        let longest = leaving.longest().as_micros() as Time + GRACE;
        self.plan_in(longest..longest + 1, Step::GatewayLeft(gateway, boot));
    }

    /// It stops, whoever is there.
    pub(super) fn gateway_left(&mut self, gateway: usize, boot: GatewayId) {
        if self.gateways[gateway].boot == boot {
            self.failed();
            self.gateway_event(gateway, Event::Stopping);
            self.kill_gateway(gateway);
        }
    }

    /// A client was asked to move, and draws when.
    pub(super) fn client_sent_away(&mut self, client: usize, goaway: Goaway) {
        let who = &self.clients[client];
        let (start, Some(connection)) = (who.process, who.connection()) else {
            return;
        };
        let after = u64::from(goaway.after_ms) * MS;
        let spread = u64::from(goaway.spread_ms) * MS;
        let connection = connection.number;
        self.observe(Observed::Goes {
            connection,
            until: self.now + after + spread,
        });
        let moves = Step::Woke(client, start, Waking::Move(connection));
        self.plan_in(after..after + spread + 1, moves);
    }
}
