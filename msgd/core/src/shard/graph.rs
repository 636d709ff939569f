//! Questions to the friend service, and its answers.

use std::sync::Arc;

use proto::clock::Now;
use proto::codes::Code;
use proto::friends::{FriendList, ListHash};
use proto::graph::{GraphAnswer, GraphRequest};
use proto::group::Belongs;
use proto::ids::{SessionRef, UserId};
use proto::link::{Answer, Down, Relayed, Up};
use proto::server::ServerPacket;
use smallvec::smallvec;

use super::question::Question;
use super::{Shard, send, tell_fate};
use crate::effect::{Effect, GraphTicket};
use crate::friends::{Replaced, Verdict};
use crate::timers::Timer;
use crate::waiting::Waiting;

impl Shard {
    /// Asks for a user's list; the caller knows that it is not being asked.
    pub(super) fn ask_list(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let ticket = GraphTicket(self.number());
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.friends.asked(now.moment);
        let request = GraphRequest::Get {
            user: name.clone(),
            if_hash: user.friends.hash(),
        };
        self.questions.insert(ticket, Question::List(name.clone()));
        self.counters.friendd_requests += 1;
        out.push(Effect::AskGraph { ticket, request });
        self.arm_friends(now, name);
    }

    /// What waits for a list waits at most `friends_patience`.
    pub(super) fn arm_friends(&mut self, now: Now, name: &UserId) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        if !user.armed.friends {
            user.armed.friends = true;
            let at = now.moment + self.settings.friends_patience;
            self.timers.arm(at, Timer::Friends(name.clone()));
        }
    }

    /// A client named the hash of the list that it holds.
    pub(super) fn hash_named(
        &mut self,
        now: Now,
        at: SessionRef,
        name: &UserId,
        hash: ListHash,
        out: &mut Vec<Effect>,
    ) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        match user.friends.named(now.moment, at, hash) {
            Verdict::Fine | Verdict::Wait => {}
            Verdict::Stale => self.tell_stale(at, name, out),
            Verdict::Ask => self.ask_list(now, name, out),
        }
    }

    fn tell_stale(&mut self, at: SessionRef, name: &UserId, out: &mut Vec<Effect>) {
        let Some(list) = self.users.get(name).and_then(|user| user.friends.list()) else {
            return;
        };
        let packet = ServerPacket::FriendsStale {
            version: list.version(),
            hash: list.hash(),
        };
        let envelope = Down::Push {
            sessions: smallvec![at.session],
            packet: Box::new(packet),
        };
        send(at.gateway, envelope, out);
    }

    pub(super) fn graph(
        &mut self,
        now: Now,
        ticket: GraphTicket,
        answer: GraphAnswer,
        out: &mut Vec<Effect>,
    ) {
        match self.questions.swap_remove(&ticket) {
            None => {}
            Some(Question::List(name)) => self.list_answered(now, &name, answer, out),
            Some(Question::Change(changing)) => self.change_answered(now, changing, answer, out),
        }
    }

    fn list_answered(
        &mut self,
        now: Now,
        name: &UserId,
        answer: GraphAnswer,
        out: &mut Vec<Effect>,
    ) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        match answer {
            GraphAnswer::List(list) => {
                user.friends.answered();
                self.take_list(now, name, &list, out);
            }
            // Confirms what is held; if that was dropped meanwhile, the next
            // question brings it.
            GraphAnswer::NotModified { .. } => {
                user.friends.answered();
                user.friends.confirmed(now.moment);
            }
            GraphAnswer::Changed { .. }
            | GraphAnswer::Conflict { .. }
            | GraphAnswer::Refused { .. }
            | GraphAnswer::Unavailable => {
                user.friends.unanswered();
                self.arm_friends(now, name);
                return self.drop_listing(now, name, out);
            }
        }
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let is_doubted = user.friends.is_doubted();
        for session in user.friends.settle_verdicts() {
            self.tell_stale(session, name, out);
        }
        self.tell_friends(now, name, out);
        self.call_listing(now, name, out);
        if is_doubted {
            self.arm_friends(now, name);
        }
        self.note_idle(name);
    }

    /// Takes a list that is not older than one seen before; sessions and
    /// friends hear of what it changes.
    pub(super) fn take_list(
        &mut self,
        now: Now,
        name: &UserId,
        list: &Arc<FriendList>,
        out: &mut Vec<Effect>,
    ) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        match user.friends.replace(now.moment, list) {
            Replaced::Older | Replaced::Same => {}
            // The first list since the user came into memory.
            Replaced::By(None) => self.tell_friends(now, name, out),
            Replaced::By(Some(old)) => {
                let packet = ServerPacket::FriendsChanged {
                    version: list.version(),
                    hash: list.hash(),
                };
                self.push(name, &packet, out);
                self.friends_differ(now, name, &old, list, out);
            }
        }
    }

    /// The list is there: what waited for it goes on, in order.
    fn call_listing(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        for waiting in user.take_listing() {
            self.up(now, waiting, out);
        }
    }

    pub(super) fn friends_due(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.armed.friends = false;
        if user.friends.is_asking() {
            self.drop_listing(now, name, out);
        } else if user.presence.untold
            || user.presence.unasked
            || user.friends.is_awaited()
            || user.friends.is_doubted()
            || user.is_listing()
        {
            // The friend service did not answer or was not asked, and it
            // matters.
            self.ask_list(now, name, out);
        }
    }

    /// The list does not come in time: messages get a retryable answer, and
    /// who waits for anything else asks again.
    fn drop_listing(&mut self, now: Now, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        for waiting in user.take_listing() {
            self.not_listed(now, waiting, out);
        }
        self.note_idle(name);
    }

    fn not_listed(&mut self, now: Now, waiting: Waiting, out: &mut Vec<Effect>) {
        let gateway = waiting.gateway;
        let code = Code::FriendsUnavailable;
        match waiting.envelope {
            Up::Relay(relay) => match relay.relayed {
                Relayed::Forward(forward) => {
                    self.counters.unknown += 1;
                    let session = forward.session;
                    let at = SessionRef { gateway, session };
                    tell_fate(at, forward.message.id, Answer::Unknown { code }, out);
                }
                Relayed::FriendAct(act) => self.act_failed(now, gateway, act, code, out),
                // It stood behind others: only who is invited is asked about.
                Relayed::Membership(membership)
                    if !matches!(membership.belongs, Some(Belongs::Invited { .. })) =>
                {
                    self.take_membership(now, gateway, *membership, out);
                }
                _ => self.counters.shed += 1,
            },
            Up::Request {
                session, request, ..
            } => self.refuse(SessionRef { gateway, session }, &request, code, out),
            _ => self.counters.shed += 1,
        }
    }
}
