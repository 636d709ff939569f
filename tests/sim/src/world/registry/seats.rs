//! A shard's seat: joining, the lease, and what the registry says of both.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use msgd_core::Event;
use proto::clock::Moment;
use proto::ids::{Epoch, Incarnation, ShardId};
use registry_core::look::{Berth, Record};
use registry_core::tenure::Tenure;
use registry_core::view::{Standing, View};
use registry_core::watcher::{Own, Watcher};

use super::{Turn, Who, Wish, Word};
use crate::agenda::{MS, Time};
use crate::plan::LEASE;
use crate::world::{SHARDS_AT_FIRST, Step, World};

/// The pause before something is tried again.
const AGAIN: Time = 100 * MS;

/// What a shard's process knows of the registry.
#[derive(Debug)]
pub struct Seat {
    pub(super) watcher: Watcher,
    pub(super) tenure: Option<Tenure>,
    pub(super) own: Own,
    /// The ring with which it came.
    joined: Epoch,
    address: String,
    berth: Berth,
    /// How many ways questions have taken.
    pub(super) turn: usize,
    pub(super) next_look: u64,
    term: u64,
    pub(super) view: Option<Arc<View>>,
    /// It is asked to stop, and waits until it is off the ring.
    is_leaving: bool,
    /// The process stands still for so long once it has looked.
    pub(super) pauses: Option<Time>,
    /// What came while the process stood still.
    backlog: VecDeque<Turn>,
}

impl Seat {
    /// Of nobody yet.
    pub(in crate::world) fn new(name: &ShardId, address: String, berth: Berth) -> Self {
        Self {
            watcher: Watcher::new(Duration::from_micros(LEASE)),
            tenure: None,
            own: Own {
                name: name.clone(),
                incarnation: Incarnation(0),
            },
            joined: Epoch(0),
            address,
            berth,
            turn: 0,
            next_look: 0,
            term: 0,
            view: None,
            is_leaving: false,
            pauses: None,
            backlog: VecDeque::new(),
        }
    }

    /// Until when its lease may be counted on.
    pub(in crate::world) fn until(&self) -> Option<Moment> {
        self.tenure.as_ref().map(Tenure::until)
    }

    /// Whether it has slots, as far as it knows.
    pub(in crate::world) fn has_slots(&self) -> bool {
        let view = self.view.as_ref();
        let record = view.and_then(|view| view.shard(&self.own.name));
        record.is_none_or(|record| record.weight > 0)
    }

    pub(super) fn seen(&self) -> Epoch {
        let view = self.view.as_ref();
        view.map_or(Epoch(0), |view| view.ring().epoch())
    }
}

impl World {
    /// A shard's process starts: it watches, and wants to be a shard.
    pub(in crate::world) fn seat_begins(&mut self, shard: usize) {
        let who = Who::Shard(shard, self.shards[shard].process);
        self.look_in(who, 0);
        self.agenda.plan(self.now, Step::Registry(Turn::Join(who)));
    }

    pub(super) fn seat_turn(&mut self, shard: usize, process: u64, turn: Turn) {
        let node = &mut self.shards[shard];
        if process == 0 || node.process != process {
            return;
        }
        if node.is_paused() {
            return node.seat.backlog.push_back(turn);
        }
        let who = Who::Shard(shard, process);
        match turn {
            Turn::Look(_, number) if number == node.seat.next_look => {
                let pauses = node.seat.pauses.take();
                self.registry_ask(who, Epoch(0), Wish::Look);
                if let Some(long) = pauses {
                    self.shard_stands_still(shard, long);
                }
            }
            Turn::Join(_) => self.seat_joins(shard),
            Turn::Renew(_, life) => self.seat_renews(shard, life),
            Turn::Questions(_, life) => self.seat_asks_others(shard, life),
            Turn::Placed(_, view) => self.seat_placed(shard, view),
            Turn::Told(_, _, asked, word) => self.seat_told(shard, asked, word),
            Turn::Look(..) | Turn::Asked(..) => {}
        }
    }

    /// What came for the registry's tasks while the process stood still.
    pub(in crate::world) fn seat_resumes(&mut self, shard: usize) {
        let process = self.shards[shard].process;
        for turn in std::mem::take(&mut self.shards[shard].seat.backlog) {
            // It may end by one of them.
            self.seat_turn(shard, process, turn);
        }
    }

    fn seat_told(&mut self, shard: usize, asked: Time, word: Word) {
        let node = &mut self.shards[shard];
        let who = Who::Shard(shard, node.process);
        let at = node.clock.now(asked).moment;
        let seat = &mut node.seat;
        let is_own = |life: Incarnation| life == seat.own.incarnation;
        match word {
            Word::Look(look) => {
                if std::mem::replace(&mut seat.term, self.registry.term) != self.registry.term {
                    seat.watcher.silent();
                }
                let answered = node.clock.now(self.now).moment;
                let seen = seat.watcher.epoch();
                let concluded = seat.watcher.looked(answered, &look);
                let seen = seen.max(seat.watcher.epoch());
                if concluded.is_newer {
                    self.place(who, &look);
                }
                if let Some(errand) = concluded.errand {
                    self.registry_ask(who, seen, Wish::Tell(errand));
                }
                self.look_in(who, concluded.next.as_micros() as Time);
            }
            Word::Joined(life, Some(joined)) if is_own(life) && seat.tenure.is_none() => {
                let lease = Duration::from_micros(LEASE);
                seat.tenure = Some(Tenure::new(lease, life, joined, at));
                seat.joined = joined;
                seat.watcher.sits(Some(seat.own.clone()));
                let renew = Step::Registry(Turn::Renew(who, life));
                self.plan_in(LEASE / 3..LEASE / 3 + 1, renew);
                let questions = Step::Registry(Turn::Questions(who, life));
                self.plan_in(LEASE / 3..LEASE / 3 + 1, questions);
                self.seat_may_begin(shard);
            }
            Word::Joined(life, None) if is_own(life) => {
                self.plan_in(AGAIN..2 * AGAIN, Step::Registry(Turn::Join(who)));
            }
            Word::Renewed(life, true) if is_own(life) => {
                if let Some(tenure) = &mut seat.tenure {
                    tenure.renewed(at);
                    seat.watcher.reached(at);
                }
                let next = asked + LEASE / 3;
                let renew = Step::Registry(Turn::Renew(who, life));
                self.agenda.plan(next.max(self.now), renew);
                self.seat_tells_lease(shard);
            }
            Word::Renewed(life, false) if is_own(life) => self.seat_is_lost(shard),
            Word::Silent(Wish::Look) => {
                seat.watcher.silent();
                self.look_in(who, AGAIN);
            }
            Word::Silent(Wish::Tell(_)) => seat.watcher.silent(),
            Word::Silent(Wish::Join(_, record)) if is_own(record.incarnation) => {
                self.plan_in(AGAIN..2 * AGAIN, Step::Registry(Turn::Join(who)));
            }
            Word::Silent(Wish::Renew(_, life, ..)) if is_own(life) => {
                let renew = Step::Registry(Turn::Renew(who, life));
                self.plan_in(AGAIN..AGAIN + 1, renew);
            }
            Word::Silent(Wish::Leave(..)) | Word::Done if seat.is_leaving => {
                seat.is_leaving = false;
                self.shard_gives_up(shard);
            }
            _ => {}
        }
    }

    /// Each attempt is an incarnation of its own, since one without an answer
    /// may have been carried out.
    fn seat_joins(&mut self, shard: usize) {
        let incarnation = Incarnation(self.registry.number());
        let node = &mut self.shards[shard];
        node.seat.tenure = None;
        node.seat.watcher.sits(None);
        node.seat.own.incarnation = incarnation;
        let is_standby = self.plan.standby && shard >= SHARDS_AT_FIRST;
        let record = Record {
            weight: u16::from(!is_standby),
            since: Epoch(0),
            incarnation,
            berth: node.seat.berth,
            address: node.seat.address.clone(),
        };
        let wish = Wish::Join(node.seat.own.name.clone(), record);
        let (who, seen) = (Who::Shard(shard, node.process), node.seat.seen());
        self.registry_ask(who, seen, wish);
    }

    fn seat_renews(&mut self, shard: usize, life: Incarnation) {
        let node = &mut self.shards[shard];
        let who = Who::Shard(shard, node.process);
        let Some(tenure) = &mut node.seat.tenure else {
            return;
        };
        if life == node.seat.own.incarnation {
            let (number, known) = tenure.asks();
            let wish = Wish::Renew(node.seat.own.name.clone(), life, number, known);
            self.registry_ask(who, Epoch(0), wish);
        }
    }

    fn seat_placed(&mut self, shard: usize, view: Arc<View>) {
        let seat = &mut self.shards[shard].seat;
        if view.ring().epoch() <= seat.seen() {
            return;
        }
        seat.view = Some(Arc::clone(&view));
        if self.shards[shard].core.is_none() {
            return self.seat_may_begin(shard);
        }
        let seat = &mut self.shards[shard].seat;
        let Own {
            name,
            incarnation: life,
        } = seat.own.clone();
        let berth = seat.berth;
        if let Some(tenure) = &mut seat.tenure {
            tenure.knows(&view);
        }
        self.seat_tells_lease(shard);
        match view.standing(&name, life) {
            Standing::Member | Standing::Drained => {
                let ring = Arc::clone(view.ring());
                self.shard_event(shard, Event::RingChanged(ring));
            }
            Standing::Over => self.seat_is_lost(shard),
            Standing::Replaced if view.shard(&name).is_some_and(|r| r.berth == berth) => {
                // An earlier attempt to join was carried out late.
                self.seat_is_lost(shard);
            }
            Standing::Removed | Standing::Replaced => {
                self.trace.say(self.now, || format!("s{shard} was removed"));
                self.shard_gives_up(shard);
            }
        }
    }

    /// A shard begins when it has a lease and knows a ring that it is on.
    fn seat_may_begin(&mut self, shard: usize) {
        let node = &mut self.shards[shard];
        let seat = &mut node.seat;
        let (Some(tenure), Some(view)) = (&mut seat.tenure, seat.view.clone()) else {
            return;
        };
        let standing = view.standing(&seat.own.name, seat.own.incarnation);
        if !matches!(standing, Standing::Member | Standing::Drained) {
            if view.ring().epoch() >= seat.joined {
                // An earlier attempt was carried out later.
                self.seat_joins(shard);
            }
            return;
        }
        if node.clock.now(self.now).moment >= tenure.until() {
            return self.seat_joins(shard);
        }
        tenure.knows(&view);
        let life = seat.own.incarnation.0;
        let ring = Arc::clone(view.ring());
        self.shard_begins(shard, life, ring);
    }

    /// Lets the shard know until when it may count on its lease.
    pub(super) fn seat_tells_lease(&mut self, shard: usize) {
        if self.shards[shard].core.is_some()
            && let Some(until) = self.shards[shard].seat.until()
        {
            self.shard_event(shard, Event::Lease { until });
        }
    }

    /// The registry says that the lease is over.
    fn seat_is_lost(&mut self, shard: usize) {
        let node = &mut self.shards[shard];
        if node.core.is_none() {
            return self.seat_joins(shard);
        }
        let until = node.clock.now(self.now).moment;
        self.shard_event(shard, Event::Lease { until });
        self.shard_event(shard, Event::Tick);
    }

    /// Others may have its slots from now on, once it has given them up.
    pub(in crate::world) fn seat_leaves(&mut self, shard: usize) {
        let node = &mut self.shards[shard];
        node.seat.is_leaving = true;
        let own = &node.seat.own;
        let wish = Wish::Leave(own.name.clone(), own.incarnation);
        let (who, seen) = (Who::Shard(shard, node.process), node.seat.seen());
        self.registry_ask(who, seen, wish);
    }

    /// It holds nothing any more, and says so; nobody waits for the answer.
    pub(in crate::world) fn seat_ends(&mut self, shard: usize, life: u64) {
        let who = Who::Shard(shard, self.shards[shard].process);
        if life != 0 {
            self.registry_ask(who, Epoch(0), Wish::End(Incarnation(life)));
        }
    }
}
