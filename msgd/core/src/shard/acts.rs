//! Changes of the friend graph, and who waits for an answer.
//!
//! A change of the actor's list alone goes to the friend service from the
//! actor's shard. One of both lists goes by the peer's shard, the owner of the
//! peer's consent, and comes back to the actor's. Either way each shard
//! replaces its list before the answer leaves (rule 11), so that a block, once
//! acknowledged, holds.

use proto::client::ChangeFriend;
use proto::clock::Now;
use proto::codes::Code;
use proto::friends::{FriendList, ListVersion};
use proto::graph::{Change, GraphAnswer, GraphRequest};
use proto::ids::{GatewayId, SessionRef, UserId};
use proto::link::{FriendAct, FriendActed, Relay, Relayed, Request, Up};
use proto::server::ServerPacket;
use proto::slot::Slot;
use std::sync::Arc;

use super::question::{Changing, Question, Reply};
use super::waits::{ASKED_AGAIN, About, Act};
use super::{Shard, answer};
use crate::effect::{Effect, GraphTicket};
use crate::friends::Lookup;
use crate::waiting::Waiting;

/// The number of no act: a list is passed on without one.
pub(super) const NOBODY_WAITS: u64 = 0;

/// How often a change is tried when lists change under it: each time another
/// change was done, so it takes as many as there are at once.
const ATTEMPTS_MAX: u32 = 16;

impl Shard {
    pub(super) fn change_friend(
        &mut self,
        now: Now,
        at: SessionRef,
        name: UserId,
        change: ChangeFriend,
        out: &mut Vec<Effect>,
    ) {
        let request = change.request;
        if change.peer == name {
            return friend_result(at, request, Some(Code::OwnSelf), out);
        }
        let max_age = self.settings.friends_max_age;
        let Some(user) = self.users.get_mut(&name) else {
            return;
        };
        let actor_version = match user.friends.look_up(now.moment, max_age) {
            Lookup::Known(list) => list.version(),
            other => {
                if other == Lookup::Ask {
                    self.ask_list(now, &name, out);
                }
                let waiting = Waiting {
                    gateway: at.gateway,
                    epoch: self.ring.epoch(),
                    envelope: Up::Request {
                        session: at.session,
                        user: name,
                        request: Request::ChangeFriend(change),
                    },
                };
                return self.wait_for_list(now, waiting, out);
            }
        };
        self.act(now, at, name, change, actor_version, out);
    }

    fn act(
        &mut self,
        now: Now,
        at: SessionRef,
        actor: UserId,
        change: ChangeFriend,
        actor_version: ListVersion,
        out: &mut Vec<Effect>,
    ) {
        let act = Act {
            user: actor.clone(),
            at,
            request: change.request,
            about: About::Friend,
        };
        let Some(number) = self.begin_act(now, act, out) else {
            return;
        };
        let ChangeFriend { peer, action, .. } = change;
        if action.changes_both() {
            let relay = Relay {
                slot: Slot::of(&peer),
                relayed: Relayed::FriendAct(FriendAct {
                    request: number,
                    actor,
                    peer,
                    action,
                    actor_version,
                }),
            };
            return self.relay(now, at.gateway, relay, out);
        }
        let changing = Changing {
            change: Change {
                actor,
                peer,
                action,
                actor_version,
                peer_version: ListVersion::default(),
            },
            attempts: 1,
            reply: Reply::Own(number),
        };
        self.ask_change(changing, out);
    }

    /// Another shard's user acts on one of this shard's.
    pub(super) fn friend_act(
        &mut self,
        now: Now,
        gateway: GatewayId,
        act: FriendAct,
        out: &mut Vec<Effect>,
    ) {
        let max_age = self.settings.friends_max_age;
        let Some(user) = self.users.get_mut(&act.peer) else {
            return;
        };
        let peer_version = match user.friends.look_up(now.moment, max_age) {
            Lookup::Known(list) => list.version(),
            other => {
                if other == Lookup::Ask {
                    self.ask_list(now, &act.peer, out);
                }
                let waiting = Waiting {
                    gateway,
                    epoch: self.ring.epoch(),
                    envelope: Up::Relay(Relay {
                        slot: Slot::of(&act.peer),
                        relayed: Relayed::FriendAct(act),
                    }),
                };
                return self.wait_for_list(now, waiting, out);
            }
        };
        let changing = Changing {
            change: Change {
                actor: act.actor,
                peer: act.peer,
                action: act.action,
                actor_version: act.actor_version,
                peer_version,
            },
            attempts: 1,
            reply: Reply::Relayed(gateway, act.request),
        };
        self.ask_change(changing, out);
    }

    fn ask_change(&mut self, changing: Changing, out: &mut Vec<Effect>) {
        if self.questions.len() >= self.settings.acts_max + self.settings.users_max {
            self.counters.shed += 1;
            return;
        }
        let ticket = GraphTicket(self.number());
        let request = GraphRequest::Change(changing.change.clone());
        self.questions.insert(ticket, Question::Change(changing));
        self.counters.friendd_requests += 1;
        out.push(Effect::AskGraph { ticket, request });
    }

    pub(super) fn change_answered(
        &mut self,
        now: Now,
        mut changing: Changing,
        answer: GraphAnswer,
        out: &mut Vec<Effect>,
    ) {
        match answer {
            GraphAnswer::Changed { actor, peer } => {
                // Done is said by the one who holds the changed list only: who
                // holds the slot now may have asked for the list too early.
                let code = match changing.reply {
                    Reply::Relayed(..) if !self.serves(&changing.change.peer) => {
                        Some(Code::FriendsUnavailable)
                    }
                    Reply::Own(_) | Reply::Relayed(..) => None,
                };
                self.changed(now, &changing, code, Some(&actor), out);
                let Changing { change, reply, .. } = changing;
                match reply {
                    Reply::Own(_) => self.bring_list(now, &change.actor, &actor, out),
                    // The actor's goes with the answer.
                    Reply::Relayed(..) => self.take_list(now, &change.actor, &actor, out),
                }
                if change.action.changes_both() {
                    self.bring_list(now, &change.peer, &peer, out);
                }
            }
            GraphAnswer::Conflict { actor, peer } => {
                self.take_list(now, &changing.change.actor, &actor, out);
                self.take_list(now, &changing.change.peer, &peer, out);
                if changing.attempts >= ATTEMPTS_MAX {
                    let code = Some(Code::Busy);
                    return self.changed(now, &changing, code, Some(&actor), out);
                }
                changing.attempts += 1;
                changing.change.actor_version = actor.version();
                changing.change.peer_version = peer.version();
                self.ask_change(changing, out);
            }
            GraphAnswer::Refused { code } => {
                // Perhaps because an earlier try was carried out late.
                self.doubt(now, &changing.change.actor, 1, out);
                self.changed(now, &changing, Some(code), None, out);
            }
            GraphAnswer::List(_) | GraphAnswer::NotModified { .. } | GraphAnswer::Unavailable => {
                // It may have happened, or happen yet.
                self.doubt(now, &changing.change.actor, ASKED_AGAIN, out);
                if changing.change.action.changes_both() {
                    self.doubt(now, &changing.change.peer, ASKED_AGAIN, out);
                }
                let code = Some(Code::FriendsUnavailable);
                self.changed(now, &changing, code, None, out);
            }
        }
    }

    /// Takes a changed list, or passes it on to who holds the slot by now.
    fn bring_list(
        &mut self,
        now: Now,
        name: &UserId,
        list: &Arc<FriendList>,
        out: &mut Vec<Effect>,
    ) {
        if self.serves(name) {
            return self.take_list(now, name, list, out);
        }
        let relay = Relay {
            slot: Slot::of(name),
            relayed: Relayed::FriendActed(FriendActed {
                request: NOBODY_WAITS,
                actor: name.clone(),
                code: None,
                list: Some(list.clone()),
            }),
        };
        if let Some(gateway) = self.gateways.first().copied() {
            self.relay(now, gateway, relay, out);
        }
    }

    fn serves(&self, name: &UserId) -> bool {
        self.slots.claim(Slot::of(name)).is_some()
    }

    /// A slot goes to another shard: whose change is under way is told to ask
    /// there, and a late list may be older than what that shard has.
    pub(super) fn leave_acts(&mut self, leaves: impl Fn(Slot) -> bool, out: &mut Vec<Effect>) {
        self.leave_waits(|act| leaves(Slot::of(&act.user)), out);
        let stays = |question: &Question| match question {
            Question::List(name) => !leaves(Slot::of(name)),
            Question::Change(_) => true,
        };
        self.questions.retain(|_, question| stays(question));
    }

    /// Asks for a list anew, so many times, once a second: so that clients
    /// hear of what changed.
    pub(super) fn doubt(&mut self, now: Now, name: &UserId, times: u8, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        user.friends.doubt(times);
        if user.friends.may_ask(now.moment) {
            self.ask_list(now, name, out);
        } else {
            self.arm_friends(now, name);
        }
    }

    /// Tells who waits for a change what became of it.
    fn changed(
        &mut self,
        now: Now,
        changing: &Changing,
        code: Option<Code>,
        list: Option<&Arc<FriendList>>,
        out: &mut Vec<Effect>,
    ) {
        match changing.reply {
            Reply::Own(number) => self.finish_act(number, code, out),
            Reply::Relayed(gateway, request) => {
                let actor = changing.change.actor.clone();
                let relay = Relay {
                    slot: Slot::of(&actor),
                    relayed: Relayed::FriendActed(FriendActed {
                        request,
                        actor,
                        code,
                        list: list.cloned(),
                    }),
                };
                self.relay(now, gateway, relay, out);
            }
        }
    }

    /// The peer's shard cannot take an act on.
    pub(super) fn act_failed(
        &mut self,
        now: Now,
        gateway: GatewayId,
        act: FriendAct,
        code: Code,
        out: &mut Vec<Effect>,
    ) {
        let relay = Relay {
            slot: Slot::of(&act.actor),
            relayed: Relayed::FriendActed(FriendActed {
                request: act.request,
                actor: act.actor,
                code: Some(code),
                list: None,
            }),
        };
        self.relay(now, gateway, relay, out);
    }

    /// The peer's shard tells what became of an act of this shard's user.
    pub(super) fn friend_acted(&mut self, now: Now, acted: FriendActed, out: &mut Vec<Effect>) {
        if let Some(list) = &acted.list {
            self.take_list(now, &acted.actor, list, out);
        }
        match acted.code {
            None => {}
            // It may have been carried out all the same, or an earlier try.
            Some(Code::FriendsUnavailable) => self.doubt(now, &acted.actor, ASKED_AGAIN, out),
            Some(_) => self.doubt(now, &acted.actor, 1, out),
        }
        self.finish_act(acted.request, acted.code, out);
    }
}

fn friend_result(at: SessionRef, request: u32, code: Option<Code>, out: &mut Vec<Effect>) {
    answer(at, ServerPacket::FriendResult { request, code }, out);
}
