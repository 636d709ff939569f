//! A message's id in the log, at debug level, and in the shard's trail: where it
//! came by, and what became of it.

use msgd_core::Effect;
use msgd_core::store::Request;
use proto::group::Logged;
use proto::ids::{GatewayId, MessageId, SessionId, Stamp};
use proto::link::{Answer, Down, FromGroup, ReturnReason, Up};
use proto::server::Outcome;
use service::admin::trail::{Step, Trail};
use tracing::debug;

/// An envelope that came.
pub fn came(trail: &mut Trail, at: Stamp, gateway: GatewayId, envelope: &Up) {
    let step = |id, what, session: SessionId| Step {
        at,
        id,
        what,
        gateway: gateway.0,
        session: session.0,
        code: 0,
    };
    match envelope {
        Up::Submit(submit) => {
            trail.note(step(submit.id, "submitted", submit.session));
            debug!(id = %submit.id, from = %submit.from, to = %submit.to, attempt = ?submit.attempt, "submitted");
        }
        Up::Relay(relay) => {
            if let Some((session, id, _)) = relay.relayed.of_window() {
                trail.note(step(id, "forwarded here", session));
                debug!(%id, slot = %relay.slot, "forwarded here");
            }
        }
        Up::Acknowledge {
            session,
            user,
            identities,
        } => {
            for identity in identities {
                trail.note(step(identity.id, "taken by a device", *session));
                debug!(id = %identity.id, from = %identity.from, by = %user, "taken");
            }
        }
        Up::Announce(_) | Up::Gone { .. } | Up::Request { .. } | Up::ToGroup { .. } => {}
    }
}

/// An effect that is carried out.
pub fn effect(trail: &mut Trail, at: Stamp, effect: &Effect) {
    let step = |id, what, gateway: u64, session: u64| Step {
        at,
        id,
        what,
        gateway,
        session,
        code: 0,
    };
    match effect {
        Effect::Send { gateway, envelope } => match envelope {
            Down::Deliver(deliver) => {
                let (id, session) = (deliver.message.id, deliver.session);
                trail.note(step(id, "delivered to a session", gateway.0, session.0));
                debug!(%id, %gateway, %session, "delivered");
            }
            Down::Answer {
                session,
                id,
                answer,
            } => {
                let (what, code) = said(answer);
                trail.note(Step {
                    code,
                    ..step(*id, what, gateway.0, session.0)
                });
                debug!(%id, %gateway, %session, ?answer, "answered");
            }
            Down::Return(back) => {
                let what = match back.reason {
                    ReturnReason::Busy => "sent back to its window: busy",
                    ReturnReason::NotOwner => "sent back to its window: not owner",
                };
                trail.note(step(back.id, what, gateway.0, back.session.0));
                debug!(id = %back.id, %gateway, reason = ?back.reason, "sent back");
            }
            Down::Relay(relay) => {
                if let Some((session, id, _)) = relay.relayed.of_window() {
                    trail.note(step(id, "accepted and forwarded", gateway.0, session.0));
                    debug!(%id, slot = %relay.slot, %gateway, "forwarded");
                }
            }
            Down::FromGroup(FromGroup::Entry(deliver)) => {
                if let Logged::Message { id, .. } = deliver.entry.what {
                    trail.note(step(id, "to the members of a gateway", gateway.0, 0));
                    debug!(%id, group = %deliver.group, %gateway, "to members");
                }
            }
            Down::FromGroup(_)
            | Down::Joined { .. }
            | Down::Left { .. }
            | Down::Accepted { .. }
            | Down::Refused { .. }
            | Down::Push { .. }
            | Down::Close { .. }
            | Down::Carbons { .. } => {}
        },
        Effect::Store(request) => {
            stored(request, |id| trail.note(step(id, "to the store", 0, 0)));
        }
        Effect::AskGraph { .. } | Effect::Pledged { .. } | Effect::Fenced => {}
    }
}

/// The messages that a request brings to the store.
fn stored(request: &Request, mut note: impl FnMut(MessageId)) {
    match request {
        Request::Append { user, messages, .. } => {
            for letter in messages {
                note(letter.message.id);
                debug!(id = %letter.message.id, to = %user, "to the store");
            }
        }
        Request::WriteGroup { group, write, .. } => {
            for (entry, _) in &write.entries {
                if let Logged::Message { id, .. } = entry.what {
                    note(id);
                    debug!(%id, %group, seq = entry.seq, "to the store");
                }
            }
        }
        _ => {}
    }
}

/// What an answer says, and its code.
fn said(answer: &Answer) -> (&'static str, u32) {
    match answer {
        Answer::Sent(sent) => match sent.outcome {
            Outcome::Delivered { .. } => ("answered: delivered", 0),
            Outcome::Stored => ("answered: stored", 0),
            Outcome::Logged(_) => ("answered: logged", 0),
        },
        Answer::Rejected { code, .. } => ("answered: refused", code.number()),
        Answer::Unknown { code } => ("answered: unknown", code.number()),
    }
}
