//! The simulated cluster: real cores, everything between them simulated.
//!
//! Owns time and who is where. Each file beside this one is one part of the
//! world; this one holds the parts and the list of what can happen.

mod clients;
mod clock;
mod gateways;
mod graph;
mod groups;
mod leaving;
mod links;
mod pauses;
mod people;
mod registry;
mod shards;
mod sockets;
mod stores;
mod troubles;

use std::sync::Arc;

use msgd_core::GraphTicket;
use msgd_core::store::Outcome;
use proto::graph::{GraphAnswer, GraphRequest};
use proto::ids::{GatewayId, GroupId, MessageId, SessionId, ShardId, UserId};
use proto::link::{Batch, Down, Up};
use proto::server::ServerPacket;

use crate::agenda::{Agenda, MS, Time};
use crate::check::{Broken, Checks};
use crate::client::{Client, Waking};
use crate::dice::Dice;
use crate::model::Model;
use crate::observed::Observed;
use crate::plan::Plan;
use crate::trace::Trace;

pub use clock::Clock;
pub use gateways::GatewayNode;
pub use graph::GraphNode;
pub use links::Links;
pub use registry::{Registry, Seat, Watching};
pub use shards::ShardNode;
pub use stores::StoreNode;
pub use troubles::Trouble;

/// More steps than any world needs; one that takes them is not settling.
const STEPS_MAX: u64 = 400_000;

/// The names of shards; the first three are on the ring at the beginning.
const SHARDS: [&str; 5] = [
    "msgd-fra-1",
    "msgd-fra-2",
    "msgd-fra-3",
    "msgd-ams-1",
    "msgd-ams-2",
];

/// How many shards are on the ring at the beginning.
const SHARDS_AT_FIRST: usize = 3;

const GATEWAYS: usize = 3;

/// Those beyond `plan.users` never log in.
const USERS: [&str; 11] = [
    "ann",
    "ben.oduya",
    "cat@example.org",
    "Dan-1987",
    "eve_k",
    "finn.m",
    "greta-w",
    "hugo@example.org",
    "ida",
    "jan.k",
    "kim@example.org",
];

/// What happens at some time.
#[derive(Debug)]
pub enum Step {
    /// A gateway's process starts.
    GatewayStart(usize),
    /// Something for a gateway's core, if it still lives.
    Gateway(usize, GatewayId, connd_core::Event),
    /// A gateway's core may have something due.
    GatewayTick(usize, GatewayId),
    /// What a gateway gathered for a client is written.
    Gathered(usize, GatewayId, SessionId),
    /// A gateway that was left stops, if it still lives.
    GatewayLeft(usize, GatewayId),
    /// A shard's process starts.
    ShardStart(usize),
    /// A shard that was stopped may be done.
    ShardStopped(usize, u64),
    /// A shard's core may have something due.
    ShardTick(usize, u64),
    /// Something between a process and the registry.
    Registry(registry::Turn),
    /// A gateway tries to reach a shard.
    Dial(usize, GatewayId, usize),
    /// The gateway notices that its link to the shard is gone.
    GatewayNotices(usize, usize, u64),
    /// The shard notices that its link to the gateway is gone.
    ShardNotices(usize, usize, u64),
    /// Envelopes reach a shard.
    Up(usize, usize, u64, Batch<Up>),
    /// Envelopes reach a gateway.
    Down(usize, usize, u64, Batch<Down>),
    /// A shard's requests are carried out by the store.
    StoreTurn(u64),
    /// A shard hears what came of its requests.
    StoreTold(usize, u64, Vec<Outcome>),
    /// A question reaches the friend service.
    GraphAsked(usize, u64, GraphTicket, GraphRequest),
    /// An answer of the friend service reaches a shard.
    GraphTold(usize, u64, GraphTicket, GraphAnswer),
    /// A shard has waited for the friend service for long enough.
    GraphTimeout(usize, u64, GraphTicket),
    /// The friend service's store has done something.
    GraphStored(u32, friendd_core::event::Effect),
    /// The friend service starts.
    GraphStart,
    /// A client wants a connection.
    Connect(usize, u32),
    /// A client comes to itself.
    Woke(usize, u32, Waking),
    /// A packet reaches a client.
    ToClient(usize, u64, Box<ServerPacket>),
    /// A client notices that its connection is gone.
    ClientNotices(usize, u64),
    /// Trouble.
    Trouble(Trouble),
    /// The end of a trouble.
    Over(Trouble),
    /// No more trouble.
    Quiet,
    /// The world ends.
    End,
}

/// The whole world.
#[derive(Debug)]
pub struct World {
    /// What it is like.
    pub plan: Plan,
    /// What happened.
    pub trace: Trace,
    /// How many steps it took.
    pub steps: u64,
    now: Time,
    agenda: Agenda<Step>,
    dice: Dice,
    registry: Registry,
    gateways: Vec<GatewayNode>,
    shards: Vec<ShardNode>,
    links: Links,
    store: StoreNode,
    graph: GraphNode,
    users: Vec<UserId>,
    clients: Vec<Client>,
    groups: Vec<GroupId>,
    /// Messages written in peace, by whom.
    probes: Vec<(usize, MessageId)>,
    /// How often a client wanted the end of a device.
    ends: u32,
    connections: u64,
    is_quiet: bool,
    is_over: bool,
    /// What was asked of the cluster and what came of it, naively.
    pub model: Model,
    checks: Checks,
    broken: Option<Broken>,
}

impl World {
    /// The world of a seed, before its first step.
    pub fn new(seed: u64, spoken: bool) -> Self {
        let mut dice = Dice::new(seed);
        let mut plan = Plan::of(&mut dice);
        plan.cut_off(&mut Dice::new(!seed));
        plan.with_groups(&mut Dice::new(seed.rotate_left(32)));
        let names: Vec<ShardId> = SHARDS.iter().filter_map(|n| ShardId::new(n).ok()).collect();
        let users: Vec<UserId> = USERS
            .iter()
            .filter_map(|name| UserId::new(name).ok())
            .collect();
        let clock = Clock::new(&mut dice, plan.clock_skew);
        let fixed = (!plan.leased).then_some(&names[..SHARDS_AT_FIRST]);
        let registry = Registry::new(clock, fixed);
        let mut world = Self {
            trace: Trace::new(spoken),
            steps: 0,
            now: 0,
            agenda: Agenda::default(),
            gateways: (0..GATEWAYS).map(|_| GatewayNode::new()).collect(),
            shards: names.into_iter().map(ShardNode::new).collect(),
            links: Links::new(GATEWAYS, SHARDS.len()),
            store: StoreNode::new(plan.store),
            graph: GraphNode::new(&users, plan.blocks, &mut dice),
            users: Vec::new(),
            clients: Vec::new(),
            groups: Vec::new(),
            probes: Vec::new(),
            ends: 0,
            connections: 0,
            is_quiet: false,
            is_over: false,
            model: Model::default(),
            checks: Checks::new(&plan),
            broken: None,
            registry,
            dice,
            plan,
        };
        world.model.groups.members_max = world.plan.shard.group_members_max;
        world.begin(users);
        world
    }

    fn begin(&mut self, users: Vec<UserId>) {
        for shard in 0..SHARDS_AT_FIRST {
            self.plan_in(0..5 * MS, Step::ShardStart(shard));
        }
        if self.plan.standby {
            self.plan_in(100 * MS..300 * MS, Step::ShardStart(SHARDS_AT_FIRST));
        }
        for gateway in 0..GATEWAYS {
            self.plan_in(0..5 * MS, Step::GatewayStart(gateway));
        }
        self.begin_clients(users);
        self.begin_groups();
        self.begin_troubles();
        self.agenda.plan(self.plan.chaos, Step::Quiet);
        self.agenda
            .plan(self.plan.chaos + self.plan.quiet, Step::End);
    }

    /// Lets the world run to its end.
    ///
    /// # Errors
    /// A promise that was broken.
    pub fn run(&mut self) -> Result<(), Broken> {
        while !self.is_over {
            let Some((at, step)) = self.agenda.next() else {
                break;
            };
            debug_assert!(at >= self.now);
            self.now = at;
            self.steps += 1;
            self.step(step);
            if let Some(broken) = self.broken.take() {
                return Err(broken);
            }
            if self.steps > STEPS_MAX {
                return Err(Broken::new("steps", "the world does not settle"));
            }
        }
        crate::check::at_the_end(self)
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::GatewayStart(gateway) => self.gateway_start(gateway),
            Step::Gateway(gateway, boot, event) => {
                if self.gateways[gateway].boot == boot {
                    self.gateway_event(gateway, event);
                }
            }
            Step::GatewayTick(gateway, boot) => self.gateway_tick(gateway, boot),
            Step::Gathered(gateway, boot, session) => {
                if self.gateways[gateway].boot == boot {
                    self.write_gathered(gateway, session);
                }
            }
            Step::GatewayLeft(gateway, boot) => self.gateway_left(gateway, boot),
            Step::ShardStart(shard) => self.shard_start(shard),
            Step::ShardStopped(shard, life) => self.shard_stopped(shard, life),
            Step::ShardTick(shard, life) => self.shard_tick(shard, life),
            Step::Registry(turn) => self.registry_turn(turn),
            Step::Dial(gateway, boot, shard) => self.dial(gateway, boot, shard),
            Step::GatewayNotices(gateway, shard, conn) => {
                self.gateway_notices(gateway, shard, conn);
            }
            Step::ShardNotices(gateway, shard, conn) => self.shard_notices(gateway, shard, conn),
            Step::Up(gateway, shard, conn, batch) => self.up(gateway, shard, conn, batch),
            Step::Down(gateway, shard, conn, batch) => self.down(gateway, shard, conn, batch),
            Step::StoreTurn(life) => self.store_turn(life),
            Step::StoreTold(shard, life, outcomes) => self.store_told(shard, life, outcomes),
            Step::GraphAsked(shard, life, ticket, request) => {
                self.graph_asked(shard, life, ticket, request);
            }
            Step::GraphTold(shard, life, ticket, answer) => {
                self.graph_told(shard, life, ticket, answer);
            }
            Step::GraphTimeout(shard, life, ticket) => {
                self.graph_told(shard, life, ticket, GraphAnswer::Unavailable);
            }
            Step::GraphStored(boot, effect) => self.graph_stored(boot, effect),
            Step::GraphStart => self.graph_start(),
            Step::Connect(client, start) => self.connect(client, start),
            Step::Woke(client, start, waking) => self.woke(client, start, waking),
            Step::ToClient(client, connection, packet) => {
                self.client_gets(client, connection, *packet);
            }
            Step::ClientNotices(client, connection) => self.client_notices(client, connection),
            Step::Trouble(trouble) => self.trouble(trouble),
            Step::Over(trouble) => self.trouble_over(trouble),
            Step::Quiet => self.quiet(),
            Step::End => self.is_over = true,
        }
    }

    /// Plans a step after a delay of this range.
    fn plan_in(&mut self, delay: std::ops::Range<Time>, step: Step) {
        let at = self.now + self.dice.within(delay);
        self.agenda.plan(at, step);
    }

    fn observe(&mut self, observed: Observed<'_>) {
        self.model.observe(self.now, &observed);
        let seen = self
            .checks
            .observe(self.now, &observed, &self.model, self.store.store());
        if let Err(broken) = seen
            && self.broken.is_none()
        {
            self.trace
                .say(self.now, || format!("BROKEN {}", broken.what));
            self.broken = Some(broken);
        }
    }

    /// The users, with clients or without.
    pub fn users(&self) -> &[UserId] {
        &self.users
    }

    /// The clients, as they are.
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// Messages written in peace, by whom.
    pub fn probes(&self) -> &[(usize, MessageId)] {
        &self.probes
    }

    /// The shards, as they are.
    pub fn shards(&self) -> &[ShardNode] {
        &self.shards
    }

    /// The store, as it is.
    pub fn store(&self) -> &crate::store::Store {
        self.store.store()
    }

    /// The friend service, as it is.
    pub fn graph(&self) -> &GraphNode {
        &self.graph
    }
}

/// The ring in force, for who has just learnt it.
type SharedRing = Arc<proto::ring::Ring>;
