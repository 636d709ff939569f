//! Statuses of others reach the shard's users, and those of its users are
//! given to who asks.

use std::sync::Arc;

use proto::clock::Now;
use proto::friends::FriendList;
use proto::ids::{Epoch, GatewayId, SessionId, UserId};
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
        let mut statuses = Vec::new();
        let mut whole = true;
        for target in &tell.targets {
            match self.tell_one(now, tell, target, out) {
                Target::Done(status) => statuses.extend(status),
                Target::NotHere => whole = false,
                Target::Later => {
                    whole &= self.tell_later(now, gateway, epoch, tell, target, out);
                }
            }
        }
        if !whole && statuses.is_empty() {
            // Without an answer it is told again.
            return;
        }
        let request = if whole { tell.request } else { 0 };
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

    /// The same within this shard; gives the statuses that are known at once,
    /// and who is to be told again.
    pub(super) fn tell_here(
        &mut self,
        now: Now,
        tell: &Tell,
        out: &mut Vec<Effect>,
    ) -> (Vec<PeerStatus>, Vec<UserId>) {
        let mut statuses = Vec::new();
        let mut missed = Vec::new();
        for target in &tell.targets {
            match self.tell_one(now, tell, target, out) {
                Target::Done(status) => statuses.extend(status),
                Target::NotHere => missed.push(target.clone()),
                Target::Later => {
                    if let Some(gateway) = self.gateways.first().copied() {
                        let epoch = self.ring.epoch();
                        self.tell_later(now, gateway, epoch, tell, target, out);
                    }
                }
            }
        }
        (statuses, missed)
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
        if matches!(user.phase, Phase::Opening(_)) {
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
                Presence::hidden(target, claim.token)
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

    /// A target whose list has to come first: the question waits with it.
    /// `false` if there is no room for it.
    fn tell_later(
        &mut self,
        now: Now,
        gateway: GatewayId,
        epoch: Epoch,
        tell: &Tell,
        target: &UserId,
        out: &mut Vec<Effect>,
    ) -> bool {
        if !self.users.contains_key(target) && !self.open(now, target, out) {
            return false;
        }
        let tell = Tell {
            targets: vec![target.clone()],
            ..tell.clone()
        };
        let waiting = Waiting {
            gateway,
            epoch,
            envelope: Up::Relay(Relay {
                slot: Slot::of(target),
                relayed: Relayed::Tell(tell),
            }),
        };
        let deferred_max = self.settings.deferred_max;
        let Some(user) = self.users.get_mut(target) else {
            return false;
        };
        match &mut user.phase {
            Phase::Opening(queue) if queue.len() < deferred_max => queue.push_back(waiting),
            Phase::Opening(_) => return false,
            Phase::Open if user.listing.len() >= deferred_max => return false,
            Phase::Open => {
                let max_age = self.settings.friends_max_age;
                if user.friends.look_up(now.moment, max_age) == Lookup::Ask {
                    self.ask_list(now, target, out);
                }
                // A target is no one user's envelope: it is put there by hand.
                if let Some(user) = self.users.get_mut(target) {
                    user.listing.push_back(waiting);
                    self.arm_friends(now, target);
                }
            }
        }
        true
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
            self.push(name, packet, out);
        }
        self.push(name, ServerPacket::Presence { peers, snapshot }, out);
    }

    /// Sends a packet to every session of a user, one envelope per gateway.
    pub(super) fn push(&mut self, name: &UserId, packet: ServerPacket, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get(name) else {
            return;
        };
        let mut groups: SmallVec<[(GatewayId, SmallVec<[SessionId; 2]>); 2]> = SmallVec::new();
        for session in &user.sessions {
            let at = session.at;
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
        let Some(user) = self.users.get(name) else {
            return;
        };
        if user.sessions.is_empty() {
            return;
        }
        if !came.is_empty() {
            self.tell(now, name, came, true, true, 0, out);
        }
        if !went.is_empty() {
            self.hide_from(now, name, went, out);
        }
    }

    /// Those who may no longer see a user see them offline.
    fn hide_from(&mut self, now: Now, name: &UserId, from: Vec<UserId>, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let shown = user.presence.status.clone();
        user.presence.counter += 1;
        user.presence.status = proto::status::Status::offline();
        self.tell(now, name, from, false, true, 0, out);
        if let Some(user) = self.users.get_mut(name) {
            user.presence.status = shown;
            // What is shown from now on is newer than what hid it: who may see
            // the user again does.
            user.presence.counter += 1;
        }
    }
}

fn seen_in(list: &FriendList) -> impl Iterator<Item = &UserId> {
    let friends = list.entries().iter().map(|entry| &entry.user);
    friends.filter(|friend| sees(list, friend))
}
