//! A gateway on its thread: the core, its sockets and its links.
//!
//! Owns the core and carries out its effects. Everything that happens comes
//! through here, in one turn: events in, effects carried out, sockets written.

use std::cell::{Cell, RefCell, RefMut};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};

use connd_core::{Event, Leaving, LinkId, Settings};
use node::alarm::Alarm;
use node::clock::Clock;
use proto::ids::{GatewayId, SessionId, ShardId};
use proto::link::{Batch, Down, Up};
use proto::ring::Ring;
use rustls::ServerConfig;
use service::admin::trail::Trail;
use service::queue::Filler;
use tokio::sync::Notify;
use tokio::task::spawn_local;

mod desk;
mod effects;
mod many;
mod other;
mod tasks;

use crate::access::Access;
use crate::doors::{Doors, Kind, is_native};
use crate::frames::Decoded;
use crate::handshakes::Handshakes;
use crate::holding::Holding;
use crate::metrics::Metrics;
use crate::socket::{Room, Socket, rest_max};
use crate::tls::Tls;
use crate::token::Tokens;
use crate::trace::{self, Tracer};
use crate::turn::Turn;

pub use other::{LineSettings, Local};

/// What a thread reads into.
const SCRATCH_BYTES: usize = 64 * 1024;

/// What a thread reads into; no session holds a buffer while it waits.
#[derive(Debug)]
pub struct Scratch {
    /// Bytes of one read.
    pub bytes: Box<[u8]>,
    /// Packets of one read.
    pub packets: Vec<Decoded>,
    /// What of it was unsealed.
    pub room: Room,
}

/// A gateway, shared by the tasks of its thread.
#[derive(Debug)]
pub struct Gateway {
    id: GatewayId,
    core: RefCell<connd_core::Gateway>,
    clock: Clock,
    tokens: RefCell<Arc<Tokens>>,
    tls: RefCell<Tls>,
    handshakes: Handshakes,
    holding: Rc<Holding>,
    metrics: Arc<Metrics>,
    rest_max: usize,
    last_session: Cell<u64>,
    sockets: RefCell<HashMap<SessionId, Rc<Socket>, ahash::RandomState>>,
    doors: Doors,
    lines: RefCell<LineSettings>,
    links: RefCell<HashMap<LinkId, Filler<Up>>>,
    scratch: RefCell<Scratch>,
    turn: RefCell<Turn>,
    alarm: Alarm,
    trail: RefCell<Trail>,
    /// Who reads too slowly for what groups it is in; that is left out until it
    /// has read what waits for it.
    lagging: RefCell<HashSet<SessionId, ahash::RandomState>>,
    /// There is somebody who lags.
    lags: Notify,
    /// Something is gathered.
    gathered: Notify,
    /// There may be no connection any more.
    emptied: Notify,
}

impl Gateway {
    /// A gateway without links; its tasks run on this thread's runtime.
    pub fn start(
        id: GatewayId,
        (settings, lines): (Settings, LineSettings),
        ring: Arc<Ring>,
        access: Access,
        metrics: Arc<Metrics>,
    ) -> Rc<Self> {
        let gateway = Rc::new(Self {
            id,
            rest_max: rest_max(&settings),
            core: RefCell::new(connd_core::Gateway::new(settings, ring)),
            clock: Clock::start(),
            tokens: RefCell::new(access.tokens),
            handshakes: Handshakes::new(access.tls.handshakes_per_second),
            tls: RefCell::new(access.tls),
            holding: Rc::default(),
            metrics,
            last_session: Cell::new(0),
            sockets: RefCell::new(HashMap::default()),
            doors: Doors::default(),
            lines: RefCell::new(lines),
            links: RefCell::new(HashMap::new()),
            scratch: RefCell::new(Scratch {
                bytes: vec![0; SCRATCH_BYTES].into_boxed_slice(),
                packets: Vec::new(),
                room: Room::default(),
            }),
            turn: RefCell::new(Turn::default()),
            alarm: Alarm::default(),
            trail: RefCell::default(),
            lagging: RefCell::default(),
            lags: Notify::new(),
            gathered: Notify::new(),
            emptied: Notify::new(),
        });
        spawn_local(gateway.clone().keep_time());
        spawn_local(gateway.clone().write_gathered());
        spawn_local(gateway.clone().look_after_lagging());
        spawn_local(gateway.clone().keep_doors());
        spawn_local(gateway.clone().publish());
        gateway
    }

    /// The gateway's name to shards.
    pub fn id(&self) -> GatewayId {
        self.id
    }

    /// The system gave no connection: there is no descriptor left.
    pub fn accept_failed(&self) {
        self.metrics.accept_failures.inc();
    }

    /// The number of the next connection.
    pub fn next_session(&self, kind: Kind) -> SessionId {
        let number = self.last_session.get() + 1;
        self.last_session.set(number);
        SessionId(2 * number + u64::from(kind != Kind::Native))
    }

    /// A connection came; its reader calls [`Self::received`], or
    /// [`Self::line_received`], and [`Self::closed`].
    pub fn opened(&self, address: IpAddr, socket: Rc<Socket>) {
        let session = socket.session();
        if !is_native(session) {
            self.doors.add_lines(session);
        }
        self.sockets.borrow_mut().insert(session, socket);
        self.handle([Event::Opened { session, address }]);
    }

    /// The thread's scratch, for the time of one poll.
    pub fn scratch(&self) -> RefMut<'_, Scratch> {
        self.scratch.borrow_mut()
    }

    /// Waits while nothing is to be read from a client.
    pub fn poll_may_read(&self, session: SessionId, context: &mut Context<'_>) -> Poll<()> {
        self.holding.poll_free(session, context)
    }

    /// Packets came from a client.
    pub fn received(&self, session: SessionId, packets: &mut Vec<Decoded>) {
        self.trace(session, packets);
        let event = |packet| Event::Received { session, packet };
        self.handle(packets.drain(..).map(event));
    }

    fn trace(&self, session: SessionId, packets: &[Decoded]) {
        let tracer = &mut Tracer {
            trail: &mut self.trail.borrow_mut(),
            gateway: self.id,
            at: self.clock.now().wall,
        };
        let came = packets.iter();
        came.for_each(|packet| trace::came(tracer, session, packet));
    }

    /// A connection is over.
    pub fn closed(&self, session: SessionId) {
        let socket = self.sockets.borrow_mut().remove(&session);
        self.lagging.borrow_mut().remove(&session);
        self.doors.remove(session);
        // Who says nothing more and reads nothing either is not waited for.
        if let Some(socket) = socket.filter(|socket| socket.lags()) {
            socket.close();
        }
        self.handle([Event::Closed { session }]);
    }

    /// A link to a shard is there; gives its name to this gateway.
    pub fn link_up(&self, shard: &ShardId, filler: Filler<Up>) -> LinkId {
        let link = self.core.borrow_mut().link(shard);
        self.links.borrow_mut().insert(link, filler);
        self.metrics.links.inc();
        let shard = shard.clone();
        self.handle([Event::LinkUp { shard }]);
        link
    }

    /// A link to a shard is gone.
    pub fn link_down(&self, link: LinkId, shard: &ShardId) {
        self.links.borrow_mut().remove(&link);
        self.metrics.links.dec();
        let shard = shard.clone();
        self.handle([Event::LinkDown { shard }]);
    }

    /// A shard sent a batch.
    pub fn arrived(&self, link: LinkId, batch: Batch<Down>) {
        self.handle([Event::Arrived { link, batch }]);
    }

    /// The registry has a newer ring.
    pub fn ring_changed(&self, ring: Arc<Ring>) {
        self.handle([Event::RingChanged(ring)]);
    }

    /// Every client is asked to move to another server, and served until then.
    pub fn leave(&self, leaving: Leaving) {
        self.handle([Event::Leaving(leaving)]);
    }

    /// Waits until there is no connection.
    pub async fn emptied(&self) {
        while self.core.borrow().sessions() > 0 {
            self.emptied.notified().await;
        }
    }

    /// Every client that is there is told that the server stops; gives how
    /// many there were.
    pub fn stop(&self) -> usize {
        let left = self.core.borrow().sessions();
        self.handle([Event::Stopping]);
        left
    }

    /// Other settings and keys from now on. What was let in stays, with the
    /// window that its log-in granted.
    pub fn reload(&self, (settings, lines): (Settings, LineSettings), access: Access) {
        self.core.borrow_mut().set_settings(settings);
        self.lines.replace(lines);
        self.tokens.replace(access.tokens);
        self.handshakes.set_rate(access.tls.handshakes_per_second);
        self.tls.replace(access.tls);
    }

    /// How connections from now on are taken; none: plain.
    pub fn tls(&self) -> Option<Arc<ServerConfig>> {
        self.tls.borrow().config.clone()
    }

    /// The most that may wait for a client's socket, in bytes.
    pub fn rest_max(&self) -> usize {
        self.rest_max
    }

    /// Waits until one more handshake may be had.
    pub async fn admit_handshake(&self, is_there: impl AsyncFn() -> bool) {
        if self.handshakes.admit(&self.clock, is_there).await {
            self.metrics.handshakes_delayed.inc();
        }
    }

    /// TLS came up.
    pub fn handshake_done(&self) {
        self.metrics.handshakes.inc();
    }

    /// A client's TLS was not acceptable.
    pub fn handshake_failed(&self) {
        self.metrics.tls_failures.inc();
    }

    /// One turn.
    fn handle(&self, events: impl IntoIterator<Item = Event>) {
        let now = self.clock.now();
        let turn = &mut *self.turn.borrow_mut();
        let mut core = self.core.borrow_mut();
        for event in events {
            core.handle(now, event, &mut turn.effects);
        }
        let tracer = &mut Tracer {
            trail: &mut self.trail.borrow_mut(),
            gateway: self.id,
            at: now.wall,
        };
        loop {
            // Some effects end in an event at once: a token is checked, a
            // queue or socket found full.
            let mut more = Vec::new();
            let mut effects = std::mem::take(&mut turn.effects);
            for effect in effects.drain(..) {
                trace::effect(tracer, &effect);
                self.carry_out(effect, turn, &mut more);
            }
            turn.effects = effects;
            self.flush(turn, &mut more);
            if more.is_empty() {
                break;
            }
            for event in more {
                core.handle(now, event, &mut turn.effects);
            }
        }
        self.alarm.set(core.next_deadline());
        if core.sessions() == 0 {
            self.emptied.notify_one();
        }
    }
}
