//! Gateways: the real core, its sockets simulated.

use std::collections::{BTreeMap, VecDeque};

use connd_core::{Claims, Effect, Event, Gateway, LinkId};
use proto::codes::Code;
use proto::ids::{GatewayId, SessionId, ShardId};
use proto::limits::BATCH_ENVELOPES_MAX;
use proto::link::{Batch, Up};

use super::sockets::Socket;
use super::{Clock, Dice, SharedRing, Step, Watching, World};
use crate::agenda::{MS, Time};
use crate::brief;
use crate::observed::Observed;

/// A gateway's place, and its process if there is one.
#[derive(Debug)]
pub struct GatewayNode {
    /// Of its process.
    pub boot: GatewayId,
    /// Its process, if it lives.
    pub core: Option<Gateway>,
    pub(super) clock: Clock,
    /// What it knows of the registry.
    pub(super) watching: Option<Watching>,
    /// By number of the world's shards.
    links: Vec<LinkId>,
    pub(super) sockets: BTreeMap<SessionId, Socket>,
    pub(super) next_session: u64,
    tick_at: Option<Time>,
    /// Its clients are asked to move, and nobody else is let in.
    pub(super) is_leaving: bool,
    /// It stands still; what happens to it waits here.
    backlog: Option<VecDeque<Event>>,
}

impl GatewayNode {
    /// A place without a process.
    pub fn new() -> Self {
        Self {
            boot: GatewayId(0),
            core: None,
            clock: Clock::default(),
            watching: None,
            links: Vec::new(),
            sockets: BTreeMap::new(),
            next_session: 0,
            tick_at: None,
            is_leaving: false,
            backlog: None,
        }
    }

    /// Whether it stands still.
    pub fn is_paused(&self) -> bool {
        self.backlog.is_some()
    }

    pub(super) fn shift_wall(&mut self, shift: i64) {
        self.clock.shift += shift;
    }
}

impl Default for GatewayNode {
    fn default() -> Self {
        Self::new()
    }
}

impl World {
    pub(super) fn gateway_start(&mut self, gateway: usize) {
        if self.gateways[gateway].boot != GatewayId(0) {
            return;
        }
        let clock = self.new_clock();
        let node = &mut self.gateways[gateway];
        node.clock = clock;
        node.boot = GatewayId(Dice::within(&mut self.dice, 1 << 32..1 << 62));
        node.tick_at = None;
        let boot = node.boot;
        self.trace.say(self.now, || format!("g{gateway} starts"));
        self.watching_begins(gateway, boot);
    }

    /// It knows a ring.
    pub(super) fn gateway_begins(&mut self, gateway: usize, ring: &SharedRing) {
        let names = self.shards.iter().map(|shard| shard.name.clone());
        let names: Vec<ShardId> = names.collect();
        let node = &mut self.gateways[gateway];
        let mut core = Gateway::new(self.plan.gateway.clone(), SharedRing::clone(ring));
        node.links = names.iter().map(|name| core.link(name)).collect();
        node.core = Some(core);
        self.dial_members(gateway);
    }

    pub(super) fn gateway_crash(&mut self, gateway: usize) {
        let node = &mut self.gateways[gateway];
        node.boot = GatewayId(0);
        node.watching = None;
        if node.core.take().is_none() {
            return;
        }
        node.backlog = None;
        node.is_leaving = false;
        let sockets = std::mem::take(&mut node.sockets);
        self.trace.say(self.now, || format!("g{gateway} dies"));
        for socket in sockets.into_values() {
            let (client, connection) = (socket.client, socket.connection);
            self.plan_in(MS..200 * MS, Step::ClientNotices(client, connection));
            self.observe(Observed::Ended { connection, client });
        }
        self.links_of_gateway_lost(gateway);
    }

    pub(super) fn gateway_pause(&mut self, gateway: usize) {
        let node = &mut self.gateways[gateway];
        if node.core.is_some() && node.backlog.is_none() {
            node.backlog = Some(VecDeque::new());
            self.trace.say(self.now, || format!("g{gateway} pauses"));
        }
    }

    pub(super) fn gateway_resume(&mut self, gateway: usize) {
        let Some(backlog) = self.gateways[gateway].backlog.take() else {
            return;
        };
        self.trace.say(self.now, || format!("g{gateway} resumes"));
        for event in backlog {
            self.gateway_event(gateway, event);
        }
        self.gateway_event(gateway, Event::Tick);
    }

    pub(super) fn gateway_tick(&mut self, gateway: usize, boot: GatewayId) {
        let node = &mut self.gateways[gateway];
        if node.boot != boot || node.tick_at.is_none_or(|at| at > self.now) {
            return;
        }
        node.tick_at = None;
        self.gateway_event(gateway, Event::Tick);
    }

    /// Lets a gateway's core know of something.
    pub(super) fn gateway_event(&mut self, gateway: usize, event: Event) {
        let node = &mut self.gateways[gateway];
        if let Some(backlog) = &mut node.backlog {
            backlog.push_back(event);
            return;
        }
        let Some(core) = &mut node.core else {
            return;
        };
        self.trace.say(self.now, || {
            format!("g{gateway} <- {}", brief::gateway_event(&event))
        });
        let gone = match &event {
            Event::Closed { session } => node.sockets.remove(session),
            _ => None,
        };
        let mut effects = Vec::new();
        core.handle(node.clock.now(self.now), event, &mut effects);
        core.check_invariants();
        let count = effects.len() as u64;
        self.trace.mark(self.now, 1, &[gateway as u64, count]);
        if let Some(due) = core.next_deadline() {
            let at = node.clock.time_of(due).max(self.now);
            if node.tick_at.is_none_or(|planned| at < planned) {
                node.tick_at = Some(at);
                self.agenda.plan(at, Step::GatewayTick(gateway, node.boot));
            }
        }
        if let Some(socket) = gone {
            let (client, connection) = (socket.client, socket.connection);
            self.observe(Observed::Ended { connection, client });
        }
        self.gateway_effects(gateway, effects);
    }

    fn gateway_effects(&mut self, gateway: usize, effects: Vec<Effect>) {
        let batch_max = BATCH_ENVELOPES_MAX.min(self.plan.link_max / 8);
        let mut batches: Vec<(LinkId, Batch<Up>)> = Vec::new();
        for effect in effects {
            match effect {
                Effect::Write { session, packet } => self.write(gateway, session, packet),
                Effect::Offer { session, packet } => {
                    let sockets = &self.gateways[gateway].sockets;
                    let lags = |socket: &Socket| socket.lags(self.plan.socket_max / 2);
                    if !sockets.get(&session).is_none_or(lags) {
                        self.write(gateway, session, packet);
                    }
                }
                Effect::Gather { session, packet } => self.gather(gateway, session, packet),
                Effect::Spread { sessions, packet } => {
                    self.spread(gateway, &sessions, &packet, false);
                }
                Effect::SpreadLater { sessions, packet } => {
                    self.spread(gateway, &sessions, &packet, true);
                }
                Effect::Close { session } => self.close_socket(gateway, session),
                // To be read from late is what the network does to anyone here.
                Effect::Hold { .. } => {}
                Effect::Authenticate { session, user, .. } => {
                    let claims = user.map(|user| Claims {
                        user,
                        device: None,
                        expires: None,
                    });
                    let claims = claims.ok_or(Code::TokenInvalid);
                    let event = Event::Authenticated { session, claims };
                    let boot = self.gateways[gateway].boot;
                    self.plan_in(0..2 * MS, Step::Gateway(gateway, boot, event));
                }
                Effect::Forward {
                    link,
                    epoch,
                    envelope,
                } => {
                    let open = batches.iter_mut().rev().find(|(other, _)| *other == link);
                    match open {
                        Some((_, batch))
                            if batch.epoch == epoch && batch.envelopes.len() < batch_max =>
                        {
                            batch.envelopes.push(envelope);
                        }
                        _ => batches.push((
                            link,
                            Batch {
                                epoch,
                                envelopes: vec![envelope],
                            },
                        )),
                    }
                }
            }
        }
        let mut back = Vec::new();
        for (link, batch) in batches {
            let links = &self.gateways[gateway].links;
            if let Some(shard) = links.iter().position(|other| *other == link) {
                back.extend(self.send_up(gateway, shard, batch));
            }
        }
        for envelope in back {
            self.gateway_event(gateway, Event::LinkFull { envelope });
        }
    }
}
