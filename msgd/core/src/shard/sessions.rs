//! Sessions of the shard's users come and go.

use proto::clock::Now;
use proto::codes::Code;
use proto::ids::{GatewayId, Incarnation, LoginOrder, SessionRef, Stamp, UserId};
use proto::link::{Announce, Down};
use proto::rate::Usage;
use proto::status::Status;

use super::devices::{close_ended, ended};
use super::{REPLACED_MAX, Shard, send};
use crate::effect::Effect;
use crate::friends::Lookup;
use crate::inbox::Reader;
use crate::store::{Claim, Request, Seen};
use crate::timers::Timer;
use crate::user::{Session, User};

impl Shard {
    pub(super) fn announce(
        &mut self,
        now: Now,
        gateway: GatewayId,
        mut announce: Announce,
        out: &mut Vec<Effect>,
    ) {
        let session = announce.session;
        let at = SessionRef { gateway, session };
        let name = announce.user.clone();
        let Some(ending) = self.end_former(now, at, &mut announce, out) else {
            return refuse(at, Code::Replaced, out);
        };
        let is_ending = ending.is_some();
        let number = self.number();
        let user = self.users.get_mut(&name);
        let Some((user, claim)) = user.and_then(|u| self.slots.claim(u.slot).map(|c| (u, c)))
        else {
            return;
        };
        if user.sessions.len() >= self.settings.sessions_per_user_max {
            return refuse(at, Code::TooManySessions, out);
        }
        let order = announce.order.unwrap_or(LoginOrder {
            token: claim.token,
            number,
        });
        // Mostly there is one.
        user.sessions.reserve_exact(1);
        user.sessions.push(Session {
            at,
            device: announce.device,
            since: announce.since,
            order,
            carbons_wanted: false,
            ending,
            rate: Usage::default(),
        });
        let (count, bytes) = (announce.window_messages, announce.window_bytes);
        user.inbox
            .attach(|next| Reader::new(at, number, next, count as usize, bytes as usize));
        self.counters.sessions += 1;
        let accepted = Down::Accepted {
            session,
            token: claim.token,
            order,
            groups: user.groups_named(),
        };
        send(gateway, accepted, out);
        note_arrival(user, &name, claim, self.incarnation, out);
        self.want_carbons(&name, out);
        if is_ending {
            // It was told so on a link that was lost.
            close_ended(at, out);
        }
        let asked_before = self.counters.friendd_requests;
        let (status, since) = (announce.status, announce.status_since);
        // Nor does a log-in that sets nothing change what is shown.
        match announce.again || since == Stamp::default() {
            true => self.come_again(at, &name, status, since),
            false => self.show(at, &name, status, since),
        }
        self.come_online(now, &name, out);
        if let Some(hash) = announce.friends_hash {
            self.hash_named(now, at, &name, hash, out);
        }
        self.counters.friendd_logins += u64::from(self.counters.friendd_requests > asked_before);
        self.pump(now, &name, out);
    }

    /// A session that is announced again starts anew; another one of the same
    /// device is replaced and told why. Gives who wants the end of the session,
    /// if anybody does; none at all: that one logged in later, and this one is a
    /// connection that its client has left.
    fn end_former(
        &mut self,
        now: Now,
        at: SessionRef,
        announce: &mut Announce,
        out: &mut Vec<Effect>,
    ) -> Option<Option<Box<(SessionRef, u32)>>> {
        // It may have been announced again before it heard where it stands.
        announce.order = announce.order.or(self.replaced.get(&at).copied());
        let Some(user) = self.users.get_mut(&announce.user) else {
            return Some(None);
        };
        if let Some(index) = user.session(at) {
            let former = user.end_session(now.moment, index);
            return Some(former.ending);
        }
        let same = |session: &Session| session.device == announce.device;
        let Some(index) = user.sessions.iter().position(same) else {
            return Some(None);
        };
        let former_order = user.sessions[index].order;
        if announce.order.is_some_and(|order| order < former_order) {
            return None;
        }
        let former = user.end_session(now.moment, index);
        // It logged in again before it heard of its end.
        ended(&former, Some(Code::Busy), out);
        let envelope = Down::Close {
            session: former.at.session,
            code: Code::Replaced,
        };
        send(former.at.gateway, envelope, out);
        // The linger covers the moment until the new one stands.
        user.presence.linger_until = Some(now.moment + self.settings.presence_linger);
        if self.replaced.len() >= REPLACED_MAX {
            self.replaced.shift_remove_index(0);
        }
        self.replaced.insert(former.at, former.order);
        Some(None)
    }

    /// What a session shows that was there before counts unless another one
    /// set something later.
    fn come_again(&mut self, at: SessionRef, name: &UserId, status: Status, since: Stamp) {
        let number = self.number();
        if let Some(user) = self.users.get_mut(name) {
            user.presence.untold |= user.presence.come(at, status, since, number);
        }
    }

    /// What a log-in shows counts in any case.
    fn show(&mut self, at: SessionRef, name: &UserId, status: Status, since: Stamp) {
        let number = self.number();
        if let Some(user) = self.users.get_mut(name) {
            user.presence.untold |= user.presence.say(at, status, since, number);
        }
    }

    /// What is new is told to friends; each session asks for theirs.
    fn come_online(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let max_age = self.settings.friends_max_age;
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.presence.linger_until = None;
        user.presence.unasked = true;
        match user.friends.look_up(now.moment, max_age) {
            Lookup::Known(_) => self.tell_friends(now, name, out),
            Lookup::Ask => self.ask_list(now, name, out),
            Lookup::Wait => {}
        }
    }

    pub(super) fn gone(
        &mut self,
        now: Now,
        at: SessionRef,
        name: &UserId,
        lost: bool,
        out: &mut Vec<Effect>,
    ) {
        let linger = self.settings.presence_linger;
        self.replaced.shift_remove(&at);
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let Some(index) = user.session(at) else {
            return;
        };
        let former = user.end_session(now.moment, index);
        // With a lost gateway it may come back.
        ended(&former, lost.then_some(Code::Busy), out);
        if user.sessions.is_empty() {
            if lost {
                let until = now.moment + linger;
                user.presence.linger_until = Some(until);
                if !user.armed.linger {
                    user.armed.linger = true;
                    self.timers.arm(until, Timer::Linger(name.clone()));
                }
            } else {
                self.go_offline(now, name, out);
            }
        }
        self.want_carbons(name, out);
        self.pump(now, name, out);
        self.note_idle(name);
    }

    pub(super) fn linger_due(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.armed.linger = false;
        let Some(until) = user.presence.linger_until else {
            return;
        };
        if !user.sessions.is_empty() {
            user.presence.linger_until = None;
        } else if until > now.moment {
            user.armed.linger = true;
            self.timers.arm(until, Timer::Linger(name.clone()));
        } else {
            self.go_offline(now, name, out);
            self.note_idle(name);
        }
    }

    fn go_offline(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let number = self.number();
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.presence.linger_until = None;
        user.presence.marked = false;
        user.presence.snapshot = None;
        user.presence.unasked = false;
        user.presence.last_seen = Some(now.wall);
        let news = user.presence.leave(number);
        user.presence.untold |= news;
        if let Some(claim) = self.slots.claim(user.slot) {
            out.push(Effect::Store(Request::Seen {
                claim,
                user: name.clone(),
                seen: Seen::At(now.wall),
            }));
        }
        self.tell_friends(now, name, out);
    }

    pub(super) fn gateway_up(&mut self, gateway: GatewayId) {
        self.gateways.insert(gateway);
    }

    /// Rule 14: a dead gateway's sessions are gone, under linger.
    pub(super) fn gateway_lost(&mut self, now: Now, gateway: GatewayId, out: &mut Vec<Effect>) {
        self.gateways.shift_remove(&gateway);
        self.waiting.forget(gateway);
        self.sent_back.retain(|at, _| at.gateway != gateway);
        let mut lost = Vec::new();
        for (name, user) in &mut self.users {
            user.queue.retain(|waiting| waiting.gateway != gateway);
            for session in &user.sessions {
                if session.at.gateway == gateway {
                    lost.push((session.at, name.clone()));
                }
            }
        }
        for (at, name) in lost {
            self.gone(now, at, &name, true, out);
        }
        self.follower_lost(now, gateway, out);
    }
}

pub(super) fn refuse(at: SessionRef, code: Code, out: &mut Vec<Effect>) {
    let session = at.session;
    send(at.gateway, Down::Refused { session, code }, out);
}

/// The store gives the receipts that wait, and learns that the user is here.
fn note_arrival(
    user: &mut User,
    name: &UserId,
    claim: Claim,
    here: Incarnation,
    out: &mut Vec<Effect>,
) {
    if user.notes {
        user.notes = false;
        out.push(Effect::Store(Request::TakeNotes {
            claim,
            user: name.clone(),
        }));
    }
    if !user.presence.marked {
        user.presence.marked = true;
        out.push(Effect::Store(Request::Seen {
            claim,
            user: name.clone(),
            seen: Seen::Here(here),
        }));
    }
}
