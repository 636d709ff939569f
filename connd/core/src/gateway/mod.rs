//! A gateway: all its sessions and its routes.
//!
//! Owns which session is which. Each file beside this one is one thing that
//! happens, from top to bottom; this one holds the state and the list of them.

mod answers;
mod closing;
mod deadlines;
mod following;
mod groups;
mod leaving;
mod links;
mod login;
mod operator;
mod packets;
mod relays;
mod sending;

use std::sync::Arc;

use indexmap::IndexMap;
use proto::clock::{Moment, Now};
use proto::ids::{Epoch, SessionId, ShardId};
use proto::link::Up;
use proto::rate::Allowance;
use proto::ring::Ring;
use proto::server::ServerPacket;
use proto::slot::Slot;

use crate::admission::Admission;
use crate::effect::{Counters, Effect};
use crate::event::Event;
use crate::groups::Groups;
use crate::router::{LinkId, Route, Router};
use crate::session::{Live, Session, State};
use crate::settings::{Leaving, Settings};
use crate::timers::Timers;

/// The state machine of one gateway.
#[derive(Debug)]
pub struct Gateway {
    settings: Settings,
    router: Router,
    /// At most `settings.sessions_max`; a map that keeps an order, so that the
    /// same events give the same effects.
    sessions: IndexMap<SessionId, Session, ahash::RandomState>,
    groups: Groups,
    admission: Admission,
    requests: Allowance,
    timers: Timers,
    counters: Counters,
    /// It is about to stop: clients are asked to move.
    leaving: Option<Leaving>,
}

impl Gateway {
    /// A gateway without sessions; every link is down.
    pub fn new(settings: Settings, ring: Arc<Ring>) -> Self {
        Self {
            router: Router::new(ring),
            sessions: IndexMap::default(),
            groups: Groups::default(),
            admission: Admission::new(&settings),
            requests: requests(&settings),
            timers: Timers::default(),
            counters: Counters::default(),
            leaving: None,
            settings,
        }
    }

    /// Other bounds and times from now on. What the log-in grants (window and
    /// body) stays as it was; a lower bound drops nobody who is there.
    pub fn set_settings(&mut self, settings: Settings) {
        let granted = &self.settings;
        self.settings = Settings {
            window_messages: granted.window_messages,
            window_bytes: granted.window_bytes,
            body_bytes_max: granted.body_bytes_max,
            ..settings
        };
        self.requests = requests(&self.settings);
        self.admission.set_settings(&self.settings);
    }

    /// Takes what happened, and gives what is to be done about it.
    pub fn handle(&mut self, now: Now, event: Event, out: &mut Vec<Effect>) {
        match event {
            Event::Opened { session, address } => self.opened(now, session, address, out),
            Event::Received { session, packet } => self.received(now, session, packet, out),
            Event::Authenticated { session, claims } => {
                self.authenticated(now, session, claims, out);
            }
            Event::Clogged { session } => self.clogged(session, out),
            Event::Drained { session } => self.drained(session, out),
            Event::Closed { session } => self.closed(session, out),
            Event::Arrived { link, batch } => self.arrived(now, link, batch, out),
            Event::LinkFull { envelope } => self.link_full(now, envelope, out),
            Event::LinkUp { shard } => self.link_up(now, &shard, out),
            Event::LinkDown { shard } => self.link_down(now, &shard),
            Event::RingChanged(ring) => self.ring_changed(now, ring, out),
            Event::Tick => self.tick(now, out),
            Event::Leaving(leaving) => self.leaving(leaving, out),
            Event::Stopping => self.stopping(out),
        }
    }

    /// When [`Event::Tick`] is due.
    pub fn next_deadline(&self) -> Option<Moment> {
        let timer = self.timers.next();
        let groups = self.groups.due_at();
        timer.into_iter().chain(groups).min()
    }

    /// The link of a shard; the shell opens one for each member of a ring.
    pub fn link(&mut self, shard: &ShardId) -> LinkId {
        self.router.link(shard)
    }

    /// The ring in force.
    pub fn epoch(&self) -> Epoch {
        self.router.epoch()
    }

    /// How many connections there are.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// What was counted since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// What must hold between two events; simulation and fuzzing look.
    ///
    /// # Panics
    /// If something does not hold: a bug of this crate.
    pub fn check_invariants(&self) {
        assert!(self.sessions.len() <= self.settings.sessions_max);
        for session in self.sessions.values() {
            let State::Live(live) = &session.state else {
                continue;
            };
            let messages = live.sends.iter().count();
            assert!(messages <= self.settings.window_messages as usize);
            let bytes: usize = live.sends.iter().map(|m| m.body.len()).sum();
            assert!(bytes <= self.settings.window_bytes as usize);
            assert!(live.deliveries.len() <= 2 * self.settings.window_messages as usize);
            assert!(live.sends.is_empty() || live.resend_armed);
            assert!(!live.stalled || live.stall_armed);
        }
        self.check_groups();
    }

    fn live(&mut self, session: SessionId) -> Option<&mut Live> {
        match &mut self.sessions.get_mut(&session)?.state {
            State::Live(live) => Some(live),
            State::Offered | State::Checking(_) => None,
        }
    }

    /// Puts an envelope on the link of a slot's owner, if that is up.
    fn to_shard(&self, slot: Slot, envelope: Up, out: &mut Vec<Effect>) {
        if let Route::Link(link) = self.router.route(slot) {
            forward(link, self.router.epoch(), envelope, out);
        }
    }
}

fn requests(settings: &Settings) -> Allowance {
    let per_second = settings.requests_per_second;
    Allowance::new(per_second, per_second.saturating_mul(4))
}

fn forward(link: LinkId, epoch: Epoch, envelope: Up, out: &mut Vec<Effect>) {
    out.push(Effect::Forward {
        link,
        epoch,
        envelope,
    });
}

fn write(session: SessionId, packet: ServerPacket, out: &mut Vec<Effect>) {
    out.push(Effect::Write { session, packet });
}
