//! A message's id in the log, at debug level: taken from which client, routed
//! by which link, written to which.

use connd_core::Effect;
use proto::client::ClientPacket;
use proto::ids::SessionId;
use proto::link::{Relayed, Up};
use proto::server::ServerPacket;
use tracing::debug;

use crate::frames::Decoded;

/// Whether anyone listens.
pub fn is_on() -> bool {
    tracing::enabled!(tracing::Level::DEBUG)
}

/// A packet that came.
pub fn came(session: SessionId, packet: &Decoded) {
    if let Ok(ClientPacket::Send(send)) = packet {
        debug!(id = %send.id, to = %send.to, %session, "sent by client");
    }
}

/// An effect that is carried out.
pub fn effect(effect: &Effect) {
    match effect {
        Effect::Write { session, packet } => match packet {
            ServerPacket::Deliver(deliver) => {
                debug!(id = %deliver.id, from = %deliver.from, seq = deliver.seq, %session, "to client");
            }
            ServerPacket::Sent { id, sent } => {
                debug!(%id, %session, outcome = ?sent.outcome, "told")
            }
            ServerPacket::Rejected { id, code, .. } => debug!(%id, %session, %code, "rejected"),
            ServerPacket::Unknown { id, code } => debug!(%id, %session, %code, "unknown"),
            _ => {}
        },
        Effect::Forward { link, envelope, .. } => match envelope {
            Up::Submit(submit) => {
                debug!(id = %submit.id, link = link.0, again = submit.again, "to the sender's shard");
            }
            Up::Relay(relay) => {
                if let Relayed::Forward(forward) = &relay.relayed {
                    debug!(id = %forward.message.id, link = link.0, "to the recipient's shard");
                }
            }
            Up::Announce(_) | Up::Gone { .. } | Up::Acknowledge { .. } | Up::Request { .. } => {}
        },
        Effect::Offer { .. }
        | Effect::Gather { .. }
        | Effect::Close { .. }
        | Effect::Hold { .. }
        | Effect::Authenticate { .. } => {}
    }
}
