//! The registry: a server, and the way of each process to it.
//!
//! Owns what is asked of the server, what is lost on the way, and its own
//! troubles. What a process makes of an answer is beside this.

mod gateways;
mod pledges;
mod seats;
mod troubles;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use proto::ids::{Epoch, GatewayId, Incarnation, ShardId};
use proto::ring::{Member, Ring};
use registry_core::look::{Look, Record, Sign};
use registry_core::view::{View, members};
use registry_core::watcher::Errand;

use super::{Clock, SharedRing, Step, World};
use crate::agenda::{MS, SECOND, Time};
use crate::plan::LEASE;
use crate::registry::Server;

pub use gateways::Watching;
pub use seats::Seat;

/// Who asks the registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// A shard, by the number of its process.
    Shard(usize, u64),
    /// A gateway.
    Gateway(usize, GatewayId),
}

/// What is asked.
#[derive(Debug, Clone)]
pub enum Wish {
    /// What there is.
    Look,
    /// To be a shard.
    Join(ShardId, Record),
    /// That a lease goes on, with the number of the renewal and the ring known.
    Renew(ShardId, Incarnation, u64, Epoch),
    /// To be off the ring.
    Leave(ShardId, Incarnation),
    /// To be nobody.
    End(Incarnation),
    /// What a watcher concluded.
    Tell(Errand),
}

/// What is answered.
#[derive(Debug, Clone)]
pub enum Word {
    /// What there is.
    Look(Look),
    /// The ring with which a shard came, unless the name is another's.
    Joined(Incarnation, Option<Epoch>),
    /// Whether the lease goes on.
    Renewed(Incarnation, bool),
    /// It is done, or needs not be.
    Done,
    /// Nothing came in time.
    Silent(Wish),
}

/// What happens between a process and the registry.
#[derive(Debug)]
pub enum Turn {
    /// What was asked at this time arrives, of one who has seen this ring.
    Asked(Who, u64, Time, Epoch, Wish),
    /// The answer, or the end of the wait for it.
    Told(Who, u64, Time, Word),
    /// A watcher looks, if no later look is planned.
    Look(Who, u64),
    /// A process tries to become a shard.
    Join(Who),
    /// A shard's lease is to be renewed.
    Renew(Who, Incarnation),
    /// A shard may have something to ask the others.
    Questions(Who, Incarnation),
    /// The slots of a ring are placed.
    Placed(Who, Arc<View>),
}

/// How the server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Well,
    /// Nobody gets through until then.
    Away(Time),
    /// What arrives is carried out then.
    Stalled(Time),
    /// Until then it shows what it has, and changes nothing.
    ReadOnly(Time),
}

/// The server, and what is on its way to it and back.
#[derive(Debug)]
pub struct Registry {
    server: Server,
    /// Raised when another server takes over: all ways to it are new.
    term: u64,
    clock: Clock,
    mood: Mood,
    /// Who does not get through, until when.
    barred: BTreeMap<Place, Time>,
    /// Who does not get through for so long, from its next renewal on.
    barring: BTreeMap<Place, Time>,
    /// Questions that wait for an answer.
    open: BTreeSet<u64>,
    tickets: u64,
    numbers: u64,
    /// What the server held, by when.
    former: VecDeque<(Time, Server)>,
    /// The shards of a world without leases.
    fixed: Option<Arc<View>>,
}

/// One process after the other, at the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    Shard(usize),
    Gateway(usize),
}

impl From<Who> for Place {
    fn from(who: Who) -> Self {
        match who {
            Who::Shard(shard, _) => Self::Shard(shard),
            Who::Gateway(gateway, _) => Self::Gateway(gateway),
        }
    }
}

/// Rings cost more to build than a world has time for; the same ones come
/// again in many worlds.
static RINGS: LazyLock<Mutex<HashMap<Named, SharedRing>>> = LazyLock::new(Mutex::default);

type Named = (u64, Vec<(ShardId, u16)>);

fn ring(epoch: Epoch, members: Vec<Member>) -> Option<SharedRing> {
    if members.is_empty() {
        return None;
    }
    let named = members.iter().map(|m| (m.shard.clone(), m.weight));
    let named = (epoch.0, named.collect());
    let mut rings = RINGS.lock().unwrap_or_else(PoisonError::into_inner);
    let ring = rings.entry(named).or_insert_with(|| {
        let ring = Ring::build(epoch, members);
        Arc::new(ring.expect("the world has one to five shards of good names"))
    });
    Some(Arc::clone(ring))
}

/// A renewal or a joining has no answer after this.
const PATIENCE: Time = LEASE / 3;

impl Registry {
    /// A server that holds nothing; in a world without leases these shards are
    /// the ring, for good.
    pub(super) fn new(clock: Clock, fixed: Option<&[ShardId]>) -> Self {
        let fixed = fixed.map(|names| {
            let member = |name: &ShardId| Member {
                shard: name.clone(),
                weight: 1,
            };
            let ring = ring(Epoch(1), names.iter().map(member).collect());
            let ring = ring.expect("there are shards");
            let address = |name: &ShardId| (name.clone(), name.to_string());
            Arc::new(View::fixed(ring, names.iter().map(address)))
        });
        Self {
            server: Server::default(),
            term: 0,
            clock,
            mood: Mood::Well,
            barred: BTreeMap::new(),
            barring: BTreeMap::new(),
            open: BTreeSet::new(),
            tickets: 0,
            numbers: 0,
            former: VecDeque::new(),
            fixed,
        }
    }

    /// A number that nothing else has.
    pub(super) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// Whether a shard is on the ring, with slots.
    pub(super) fn has_joined(&self, name: &ShardId) -> bool {
        self.server.has_joined(name)
    }

    /// The ring of a world without leases.
    pub(super) fn fixed(&self) -> Option<SharedRing> {
        self.fixed.as_ref().map(|view| Arc::clone(view.ring()))
    }

    /// What the registry says of a holder of slots.
    pub(super) fn sign(&self, holder: Incarnation) -> Sign {
        self.server.sign(holder)
    }

    /// Its ring of the present.
    pub(super) fn look(&self) -> Look {
        self.server.look(0)
    }

    fn is_barred(&self, who: Who, now: Time) -> bool {
        let until = self.barred.get(&who.into());
        until.is_some_and(|until| *until > now)
            || matches!(self.mood, Mood::Away(until) if until > now)
    }

    /// Keeps what it was, for a replica that lags.
    fn remember(&mut self, now: Time) {
        while self.former.len() > 1 && self.former[1].0 + SECOND < now {
            self.former.pop_front();
        }
        self.former.push_back((now, self.server.clone()));
    }

    fn carry_out(&mut self, now: Time, seen: Epoch, wish: Wish) -> Word {
        let ms = self.clock.now(now).wall.0 / MS;
        let lease = LEASE / MS;
        if !matches!(wish, Wish::Look) {
            self.remember(now);
        }
        let server = &mut self.server;
        match wish {
            Wish::Look => return Word::Look(server.look(ms)),
            Wish::Join(name, record) => {
                let incarnation = record.incarnation;
                let joined = server.join(ms, seen, &name, record, lease);
                return Word::Joined(incarnation, joined.ok());
            }
            Wish::Renew(name, incarnation, number, known) => {
                let renewed = server.renew(ms, (&name, incarnation), (number, known), lease);
                return Word::Renewed(incarnation, renewed);
            }
            // Who is the last stays.
            Wish::Leave(name, incarnation) => {
                let _ = server.leave(ms, seen, &name, incarnation);
            }
            Wish::End(incarnation) => server.end(incarnation),
            Wish::Tell(Errand::Raise) => server.raise(seen),
            Wish::Tell(Errand::Expire { by, since, dead }) => {
                server.expire(ms, seen, (&by, since), &dead);
            }
        }
        Word::Done
    }
}

impl World {
    /// Asks the registry; the answer comes as a turn.
    fn registry_ask(&mut self, who: Who, seen: Epoch, wish: Wish) {
        self.registry.tickets += 1;
        let ticket = self.registry.tickets;
        self.registry.open.insert(ticket);
        let silent = Turn::Told(who, ticket, self.now, Word::Silent(wish.clone()));
        self.plan_in(PATIENCE..PATIENCE + 1, Step::Registry(silent));
        if !self.registry.is_barred(who, self.now) {
            let asked = Turn::Asked(who, ticket, self.now, seen, wish);
            let late = self.registry_late();
            self.plan_in(200..late, Step::Registry(asked));
        }
    }

    fn registry_late(&mut self) -> Time {
        let soon = self.soon(10 * MS);
        if !self.plan.troubles.registry || self.is_quiet {
            return soon;
        }
        match self.dice.within(0..100) {
            0 => 2 * LEASE,
            1..5 => LEASE / 3,
            _ => soon,
        }
    }

    pub(super) fn registry_turn(&mut self, turn: Turn) {
        let who = match turn {
            Turn::Asked(who, ticket, asked, seen, wish) => {
                return self.registry_asked(who, (ticket, asked), seen, wish);
            }
            Turn::Told(who, ..)
            | Turn::Look(who, _)
            | Turn::Join(who)
            | Turn::Renew(who, _)
            | Turn::Questions(who, _)
            | Turn::Placed(who, _) => who,
        };
        if let Turn::Told(_, ticket, ..) = &turn
            && !self.registry.open.remove(ticket)
        {
            return;
        }
        match who {
            Who::Shard(shard, process) => self.seat_turn(shard, process, turn),
            Who::Gateway(gateway, boot) => self.watching_turn(gateway, boot, turn),
        }
    }

    /// What was asked reaches the server.
    fn registry_asked(&mut self, who: Who, (ticket, asked): (u64, Time), seen: Epoch, wish: Wish) {
        if self.registry.is_barred(who, self.now) {
            return;
        }
        if let Mood::Stalled(until) = self.registry.mood
            && until > self.now
        {
            let again = Turn::Asked(who, ticket, asked, seen, wish);
            let at = until - self.now;
            return self.plan_in(at..at + 20 * MS, Step::Registry(again));
        }
        if let Mood::ReadOnly(until) = self.registry.mood
            && until > self.now
            && !matches!(wish, Wish::Look)
        {
            let refused = Turn::Told(who, ticket, asked, Word::Silent(wish));
            return self.plan_in(200..10 * MS, Step::Registry(refused));
        }
        let place = Place::from(who);
        if matches!(wish, Wish::Renew(..))
            && let Some(long) = self.registry.barring.remove(&place)
        {
            self.registry.barred.insert(place, self.now + long);
        }
        let epoch = self.registry.look().epoch;
        let is_change = !matches!(wish, Wish::Look | Wish::Renew(..));
        if is_change {
            self.trace
                .say(self.now, || format!("registry <- {who:?} {wish:?}"));
        }
        let word = self.registry.carry_out(self.now, seen, wish);
        if is_change {
            self.trace.say(self.now, || format!("registry: {word:?}"));
        }
        let late = self.registry_late();
        let told = Turn::Told(who, ticket, asked, word);
        self.plan_in(200..late, Step::Registry(told));
        if self.registry.look().epoch != epoch {
            self.tell_news();
        }
    }

    /// Who waits for news looks; to some they do not come.
    fn tell_news(&mut self) {
        for shard in 0..self.shards.len() {
            if self.dice.percent(85) && self.shards[shard].process != 0 {
                let who = Who::Shard(shard, self.shards[shard].process);
                let late = self.dice.within(200..self.soon(20 * MS));
                self.look_in(who, late);
            }
        }
        for gateway in 0..self.gateways.len() {
            if self.dice.percent(85) && self.gateways[gateway].watching.is_some() {
                let who = Who::Gateway(gateway, self.gateways[gateway].boot);
                let late = self.dice.within(200..self.soon(20 * MS));
                self.look_in(who, late);
            }
        }
    }

    /// The next look of a watcher is then, and not when it was to be before.
    fn look_in(&mut self, who: Who, pause: Time) {
        let number = self.registry.number();
        match who {
            Who::Shard(shard, _) => self.shards[shard].seat.next_look = number,
            Who::Gateway(gateway, _) => {
                if let Some(watching) = &mut self.gateways[gateway].watching {
                    watching.next_look = number;
                }
            }
        }
        let look = Step::Registry(Turn::Look(who, number));
        self.agenda.plan(self.now + pause, look);
    }

    /// Slots are placed aside, and known a little later; seldom much later.
    fn place(&mut self, who: Who, look: &Look) {
        if let Some(ring) = ring(look.epoch, members(look)) {
            let view = Arc::new(View::of(ring, look));
            let late = if self.dice.percent(5) {
                SECOND
            } else {
                self.soon(40 * MS)
            };
            self.plan_in(0..late, Step::Registry(Turn::Placed(who, view)));
        }
    }
}
