//! A message's id in the log, at debug level: where it came by, and what
//! became of it.

use msgd_core::Effect;
use msgd_core::store::Request;
use proto::link::{Down, Relayed, Up};
use tracing::debug;

/// Whether anyone listens.
pub fn is_on() -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
}

/// An envelope that came.
pub fn came(envelope: &Up) {
    match envelope {
        Up::Submit(submit) => {
            debug!(id = %submit.id, from = %submit.from, to = %submit.to, again = submit.again, "submitted");
        }
        Up::Relay(relay) => {
            if let Relayed::Forward(forward) = &relay.relayed {
                let message = &forward.message;
                debug!(id = %message.id, from = %message.from, to = %message.to, "forwarded here");
            }
        }
        Up::Acknowledge {
            user, identities, ..
        } => {
            for identity in identities {
                debug!(id = %identity.id, from = %identity.from, by = %user, "taken");
            }
        }
        Up::Announce(_) | Up::Gone { .. } | Up::Request { .. } => {}
    }
}

/// An effect that is carried out.
pub fn effect(effect: &Effect) {
    match effect {
        Effect::Send { gateway, envelope } => match envelope {
            Down::Deliver(deliver) => {
                let (id, session) = (deliver.message.id, deliver.session);
                debug!(%id, %gateway, %session, "delivered");
            }
            Down::Answer {
                session,
                id,
                answer,
            } => debug!(%id, %gateway, %session, ?answer, "answered"),
            Down::Return(back) => {
                debug!(id = %back.id, %gateway, reason = ?back.reason, "sent back");
            }
            Down::Relay(relay) => {
                if let Relayed::Forward(forward) = &relay.relayed {
                    debug!(id = %forward.message.id, slot = %relay.slot, %gateway, "forwarded");
                }
            }
            Down::Accepted { .. }
            | Down::Refused { .. }
            | Down::Push { .. }
            | Down::Close { .. }
            | Down::Carbons { .. } => {}
        },
        Effect::Store(Request::Append { user, messages, .. }) => {
            for letter in messages {
                debug!(id = %letter.message.id, to = %user, "to the store");
            }
        }
        Effect::Store(_) | Effect::AskGraph { .. } | Effect::Fenced => {}
    }
}
