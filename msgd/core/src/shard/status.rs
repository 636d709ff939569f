//! Statuses of others reach the shard's users, and those of its users are
//! given to who asks.

use std::sync::Arc;

use proto::clock::Now;
use proto::friends::FriendList;
use proto::ids::{Epoch, GatewayId, SessionId, SessionRef, UserId};
use proto::limits::TARGETS_MAX;
use proto::link::{Down, Relay, Relayed, Tell, Up};
use proto::server::ServerPacket;
use proto::slot::Slot;
use proto::status::PeerStatus;
use smallvec::SmallVec;

use super::{Shard, send};
use crate::effect::Effect;
use crate::friends::{Lookup, sees};
use crate::presence::Presence;
use crate::user::Phase;
use crate::waiting::Waiting;

/// What became of a status at one target.
enum Target {
    /// Done; the target's own status if it was asked for.
    Done(Option<PeerStatus>),
    /// The slot is not served here: it is to be told again.
    NotHere,
    /// The target's mailbox or list has to come first.
    Later,
}

/// What became of a status at all its targets.
#[derive(Debug, Default)]
pub(super) struct Reached {
    /// Of those that are done and show theirs.
    pub statuses: Vec<PeerStatus>,
    /// Not served here.
    pub missed: Vec<UserId>,
    /// Their mailboxes or lists have to come first.
    pub later: Vec<UserId>,
}

/// While so many questions to the friend service are open none is asked for
/// the sake of a status.
const QUESTIONS_FOR_TELLS: usize = 256;

/// In place of a tell's number: its answer is not whole, and it stays open.
const PART_OF_ANSWER: u64 = 0;

impl Shard {
    /// Another shard's user has a status for some of this shard's.
    pub(super) fn told(
        &mut self,
        now: Now,
        gateway: GatewayId,
        epoch: Epoch,
        tell: &Tell,
        out: &mut Vec<Effect>,
    ) {
        let mut reached = self.reach(now, tell, out);
        let mut request = tell.request;
        if !reached.missed.is_empty() {
            // Without an answer to its number it is told again.
            request = PART_OF_ANSWER;
        }
        if !reached.later.is_empty() {
            let targets = std::mem::take(&mut reached.later);
            let tell = Tell {
                request,
                targets,
                ..tell.clone()
            };
            self.tell_later(now, gateway, epoch, tell, out);
            request = PART_OF_ANSWER;
        }
        let statuses = reached.statuses;
        if request == PART_OF_ANSWER && statuses.is_empty() {
            return;
        }
        let to = tell.status.user.clone();
        let relay = Relay {
            slot: Slot::of(&to),
            relayed: Relayed::Statuses {
                request,
                to,
                statuses,
            },
        };
        self.relay(now, gateway, relay, out);
    }

    /// Tells every target that can be told at once.
    pub(super) fn reach(&mut self, now: Now, tell: &Tell, out: &mut Vec<Effect>) -> Reached {
        let mut reached = Reached::default();
        for target in &tell.targets {
            match self.tell_one(now, tell, target, out) {
                Target::Done(status) => reached.statuses.extend(status),
                Target::NotHere => reached.missed.push(target.clone()),
                Target::Later => reached.later.push(target.clone()),
            }
        }
        reached
    }

    fn tell_one(
        &mut self,
        now: Now,
        tell: &Tell,
        target: &UserId,
        out: &mut Vec<Effect>,
    ) -> Target {
        if tell.ask && self.may_be_coming(now, target) {
            return Target::NotHere;
        }
        let Some(claim) = self.slots.claim(Slot::of(target)) else {
            return Target::NotHere;
        };
        let Some(user) = self.users.get(target) else {
            return if tell.ask {
                Target::Later
            } else {
                Target::Done(None)
            };
        };
        if user.phase == Phase::Opening {
            return Target::Later;
        }
        let Some(list) = user.friends.list() else {
            let wanted = tell.ask || !user.sessions.is_empty();
            return if wanted {
                Target::Later
            } else {
                Target::Done(None)
            };
        };
        let seen = sees(list, &tell.status.user);
        let status = tell.ask.then(|| {
            if seen {
                user.presence.told(target, claim.token)
            } else {
                Presence::hidden(target, claim.token, 0)
            }
        });
        if seen && tell.news && !user.sessions.is_empty() {
            self.push_statuses(target, vec![tell.status.clone()], false, out);
        }
        Target::Done(status)
    }

    /// Whether a user who is not there may have been so at the slot's former
    /// holder, and is about to be announced again: to call them offline now
    /// would be a flap.
    fn may_be_coming(&self, now: Now, target: &UserId) -> bool {
        let linger = self.settings.presence_linger;
        let since = self.slots.since(Slot::of(target));
        let fresh = since.is_some_and(|since| now.moment < since + linger);
        fresh
            && self
                .users
                .get(target)
                .is_none_or(|user| user.sessions.is_empty())
    }

    /// Targets whose lists have to come first: all are asked for, and the
    /// status waits with the first. What finds no room is told again.
    pub(super) fn tell_later(
        &mut self,
        now: Now,
        gateway: GatewayId,
        epoch: Epoch,
        tell: Tell,
        out: &mut Vec<Effect>,
    ) {
        for target in &tell.targets {
            self.prepare(now, target, out);
        }
        let Some(first) = tell.targets.first().cloned() else {
            return;
        };
        let Some(user) = self.users.get_mut(&first) else {
            return;
        };
        if user.queue.len() >= self.settings.deferred_max {
            return;
        }
        user.queue.push_back(Waiting {
            gateway,
            epoch,
            envelope: Up::Relay(Relay {
                slot: user.slot,
                relayed: Relayed::Tell(tell),
            }),
        });
        if user.phase == Phase::Open {
            self.arm_friends(now, &first);
        }
    }

    /// Asks for what is missing of a target: the mailbox, then the list. Not
    /// for all friends of a user at once: messages of others need answers of
    /// the friend service too. Who tells does so again.
    fn prepare(&mut self, now: Now, target: &UserId, out: &mut Vec<Effect>) {
        if self.questions.len() >= QUESTIONS_FOR_TELLS {
            return;
        }
        let Some(user) = self.users.get(target) else {
            self.open(now, target, out);
            return;
        };
        let max_age = self.settings.friends_max_age;
        if user.phase == Phase::Open && user.friends.look_up(now.moment, max_age) == Lookup::Ask {
            self.ask_list(now, target, out);
        }
    }

    /// Shows statuses to every session of a user, in packets that fit a frame;
    /// the last of a snapshot says that it is whole.
    pub(super) fn push_statuses(
        &mut self,
        name: &UserId,
        mut peers: Vec<PeerStatus>,
        snapshot: bool,
        out: &mut Vec<Effect>,
    ) {
        self.counters.statuses += peers.len() as u64;
        while peers.len() > TARGETS_MAX {
            let rest = peers.split_off(TARGETS_MAX);
            let packet = ServerPacket::Presence {
                peers: std::mem::replace(&mut peers, rest),
                snapshot: false,
            };
            self.push(name, &packet, out);
        }
        self.push(name, &ServerPacket::Presence { peers, snapshot }, out);
    }

    /// Sends a packet to every session of a user.
    pub(super) fn push(&self, name: &UserId, packet: &ServerPacket, out: &mut Vec<Effect>) {
        self.push_where(name, packet, |_| true, out);
    }

    /// Sends a packet to some sessions of a user, one envelope per gateway.
    pub(super) fn push_where(
        &self,
        name: &UserId,
        packet: &ServerPacket,
        wanted: impl Fn(SessionRef) -> bool,
        out: &mut Vec<Effect>,
    ) {
        let Some(user) = self.users.get(name) else {
            return;
        };
        let mut groups: SmallVec<[(GatewayId, SmallVec<[SessionId; 2]>); 2]> = SmallVec::new();
        let wanted = |at: &SessionRef| wanted(*at);
        for at in user
            .sessions
            .iter()
            .map(|session| session.at)
            .filter(wanted)
        {
            match groups
                .iter_mut()
                .find(|(gateway, _)| *gateway == at.gateway)
            {
                Some((_, sessions)) => sessions.push(at.session),
                None => {
                    let mut sessions = SmallVec::new();
                    sessions.push(at.session);
                    groups.push((at.gateway, sessions));
                }
            }
        }
        for (gateway, sessions) in groups {
            let packet = Box::new(packet.clone());
            send(gateway, Down::Push { sessions, packet }, out);
        }
    }

    /// A user's list changed: who is newly a friend is told and asked, who is
    /// one no longer sees the user offline.
    pub(super) fn friends_differ(
        &mut self,
        now: Now,
        name: &UserId,
        old: &FriendList,
        new: &Arc<FriendList>,
        out: &mut Vec<Effect>,
    ) {
        let came: Vec<UserId> = seen_in(new).filter(|u| !sees(old, u)).cloned().collect();
        let went: Vec<UserId> = seen_in(old).filter(|u| !sees(new, u)).cloned().collect();
        let number = self.number();
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        if came.is_empty() && went.is_empty() {
            return;
        }
        // Newer than what any of them was told before.
        user.presence.counter = number;
        let is_there = !user.sessions.is_empty();
        if !is_there && !user.presence.is_shown() {
            return;
        }
        if !came.is_empty() {
            self.tell(now, name, came, is_there, true, 0, out);
        }
        if !went.is_empty() {
            self.tell(now, name, went, false, true, 0, out);
        }
    }
}

fn seen_in(list: &FriendList) -> impl Iterator<Item = &UserId> {
    let friends = list.entries().iter().map(|entry| &entry.user);
    friends.filter(|friend| sees(list, friend))
}
