//! Envelopes come in: served, sent back, or asked to wait (rule 4).

use std::collections::VecDeque;

use proto::clock::Now;
use proto::codes::Code;
use proto::ids::{Epoch, GatewayId, Generation, MessageId, SessionId, SessionRef, UserId};
use proto::link::{
    Batch, Down, FromGroup, Relay, Relayed, Request, Return, ReturnReason, ToGroup, Up,
};
use proto::server::Receipt;
use proto::slot::Slot;

use super::groups::cannot_answer;
use super::{SENT_BACK_MAX, Shard, answer, send};
use crate::effect::Effect;
use crate::event::OPERATOR;
use crate::slots::SlotState;
use crate::user::Phase;
use crate::waiting::Waiting;

/// Whether the shard serves an envelope.
enum Admission {
    Serve,
    Wait,
    NotOwner,
}

impl Shard {
    pub(super) fn arrived(
        &mut self,
        now: Now,
        gateway: GatewayId,
        batch: Batch<Up>,
        out: &mut Vec<Effect>,
    ) {
        for envelope in batch.envelopes {
            let waiting = Waiting {
                gateway,
                epoch: batch.epoch,
                envelope,
            };
            self.up(now, waiting, out);
        }
    }

    /// One envelope, for the first time or after it waited.
    pub(super) fn up(&mut self, now: Now, waiting: Waiting, out: &mut Vec<Effect>) {
        match self.admit(waiting.epoch, &waiting.envelope) {
            Admission::Serve => self.serve(now, waiting, out),
            Admission::Wait => self.wait(now, waiting, out),
            Admission::NotOwner => self.send_back(waiting, ReturnReason::NotOwner, out),
        }
    }

    fn wait(&mut self, now: Now, waiting: Waiting, out: &mut Vec<Effect>) {
        let slot = slot_of(&waiting.envelope);
        let Err(waiting) = self.waiting.enter(slot, waiting) else {
            return;
        };
        // A session that is gone is so by any ring, and says it only once.
        if let Up::Gone {
            session,
            user,
            lost,
        } = &waiting.envelope
        {
            let gateway = waiting.gateway;
            let session = *session;
            self.gone(now, SessionRef { gateway, session }, user, *lost, out);
        }
        self.send_back(waiting, ReturnReason::Busy, out);
    }

    fn admit(&self, epoch: Epoch, envelope: &Up) -> Admission {
        // Who delivered is who is told, whoever owns the slot by then (rule 1).
        if matches!(envelope, Up::Acknowledge { .. }) {
            return Admission::Serve;
        }
        // Word about a lease is for this shard, whatever slots it has by now.
        if let Up::Relay(relay) = envelope
            && matches!(relay.relayed, Relayed::Pledge(_))
        {
            return Admission::Serve;
        }
        if epoch > self.ring.epoch() {
            return Admission::Wait;
        }
        let slot = slot_of(envelope);
        if !self.owns(slot) {
            return Admission::NotOwner;
        }
        match self.slots.state(slot) {
            SlotState::Held { gained, .. } if epoch < gained => Admission::NotOwner,
            SlotState::Held { .. } => Admission::Serve,
            SlotState::Claiming | SlotState::Foreign => Admission::Wait,
        }
    }

    fn serve(&mut self, now: Now, waiting: Waiting, out: &mut Vec<Effect>) {
        let Some(waiting) = self.with_mailbox(now, waiting, out) else {
            return;
        };
        let Some(waiting) = self.with_group(now, waiting, out) else {
            return;
        };
        let gateway = waiting.gateway;
        match waiting.envelope {
            Up::Announce(announce) => self.announce(now, gateway, *announce, out),
            Up::Gone {
                session,
                user,
                lost,
            } => self.gone(now, SessionRef { gateway, session }, &user, lost, out),
            Up::Submit(submit) => self.submit(now, (gateway, waiting.epoch), submit, out),
            Up::Acknowledge {
                session,
                user,
                identities,
            } => {
                let at = SessionRef { gateway, session };
                self.acknowledged(now, at, &user, &identities, out);
            }
            Up::Request {
                session,
                user,
                request,
            } => self.request(now, SessionRef { gateway, session }, user, request, out),
            Up::ToGroup { group, what } => self.serve_group(now, gateway, &group, what, out),
            Up::Relay(_) => self.serve_relay(now, waiting, out),
        }
    }

    /// What another shard says.
    fn serve_relay(&mut self, now: Now, waiting: Waiting, out: &mut Vec<Effect>) {
        let way = (waiting.gateway, waiting.epoch);
        let Up::Relay(relay) = waiting.envelope else {
            return;
        };
        match relay.relayed {
            Relayed::Forward(_) => self.forward(now, again(way, relay), out),
            Relayed::Post(_) => self.post(now, again(way, relay), out),
            Relayed::Transient { from, transient } => self.transient_to(from, transient, out),
            Relayed::Receipt {
                from,
                to,
                kind,
                up_to,
            } => {
                let receipt = Receipt {
                    peer: from,
                    kind,
                    up_to,
                };
                self.receipt_to(now, way, to, receipt, out);
            }
            Relayed::Tell(tell) => self.told(now, way.0, way.1, &tell, out),
            Relayed::Statuses {
                request,
                to,
                statuses,
            } => self.statuses(request, &to, statuses, out),
            Relayed::FriendAct(act) => self.friend_act(now, way.0, act, out),
            Relayed::FriendActed(acted) => self.friend_acted(now, acted, out),
            Relayed::Pledge(pledge) => out.push(Effect::Pledged {
                gateway: way.0,
                pledge,
            }),
            Relayed::GroupTransient(transient) => self.group_transient(now, transient, out),
            Relayed::GroupRead { user, read } => self.group_read(now, &user, &read),
            Relayed::GroupAsk(ask) => self.group_ask(now, way.0, *ask, out),
            Relayed::GroupAnswer {
                request, packet, ..
            } => self.group_answered(request, *packet, out),
            Relayed::Membership(membership) => self.membership(now, way.0, *membership, out),
            Relayed::MembershipKept {
                group,
                user,
                version,
            } => self.membership_kept(&group, &user, version, out),
            Relayed::GroupApplied { to, group, user } => self.group_applied(&to, group, user, out),
        }
    }

    /// An envelope that finds no room or the wrong shard goes back to where it
    /// came from; what nobody keeps is asked again by who wants it.
    pub(super) fn send_back(
        &mut self,
        waiting: Waiting,
        reason: ReturnReason,
        out: &mut Vec<Effect>,
    ) {
        let gateway = waiting.gateway;
        match waiting.envelope {
            Up::Announce(announce) => {
                let code = match reason {
                    ReturnReason::Busy => Code::Busy,
                    ReturnReason::NotOwner => Code::ShardUnavailable,
                };
                let session = announce.session;
                send(gateway, Down::Refused { session, code }, out);
            }
            Up::Submit(submit) => {
                let (session, generation) = (submit.session, submit.generation);
                self.return_message(gateway, session, submit.id, generation, reason, out);
            }
            Up::Relay(relay) => {
                if let Some((session, id, generation)) = relay.relayed.of_window() {
                    self.return_message(gateway, session, id, generation, reason, out);
                } else if let Relayed::GroupAsk(ask) = relay.relayed {
                    cannot_answer(gateway, &ask, out);
                } else {
                    self.counters.shed += 1;
                }
            }
            // Followed again a little later, by the ring that holds then.
            Up::ToGroup {
                group,
                what: ToGroup::Follow(_) | ToGroup::FollowAgain { .. },
            } => send(gateway, Down::FromGroup(FromGroup::Busy { group }), out),
            Up::ToGroup { .. } => self.counters.shed += 1,
            // The gateway announces the session again, and with it the status.
            Up::Request {
                session,
                request: Request::SetStatus { .. },
                ..
            } => {
                let code = Code::Busy;
                send(gateway, Down::Refused { session, code }, out);
            }
            Up::Request {
                session, request, ..
            } => self.refuse(SessionRef { gateway, session }, &request, Code::Busy, out),
            Up::Gone { session, user, .. } => {
                self.forget_session(SessionRef { gateway, session }, &user, out);
            }
            Up::Acknowledge { .. } => {}
        }
    }

    /// A session is gone before it was served: nothing of it may be served
    /// later, or it would stay for ever. What it asked for is refused: it may
    /// only be gone from here.
    fn forget_session(&mut self, at: SessionRef, user: &UserId, out: &mut Vec<Effect>) {
        let mut forgotten = self.waiting.leave_of(at);
        if let Some(user) = self.users.get_mut(user)
            && user.phase == Phase::Opening
        {
            let (of_session, others) = std::mem::take(&mut user.queue)
                .into_iter()
                .partition::<VecDeque<_>, _>(|waiting| waiting.session() == Some(at));
            user.queue = others;
            forgotten.extend(of_session);
        }
        for waiting in forgotten {
            if let Up::Request { request, .. } = waiting.envelope {
                self.refuse(at, &request, Code::Busy, out);
            }
        }
    }

    /// Nobody carries a request out: who waits for an answer gets one.
    pub(super) fn refuse(
        &mut self,
        at: SessionRef,
        request: &Request,
        code: Code,
        out: &mut Vec<Effect>,
    ) {
        match request.refused(code) {
            // A client would ask again by itself.
            None if at.gateway == OPERATOR => {
                let session = at.session;
                send(at.gateway, Down::Refused { session, code }, out);
            }
            Some(packet) => answer(at, packet, out),
            None => self.counters.shed += 1,
        }
    }

    pub(super) fn return_message(
        &mut self,
        gateway: GatewayId,
        session: SessionId,
        id: MessageId,
        generation: Generation,
        reason: ReturnReason,
        out: &mut Vec<Effect>,
    ) {
        let at = SessionRef { gateway, session };
        if self.sent_back.len() >= SENT_BACK_MAX && !self.sent_back.contains_key(&at) {
            self.sent_back.swap_remove_index(0);
        }
        // An older one that waited may come back after a newer one.
        let newest = self.sent_back.entry(at).or_insert(generation);
        *newest = generation.max(*newest);
        self.counters.returned += 1;
        let back = Return {
            session,
            id,
            generation,
            reason,
        };
        send(gateway, Down::Return(back), out);
    }

    /// Whether a message stands behind one that was sent back: it must not
    /// overtake it.
    pub(super) fn is_behind(&mut self, at: SessionRef, generation: Generation) -> bool {
        if self.sent_back.is_empty() {
            return false;
        }
        match self.sent_back.get(&at) {
            // An older one may have waited in the meantime.
            Some(back) if generation <= *back => true,
            Some(_) => {
                self.sent_back.swap_remove(&at);
                false
            }
            None => false,
        }
    }

    /// Something changed that envelopes may have waited for.
    pub(super) fn call_waiting(&mut self, now: Now, out: &mut Vec<Effect>) {
        for waiting in self.waiting.leave() {
            self.up(now, waiting, out);
        }
    }
}

/// As it came.
fn again((gateway, epoch): (GatewayId, Epoch), relay: Relay) -> Waiting {
    let envelope = Up::Relay(relay);
    Waiting {
        gateway,
        epoch,
        envelope,
    }
}

/// The user that an envelope is for.
pub(super) fn user_of(envelope: &Up) -> Option<&UserId> {
    match envelope {
        Up::Announce(announce) => Some(&announce.user),
        Up::Gone { user, .. } | Up::Acknowledge { user, .. } | Up::Request { user, .. } => {
            Some(user)
        }
        Up::Submit(submit) => Some(&submit.from),
        Up::Relay(relay) => match &relay.relayed {
            Relayed::Forward(forward) => Some(&forward.message.to),
            Relayed::Transient { transient, .. } => Some(&transient.to),
            Relayed::Receipt { to, .. } | Relayed::Statuses { to, .. } => Some(to),
            // For many users; each is looked at by itself.
            Relayed::Tell(_) => None,
            Relayed::FriendAct(act) => Some(&act.peer),
            Relayed::FriendActed(acted) => Some(&acted.actor),
            Relayed::Pledge(_) => None,
            Relayed::GroupAnswer { actor, .. } => Some(actor),
            Relayed::Membership(membership) => Some(&membership.user),
            Relayed::GroupApplied { to, .. } => Some(to),
            // For groups.
            Relayed::Post(_)
            | Relayed::GroupTransient(_)
            | Relayed::GroupRead { .. }
            | Relayed::GroupAsk(_)
            | Relayed::MembershipKept { .. } => None,
        },
        Up::ToGroup { .. } => None,
    }
}

fn slot_of(envelope: &Up) -> Slot {
    match envelope {
        Up::Relay(relay) => relay.slot,
        Up::Announce(announce) => Slot::of(&announce.user),
        Up::Gone { user, .. } | Up::Acknowledge { user, .. } | Up::Request { user, .. } => {
            Slot::of(user)
        }
        Up::Submit(submit) => Slot::of(&submit.from),
        Up::ToGroup { group, .. } => Slot::of_group(group),
    }
}
