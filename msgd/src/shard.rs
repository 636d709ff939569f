//! A shard on its thread: the core, its links, its store.
//!
//! Owns the core and carries out its effects. Everything that happens comes
//! through here, in one turn: events in, effects carried out.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use msgd_core::filter::Filter;
use msgd_core::store::Request;
use msgd_core::{Effect, Event, OPERATOR, Settings};
use node::alarm::Alarm;
use node::clock::Clock;
use proto::clock::Moment;
use proto::ids::{GatewayId, Incarnation, ShardId};
use proto::link::{Batch, Down, Up};
use proto::ring::Ring;
use service::admin::trail::Trail;
use service::queue::Filler;
use store::Refusal;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tracing::{error, warn};

mod desk;
mod tasks;

use crate::friends::{Ask, patiently};
use crate::mailboxes::ShardStore;
use crate::metrics::Metrics;
use crate::outcomes::Outcomes;
use crate::pledges::Pledges;
use crate::trace;

/// The pause before a full store is asked again.
const STORE_PAUSE: Duration = Duration::from_millis(5);

/// Requests that wait for a store that does not keep up, before notes go and
/// nothing more is read from gateways.
const STORE_WAITING_MAX: usize = 65_536;

/// What a shard is made of.
pub struct Parts {
    /// Its place on the ring.
    pub name: ShardId,
    /// This start of it.
    pub incarnation: Incarnation,
    /// Bounds and times.
    pub settings: Settings,
    /// The ring to begin with.
    pub ring: Arc<Ring>,
    /// Until when the lease may be counted on; none: there is none to lose.
    pub lease: Option<Instant>,
    /// May refuse messages.
    pub filter: Option<Box<dyn Filter>>,
    /// Where it keeps what must last.
    pub store: ShardStore,
    /// Where the store's outcomes arrive.
    pub outcomes: Outcomes,
    /// The friend service.
    pub friends: Ask,
    /// Figures of all shards of the process.
    pub metrics: Arc<Metrics>,
    /// Becomes true once every slot of the ring that is the shard's is served.
    pub serving: Arc<AtomicBool>,
}

/// A link as it stands: its number, and its queue unless it was cut.
type Link = (u64, Option<Filler<Down>>);

/// A shard, shared by the tasks of its thread.
pub struct Shard {
    core: RefCell<msgd_core::Shard>,
    clock: Clock,
    ring: RefCell<Arc<Ring>>,
    /// Until when the lease may be counted on; none: there is none to lose.
    lease: Cell<Option<Moment>>,
    /// The core has dropped everything.
    fenced: Notify,
    store: ShardStore,
    friends: Ask,
    metrics: Arc<Metrics>,
    serving: Arc<AtomicBool>,
    /// By gateway; the number tells a link from the one that replaced it. A cut
    /// link stands until its task has ended.
    pub(crate) links: RefCell<HashMap<GatewayId, Link>>,
    pub(crate) pledges: Pledges,
    last_link: Cell<u64>,
    effects: RefCell<Vec<Effect>>,
    /// Asked of the store in this turn, or refused by it for want of room.
    requests: RefCell<VecDeque<Request>>,
    asking_again: Cell<bool>,
    /// It was said that the store does not take more.
    told_full: Cell<bool>,
    store_took: Notify,
    alarm: Alarm,
    desk: desk::Desk,
    trail: RefCell<Trail>,
}

impl Shard {
    /// A shard without links; its tasks run on this thread's runtime.
    pub fn start(parts: Parts) -> Rc<Self> {
        let core = msgd_core::Shard::new(
            parts.settings,
            parts.name,
            parts.incarnation,
            parts.ring.clone(),
            parts.filter,
        );
        let shard = Rc::new(Self {
            core: RefCell::new(core),
            clock: Clock::start(),
            ring: RefCell::new(parts.ring),
            lease: Cell::new(None),
            fenced: Notify::new(),
            store: parts.store,
            friends: parts.friends,
            metrics: parts.metrics,
            serving: parts.serving,
            links: RefCell::new(HashMap::new()),
            pledges: Pledges::default(),
            last_link: Cell::new(0),
            effects: RefCell::new(Vec::new()),
            requests: RefCell::new(VecDeque::new()),
            asking_again: Cell::new(false),
            told_full: Cell::new(false),
            store_took: Notify::new(),
            alarm: Alarm::default(),
            desk: desk::Desk::default(),
            trail: RefCell::default(),
        });
        if let Some(until) = parts.lease {
            shard.lease(until);
        }
        shard.turn(|core, now, effects| core.start(now, effects));
        spawn_local(shard.clone().keep_time());
        spawn_local(shard.clone().take_outcomes(parts.outcomes));
        spawn_local(shard.clone().publish());
        shard
    }

    /// Other bounds and times from now on.
    pub fn reload(&self, settings: Settings) {
        self.core.borrow_mut().set_settings(settings);
    }

    /// The registry has a newer ring.
    pub fn ring_changed(self: &Rc<Self>, ring: Arc<Ring>) {
        self.ring.replace(ring.clone());
        self.handle([Event::RingChanged(ring)]);
    }

    /// The lease may be counted on until then, and the shard answers nothing
    /// afterwards. One that is over already is not prolonged.
    pub fn lease(self: &Rc<Self>, until: Instant) {
        let until = self.clock.moment(until);
        if self.may_answer() {
            self.lease.set(Some(until));
        }
        self.handle([Event::Lease { until }]);
    }

    /// The lease is over, as the registry says.
    pub fn lease_over(self: &Rc<Self>) {
        self.lease(self.clock.instant(self.clock.now().moment));
        self.handle([Event::Tick]);
    }

    /// Whether an answer may leave: it is looked at before each does, since
    /// the process may have stood still after it was made.
    pub fn may_answer(&self) -> bool {
        let lease = self.lease.get();
        lease.is_none_or(|until| self.clock.now().moment < until)
    }

    /// Waits until the lease was lost and everything is dropped.
    pub async fn fenced(&self) {
        self.fenced.notified().await;
    }

    /// A gateway's link is there; the number names it when it goes.
    pub fn gateway_up(self: &Rc<Self>, gateway: GatewayId, filler: Filler<Down>) -> u64 {
        let link = self.last_link.get() + 1;
        self.last_link.set(link);
        let former = self
            .links
            .borrow_mut()
            .insert(gateway, (link, Some(filler)));
        if former.is_some() {
            self.handle([Event::GatewayLost { gateway }]);
        }
        self.handle([Event::GatewayUp { gateway }]);
        link
    }

    /// A gateway's link is gone.
    pub fn gateway_lost(self: &Rc<Self>, gateway: GatewayId, link: u64) {
        if self.is_current(gateway, link) {
            self.links.borrow_mut().remove(&gateway);
            self.handle([Event::GatewayLost { gateway }]);
        }
    }

    /// A gateway sent a batch. One by a link that was cut or replaced is late:
    /// its sessions are announced by the next.
    pub fn arrived(self: &Rc<Self>, gateway: GatewayId, link: u64, batch: Batch<Up>) {
        let cut = |links: &HashMap<GatewayId, Link>| {
            links
                .get(&gateway)
                .is_none_or(|(number, filler)| *number != link || filler.is_none())
        };
        if cut(&self.links.borrow()) {
            return;
        }
        let at = self.clock.now().wall;
        for envelope in &batch.envelopes {
            trace::came(&mut self.trail.borrow_mut(), at, gateway, envelope);
        }
        self.handle([Event::Arrived { gateway, batch }]);
    }

    fn is_current(&self, gateway: GatewayId, link: u64) -> bool {
        let links = self.links.borrow();
        links
            .get(&gateway)
            .is_some_and(|(number, _)| *number == link)
    }

    /// Stores what is undelivered and gives every slot up. What was asked of
    /// the store is carried out before the store stops.
    pub async fn stop(self: &Rc<Self>) {
        self.handle([Event::Stopping]);
        // Bounded: the store takes requests as long as it runs.
        for _ in 0..100 {
            if self.requests.borrow().is_empty() {
                return;
            }
            tokio::time::sleep(STORE_PAUSE).await;
            self.ask_store();
        }
        warn!("the store did not take all that was undelivered");
    }

    fn handle(self: &Rc<Self>, events: impl IntoIterator<Item = Event>) {
        self.turn(|core, now, effects| {
            for event in events {
                core.handle(now, event, effects);
            }
        });
    }

    fn turn(
        self: &Rc<Self>,
        act: impl FnOnce(&mut msgd_core::Shard, proto::clock::Now, &mut Vec<Effect>),
    ) {
        let now = self.clock.now();
        let mut effects = std::mem::take(&mut *self.effects.borrow_mut());
        let next = {
            let mut core = self.core.borrow_mut();
            act(&mut core, now, &mut effects);
            core.next_deadline()
        };
        for effect in effects.drain(..) {
            trace::effect(&mut self.trail.borrow_mut(), now.wall, &effect);
            self.carry_out(effect);
        }
        *self.effects.borrow_mut() = effects;
        self.ask_store();
        self.alarm.set(next);
    }

    fn carry_out(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Send { gateway, envelope } if gateway == OPERATOR => {
                self.desk.answered(envelope)
            }
            Effect::Send { gateway, envelope } => self.send(gateway, envelope),
            Effect::Store(request) => self.queue_request(request),
            Effect::AskGraph { ticket, request } => {
                let answering = (self.friends)(request);
                let shard = self.clone();
                spawn_local(async move {
                    let answer = patiently(answering).await;
                    shard.handle([Event::Graph { ticket, answer }]);
                });
            }
            Effect::Pledged { gateway, pledge } => self.pledges.put(gateway, pledge),
            Effect::Fenced => {
                error!("the lease ran out: this shard answers nothing any more");
                self.fenced.notify_one();
            }
        }
    }

    pub(crate) fn send(&self, gateway: GatewayId, envelope: Down) {
        let mut links = self.links.borrow_mut();
        let Some((_, queue)) = links.get_mut(&gateway) else {
            return;
        };
        let Some(filler) = queue else {
            return;
        };
        if filler.push(self.ring.borrow().epoch(), envelope).is_err() {
            // Cut: the gateway comes back and announces its sessions again.
            self.metrics.link_full.inc();
            *queue = None;
        }
    }

    /// Waits until fewer requests wait for the store than are to: what clients
    /// make of a store that stands still is bounded by what was read.
    pub async fn store_room(&self) {
        loop {
            let took = self.store_took.notified();
            if self.requests.borrow().len() < STORE_WAITING_MAX {
                return;
            }
            took.await;
        }
    }

    /// Notes go when the store does not keep up.
    fn queue_request(&self, request: Request) {
        let mut requests = self.requests.borrow_mut();
        let sheds = matches!(request, Request::Note { .. });
        if sheds && requests.len() >= STORE_WAITING_MAX {
            self.metrics.notes_shed.inc();
            return;
        }
        requests.push_back(request);
    }

    fn ask_store(self: &Rc<Self>) {
        let mut requests = self.requests.borrow_mut();
        if requests.is_empty() || self.asking_again.get() {
            return;
        }
        let asked = self.store.ask(&mut requests);
        if requests.len() < STORE_WAITING_MAX {
            self.store_took.notify_waiters();
        }
        let Err(refusal) = asked else {
            self.told_full.set(false);
            return;
        };
        if !self.told_full.replace(true) {
            warn!(%refusal, waiting = requests.len(), "the store does not take more");
        }
        self.asking_again.set(true);
        let failed: Vec<Request> = match refusal {
            Refusal::Full => Vec::new(),
            Refusal::Stopped => requests.drain(..).collect(),
        };
        let shard = self.clone();
        spawn_local(async move {
            tokio::time::sleep(STORE_PAUSE).await;
            shard.asking_again.set(false);
            let outcomes = failed.iter().flat_map(Request::failed);
            shard.handle(outcomes.map(Event::Store));
        });
    }
}
