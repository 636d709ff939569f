//! Links between gateways and shards: in order while they stand, and with
//! everything under way lost when they are cut.

use std::collections::VecDeque;

use connd_core::Event as GatewayEvent;
use msgd_core::Event as ShardEvent;
use proto::ids::GatewayId;
use proto::link::{Batch, Down, Up};

use super::{Step, World};
use crate::agenda::{MS, SECOND, Time};
use crate::brief;
use crate::observed::Observed;

/// All links of the world.
#[derive(Debug)]
pub struct Links {
    shards: usize,
    links: Vec<Link>,
    /// Counts the times that a link came up.
    conns: u64,
}

/// One link. Its ends notice at different times that it is gone.
#[derive(Debug, Default)]
struct Link {
    /// What stands, if it stands.
    conn: Option<u64>,
    /// What the gateway takes to stand.
    gateway: Option<u64>,
    /// What the shard takes to stand, and with which gateway process.
    shard: Option<(u64, GatewayId)>,
    /// Nobody gets through until then.
    barred_until: Time,
    /// A dial is planned.
    dialing: bool,
    /// The latest arrival under way, in each direction.
    last_up: Time,
    last_down: Time,
    /// Envelopes on their way, in each direction.
    under_way: usize,
    under_way_down: usize,
    /// Batches that the shard does not read yet.
    unread: VecDeque<Batch<Up>>,
}

impl Links {
    pub(super) fn new(gateways: usize, shards: usize) -> Self {
        Self {
            shards,
            links: (0..gateways * shards).map(|_| Link::default()).collect(),
            conns: 0,
        }
    }

    fn at(&mut self, gateway: usize, shard: usize) -> &mut Link {
        &mut self.links[gateway * self.shards + shard]
    }
}

impl World {
    /// Opens links to all shards that the gateway knows and has none to.
    pub(super) fn dial_members(&mut self, gateway: usize) {
        let watching = self.gateways[gateway].watching.as_ref();
        let Some(view) = watching.and_then(|watching| watching.view.clone()) else {
            return;
        };
        for shard in 0..self.shards.len() {
            if view.shard(&self.shards[shard].name).is_some() {
                self.dial_soon(gateway, shard, 0..5 * MS);
            }
        }
    }

    pub(super) fn dial_soon(&mut self, gateway: usize, shard: usize, delay: std::ops::Range<Time>) {
        let boot = self.gateways[gateway].boot;
        if self.gateways[gateway].core.is_none() {
            return;
        }
        let link = self.links.at(gateway, shard);
        if !link.dialing && link.gateway.is_none() {
            link.dialing = true;
            self.plan_in(delay, Step::Dial(gateway, boot, shard));
        }
    }

    pub(super) fn dial(&mut self, gateway: usize, boot: GatewayId, shard: usize) {
        let now = self.now;
        let answers = self.shards[shard].core.is_some() && !self.shards[shard].is_paused();
        let paused = self.gateways[gateway].is_paused();
        let link = self.links.at(gateway, shard);
        if self.gateways[gateway].boot != boot {
            return;
        }
        link.dialing = false;
        if link.gateway.is_some() {
            return;
        }
        if !answers || paused || link.barred_until > now {
            return self.dial_soon(gateway, shard, 50 * MS..300 * MS);
        }
        // A shell sees to it that the old link is over before the new begins.
        if let Some((_, former)) = link.shard.take() {
            self.shard_event(shard, ShardEvent::GatewayLost { gateway: former });
        }
        self.links.conns += 1;
        let conn = self.links.conns;
        let link = self.links.at(gateway, shard);
        link.conn = Some(conn);
        link.gateway = Some(conn);
        link.shard = Some((conn, boot));
        link.under_way = 0;
        link.under_way_down = 0;
        link.unread.clear();
        link.last_up = now;
        link.last_down = now;
        self.trace
            .mark(now, 3, &[gateway as u64, shard as u64, conn]);
        self.shard_event(shard, ShardEvent::GatewayUp { gateway: boot });
        let name = self.shards[shard].name.clone();
        self.gateway_event(gateway, GatewayEvent::LinkUp { shard: name });
    }

    /// Cuts a link; its ends notice some time later.
    pub(super) fn cut(&mut self, gateway: usize, shard: usize) {
        let Some(conn) = self.links.at(gateway, shard).conn.take() else {
            return;
        };
        self.trace
            .say(self.now, || format!("link g{gateway}-s{shard} is cut"));
        let late = if self.dice.percent(20) {
            5 * SECOND
        } else {
            100 * MS
        };
        self.plan_in(0..late, Step::GatewayNotices(gateway, shard, conn));
        self.plan_in(0..late, Step::ShardNotices(gateway, shard, conn));
    }

    /// Nobody gets through for so long.
    pub(super) fn bar(&mut self, gateway: usize, shard: usize, until: Time) {
        self.links.at(gateway, shard).barred_until = until;
        self.cut(gateway, shard);
    }

    pub(super) fn gateway_notices(&mut self, gateway: usize, shard: usize, conn: u64) {
        let link = self.links.at(gateway, shard);
        if link.gateway != Some(conn) {
            return;
        }
        link.gateway = None;
        let name = self.shards[shard].name.clone();
        self.gateway_event(gateway, GatewayEvent::LinkDown { shard: name });
        self.dial_soon(gateway, shard, MS..100 * MS);
    }

    pub(super) fn shard_notices(&mut self, gateway: usize, shard: usize, conn: u64) {
        let link = self.links.at(gateway, shard);
        if let Some((known, boot)) = link.shard
            && known == conn
        {
            link.shard = None;
            self.shard_event(shard, ShardEvent::GatewayLost { gateway: boot });
        }
    }

    /// A gateway's process died.
    pub(super) fn links_of_gateway_lost(&mut self, gateway: usize) {
        for shard in 0..self.shards.len() {
            let link = self.links.at(gateway, shard);
            link.gateway = None;
            link.dialing = false;
            if let Some(conn) = link.conn.take() {
                self.plan_in(0..100 * MS, Step::ShardNotices(gateway, shard, conn));
            }
        }
    }

    /// A shard's process died.
    pub(super) fn links_of_shard_lost(&mut self, shard: usize) {
        for gateway in 0..self.gateways.len() {
            let link = self.links.at(gateway, shard);
            link.shard = None;
            if let Some(conn) = link.conn.take() {
                self.plan_in(0..100 * MS, Step::GatewayNotices(gateway, shard, conn));
            }
        }
    }

    /// Nothing bars a link any more.
    pub(super) fn links_open(&mut self, gateway: usize, shard: usize) {
        self.links.at(gateway, shard).barred_until = 0;
    }

    /// Puts a batch on its way to a shard; gives back what finds no room. The
    /// end of a session always does, as in the gateway's shell.
    pub(super) fn send_up(
        &mut self,
        gateway: usize,
        shard: usize,
        mut batch: Batch<Up>,
    ) -> Vec<Up> {
        let delay = self.dice.within(self.plan.link_delay.clone());
        let link_max = self.plan.link_max;
        let link = self.links.at(gateway, shard);
        let Some(conn) = link.gateway else {
            return Vec::new();
        };
        if link.conn != Some(conn) {
            // It is cut, and the gateway does not know.
            return Vec::new();
        }
        let room = link_max.saturating_sub(link.under_way);
        let over = batch.envelopes.split_off(room.min(batch.envelopes.len()));
        let (ends, back) = over.into_iter().partition(|e| matches!(e, Up::Gone { .. }));
        batch.envelopes.extend::<Vec<_>>(ends);
        if !batch.envelopes.is_empty() {
            link.under_way += batch.envelopes.len();
            link.last_up = link.last_up.max(self.now + delay);
            let at = link.last_up;
            self.trace.say(self.now, || {
                let envelopes = brief::all(&batch.envelopes, brief::up);
                format!("g{gateway} -> s{shard} @{} {envelopes}", batch.epoch)
            });
            self.agenda.plan(at, Step::Up(gateway, shard, conn, batch));
        }
        back
    }

    pub(super) fn up(&mut self, gateway: usize, shard: usize, conn: u64, batch: Batch<Up>) {
        let link = self.links.at(gateway, shard);
        if link.conn == Some(conn) {
            link.unread.push_back(batch);
            self.read(gateway, shard);
        }
    }

    /// A shard reads on from a gateway as long as what goes back to it finds
    /// room on the way.
    fn read(&mut self, gateway: usize, shard: usize) {
        let half = self.plan.link_max / 2;
        loop {
            let link = self.links.at(gateway, shard);
            if link.under_way_down > half {
                return;
            }
            let Some(batch) = link.unread.pop_front() else {
                return;
            };
            link.under_way -= batch.envelopes.len();
            if link
                .shard
                .is_some_and(|(known, _)| link.conn == Some(known))
                && let Some((_, gateway)) = link.shard
            {
                self.shard_event(shard, ShardEvent::Arrived { gateway, batch });
            }
        }
    }

    /// Puts a batch on its way to a gateway process.
    pub(super) fn send_down(&mut self, shard: usize, boot: GatewayId, batch: Batch<Down>) {
        let delay = self.dice.within(self.plan.link_delay.clone());
        for gateway in 0..self.gateways.len() {
            let link = self.links.at(gateway, shard);
            let Some((conn, known)) = link.shard else {
                continue;
            };
            if known != boot || link.conn != Some(conn) {
                continue;
            }
            link.last_down = link.last_down.max(self.now + delay);
            link.under_way_down += batch.envelopes.len();
            let is_full = link.under_way_down > self.plan.link_max;
            let at = link.last_down;
            self.trace.say(self.now, || {
                let envelopes = brief::all(&batch.envelopes, brief::down);
                format!("s{shard} -> g{gateway} {envelopes}")
            });
            self.agenda
                .plan(at, Step::Down(gateway, shard, conn, batch));
            if is_full {
                self.failed();
                self.cut(gateway, shard);
            }
            return;
        }
    }

    pub(super) fn down(&mut self, gateway: usize, shard: usize, conn: u64, batch: Batch<Down>) {
        let link = self.links.at(gateway, shard);
        if link.conn != Some(conn) || link.gateway != Some(conn) {
            return;
        }
        link.under_way_down -= batch.envelopes.len();
        self.read(gateway, shard);
        let name = self.shards[shard].name.clone();
        let node = &mut self.gateways[gateway];
        if let Some(core) = &mut node.core {
            let link = core.link(&name);
            self.gateway_event(gateway, GatewayEvent::Arrived { link, batch });
        }
    }

    /// Notes that a part failed: order is not promised over it.
    pub(super) fn failed(&mut self) {
        self.observe(Observed::Failure);
    }
}
