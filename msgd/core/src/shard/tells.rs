//! A user's status goes to friends, one envelope per shard, and is told again
//! until each shard has answered.

use proto::clock::Now;
use proto::ids::{Token, UserId};
use proto::limits::TARGETS_MAX;
use proto::link::{Relay, Relayed, Tell};
use proto::slot::Slot;
use proto::status::PeerStatus;

use super::Shard;
use super::status::Reached;
use crate::effect::Effect;
use crate::friends::sees;
use crate::presence::{Presence, Snapshot};
use crate::timers::Timer;
use crate::user::User;

/// A status that was told to another shard and is not answered.
#[derive(Debug)]
pub(super) struct Told {
    user: UserId,
    targets: Vec<UserId>,
    ask: bool,
    news: bool,
    tries: u32,
}

/// What came of telling at once.
#[derive(Debug, Default)]
struct Telling {
    /// Questions to other shards.
    requests: Vec<u64>,
    /// Answers of this one.
    statuses: Vec<PeerStatus>,
}

/// How often a status is told again: for about six minutes, which is longer
/// than slots wait whose holder died unknown to all others.
const TRIES_MAX: u32 = 24;

/// From this try on the pause before the next is the same, so that who has come
/// back into service is asked soon.
const TRIES_SLOWER: u32 = 4;

impl Shard {
    /// Tells all friends what is untold, and asks them for what a session is
    /// still to be shown; without a list both wait for it.
    pub(super) fn tell_friends(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let Some(list) = user.friends.list().cloned() else {
            return;
        };
        let news = std::mem::take(&mut user.presence.untold);
        let ask = std::mem::take(&mut user.presence.unasked);
        if !news && !ask {
            return;
        }
        let friends = list.entries().iter().map(|entry| &entry.user);
        let friends = friends.filter(|friend| sees(&list, friend)).cloned();
        let told = self.tell_each(now, name, friends.collect(), ask, news, 0, out);
        if ask {
            self.gather(now, name, told.requests, told.statuses, out);
        }
    }

    /// Tells these users, and asks for their statuses in return, which are
    /// shown as updates.
    pub(super) fn tell(
        &mut self,
        now: Now,
        name: &UserId,
        targets: Vec<UserId>,
        ask: bool,
        news: bool,
        tries: u32,
        out: &mut Vec<Effect>,
    ) {
        let told = self.tell_each(now, name, targets, ask, news, tries, out);
        if !told.statuses.is_empty() {
            self.show_friends(name, told.statuses, false, out);
        }
    }

    fn tell_each(
        &mut self,
        now: Now,
        name: &UserId,
        targets: Vec<UserId>,
        ask: bool,
        news: bool,
        tries: u32,
        out: &mut Vec<Effect>,
    ) -> Telling {
        let mut telling = Telling::default();
        let Some(claim) = self.slots.claim(Slot::of(name)) else {
            return telling;
        };
        let (may_see, may_not): (Vec<_>, Vec<_>) = targets
            .into_iter()
            .partition(|target| self.shows(name, target));
        let (shown, hidden) = self.faces(name, claim.token);
        for (status, targets) in [(shown, may_see), (hidden, may_not)] {
            for (own, targets) in self.by_shard(targets) {
                let tell = Tell {
                    request: self.number(),
                    status: status.clone(),
                    targets,
                    ask,
                    news,
                };
                if own {
                    self.tell_here(now, name, tell, tries, &mut telling, out);
                } else {
                    telling.requests.push(tell.request);
                    self.tell_there(now, name, tell, tries, out);
                }
            }
        }
        telling
    }

    /// Whether a user's list lets another one see the status. It is looked at
    /// each time, as what is told again may concern one who is a friend no
    /// more.
    fn shows(&self, name: &UserId, target: &UserId) -> bool {
        let list = self.users.get(name).and_then(|user| user.friends.list());
        list.is_some_and(|list| sees(list, target))
    }

    /// What those see of a user who may, and those who may not. One who has
    /// left memory is offline.
    fn faces(&mut self, name: &UserId, token: Token) -> (PeerStatus, PeerStatus) {
        let number = self.number();
        match self.users.get(name) {
            Some(user) => {
                let shown = user.presence.told(name, token);
                let counter = user.presence.counter;
                (shown, Presence::hidden(name, token, counter))
            }
            None => {
                let hidden = Presence::hidden(name, token, number);
                (hidden.clone(), hidden)
            }
        }
    }

    /// Targets of this shard: told at once, or awaited like another shard's.
    fn tell_here(
        &mut self,
        now: Now,
        name: &UserId,
        tell: Tell,
        tries: u32,
        telling: &mut Telling,
        out: &mut Vec<Effect>,
    ) {
        let Reached {
            statuses,
            missed,
            later,
        } = self.reach(now, &tell, out);
        telling.statuses.extend(statuses);
        if !missed.is_empty() {
            let missed = Tell {
                request: self.number(),
                targets: missed,
                ..tell.clone()
            };
            self.await_answer(now, name, &missed, tries);
        }
        let later = Tell {
            targets: later,
            ..tell
        };
        if later.targets.is_empty() {
            return;
        }
        self.await_answer(now, name, &later, tries);
        telling.requests.push(later.request);
        if let Some(gateway) = self.gateways.first().copied() {
            self.tell_later(now, gateway, self.ring.epoch(), later, out);
        }
    }

    /// The targets, one group per shard; whether it is this one stands beside.
    fn by_shard(&self, targets: Vec<UserId>) -> Vec<(bool, Vec<UserId>)> {
        let mut groups: Vec<(usize, Vec<UserId>)> = Vec::new();
        for target in targets {
            let owner = self.ring.owner_index(Slot::of(&target));
            let group = groups
                .iter_mut()
                .find(|(index, group)| *index == owner && group.len() < TARGETS_MAX);
            match group {
                Some((_, group)) => group.push(target),
                None => groups.push((owner, vec![target])),
            }
        }
        let own = |index: usize| self.ring.members()[index].shard == self.name;
        groups
            .into_iter()
            .map(|(index, group)| (own(index), group))
            .collect()
    }

    fn tell_there(
        &mut self,
        now: Now,
        name: &UserId,
        tell: Tell,
        tries: u32,
        out: &mut Vec<Effect>,
    ) {
        // Without room to wait for its answer it is told once.
        self.await_answer(now, name, &tell, tries);
        let Some(target) = tell.targets.first() else {
            return;
        };
        let relay = Relay {
            slot: Slot::of(target),
            relayed: Relayed::Tell(tell),
        };
        // By the gateway that the user came by, or any: without one it is told
        // when the timer fires.
        let session = self.users.get(name).and_then(|user| user.sessions.first());
        let gateway = session.map(|session| session.at.gateway);
        if let Some(gateway) = gateway.or(self.gateways.first().copied()) {
            self.relay(now, gateway, relay, out);
        }
    }

    /// What is told is told again until it is answered, unless too many are
    /// not.
    fn await_answer(&mut self, now: Now, name: &UserId, tell: &Tell, tries: u32) {
        if self.tells.len() >= self.settings.tells_max {
            self.counters.tells_shed += 1;
            return;
        }
        let told = Told {
            user: name.clone(),
            targets: tell.targets.clone(),
            ask: tell.ask,
            news: tell.news,
            tries,
        };
        self.await_later(now, tell.request, told);
    }

    fn await_later(&mut self, now: Now, request: u64, told: Told) {
        let pause = self.settings.presence_patience * (1 << told.tries.min(TRIES_SLOWER));
        self.tells.insert(request, told);
        self.timers.arm(now.moment + pause, Timer::Tell(request));
    }

    /// Whether a user who is there came back into memory and has no list yet:
    /// until then nobody can say who may see the status, and to call the user
    /// offline now would be newer than the truth.
    fn awaits_list(&self, name: &UserId) -> bool {
        let user = self.users.get(name);
        user.is_some_and(|user| user.presence.is_shown() && user.friends.list().is_none())
    }

    pub(super) fn tell_due(&mut self, now: Now, request: u64, out: &mut Vec<Effect>) {
        let Some(told) = self.tells.swap_remove(&request) else {
            return;
        };
        if told.tries >= TRIES_MAX {
            self.counters.tells_shed += 1;
            return;
        }
        if self.awaits_list(&told.user) {
            let tries = told.tries + 1;
            return self.await_later(now, request, Told { tries, ..told });
        }
        let Told {
            user,
            targets,
            ask,
            news,
            tries,
        } = told;
        self.tell(now, &user, targets, ask, news, tries + 1, out);
    }

    /// Statuses for a session that has just come: sent as one once all shards
    /// have answered, or after `presence_patience`.
    fn gather(
        &mut self,
        now: Now,
        name: &UserId,
        requests: Vec<u64>,
        statuses: Vec<PeerStatus>,
        out: &mut Vec<Effect>,
    ) {
        let until = now.moment + self.settings.presence_patience;
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let snapshot = user.presence.snapshot.get_or_insert_with(|| {
            Box::new(Snapshot {
                until,
                ..Snapshot::default()
            })
        });
        snapshot.requests.extend(requests);
        snapshot.peers.extend(statuses);
        if !user.armed.snapshot {
            user.armed.snapshot = true;
            self.timers.arm(until, Timer::Snapshot(name.clone()));
        }
        self.send_snapshot_if_whole(name, out);
    }

    /// A shard answered what was told to it.
    pub(super) fn statuses(
        &mut self,
        request: u64,
        name: &UserId,
        statuses: Vec<PeerStatus>,
        out: &mut Vec<Effect>,
    ) {
        self.tells.swap_remove(&request);
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        match &mut user.presence.snapshot {
            Some(snapshot) => {
                snapshot.requests.retain(|open| *open != request);
                snapshot.peers.extend(statuses);
                self.send_snapshot_if_whole(name, out);
            }
            // Late: it comes as an update.
            None if statuses.is_empty() => {}
            None => self.show_friends(name, statuses, false, out),
        }
    }

    /// Shows what was asked for. Who is no friend any more by now is left out:
    /// the client has forgotten what it saw of them, and is not to see them
    /// again as they were.
    fn show_friends(
        &mut self,
        name: &UserId,
        mut peers: Vec<PeerStatus>,
        snapshot: bool,
        out: &mut Vec<Effect>,
    ) {
        peers.retain(|peer| self.shows(name, &peer.user));
        self.push_statuses(name, peers, snapshot, out);
    }

    fn send_snapshot_if_whole(&mut self, name: &UserId, out: &mut Vec<Effect>) {
        let whole = |user: &mut Box<User>| {
            let snapshot = user.presence.snapshot.take()?;
            if snapshot.requests.is_empty() {
                return Some(snapshot);
            }
            user.presence.snapshot = Some(snapshot);
            None
        };
        if let Some(snapshot) = self.users.get_mut(name).and_then(whole) {
            self.show_friends(name, snapshot.peers, true, out);
        }
    }

    pub(super) fn snapshot_due(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.armed.snapshot = false;
        let Some(snapshot) = user.presence.snapshot.take() else {
            return;
        };
        if snapshot.until > now.moment {
            user.armed.snapshot = true;
            self.timers
                .arm(snapshot.until, Timer::Snapshot(name.clone()));
            user.presence.snapshot = Some(snapshot);
            return;
        }
        self.show_friends(name, snapshot.peers, true, out);
    }
}
