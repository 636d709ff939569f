//! A message's id in the log, at debug level, and in the gateway's trail: taken
//! from which client, routed by which link, written to which.

use connd_core::Effect;
use proto::client::ClientPacket;
use proto::group::Logged;
use proto::ids::{GatewayId, MessageId, SessionId, Stamp};
use proto::link::Up;
use proto::server::ServerPacket;
use service::admin::trail::{Step, Trail};
use tracing::debug;

use crate::frames::Decoded;

/// A gateway's trail at one moment.
pub struct Tracer<'a> {
    /// Where steps are remembered.
    pub trail: &'a mut Trail,
    /// The gateway's number.
    pub gateway: GatewayId,
    /// Now.
    pub at: Stamp,
}

impl Tracer<'_> {
    fn note(&mut self, id: MessageId, what: &'static str, session: SessionId, code: u32) {
        self.trail.note(Step {
            at: self.at,
            id,
            what,
            gateway: self.gateway.0,
            session: session.0,
            code,
        });
    }
}

/// No session's: what is on its way between shards.
const NONE: SessionId = SessionId(0);

/// A packet that came.
pub fn came(tracer: &mut Tracer<'_>, session: SessionId, packet: &Decoded) {
    match packet {
        Ok(ClientPacket::Send(send)) => {
            tracer.note(send.id, "sent by a client", session, 0);
            debug!(id = %send.id, to = %send.to, %session, "sent by client");
        }
        Ok(ClientPacket::GroupSend(send)) => {
            tracer.note(send.id, "sent by a client", session, 0);
            debug!(id = %send.id, group = %send.group, %session, "sent by client");
        }
        _ => {}
    }
}

/// An effect that is carried out.
pub fn effect(tracer: &mut Tracer<'_>, effect: &Effect) {
    match effect {
        Effect::Write { session, packet } => match packet {
            ServerPacket::Deliver(deliver) => {
                tracer.note(deliver.id, "written to a client", *session, 0);
                debug!(id = %deliver.id, from = %deliver.from, seq = deliver.seq, %session, "to client");
            }
            ServerPacket::Sent { id, sent } => {
                tracer.note(*id, "its sender is told: sent", *session, 0);
                debug!(%id, %session, outcome = ?sent.outcome, "told")
            }
            ServerPacket::Rejected { id, code, .. } => {
                tracer.note(*id, "its sender is told: refused", *session, code.number());
                debug!(%id, %session, %code, "rejected");
            }
            ServerPacket::Unknown { id, code } => {
                tracer.note(*id, "its sender is told: unknown", *session, code.number());
                debug!(%id, %session, %code, "unknown");
            }
            _ => {}
        },
        Effect::Forward { link, envelope, .. } => match envelope {
            Up::Submit(submit) => {
                tracer.note(submit.id, "to the sender's shard", submit.session, 0);
                debug!(id = %submit.id, link = link.0, attempt = ?submit.attempt, "to the sender's shard");
            }
            Up::Relay(relay) => {
                if let Some((_, id, _)) = relay.relayed.of_window() {
                    tracer.note(id, "to the recipient's shard", NONE, 0);
                    debug!(%id, link = link.0, "to the recipient's shard");
                }
            }
            Up::Announce(_)
            | Up::Gone { .. }
            | Up::Acknowledge { .. }
            | Up::Request { .. }
            | Up::ToGroup { .. } => {}
        },
        Effect::Spread { sessions, packet } => {
            if let ServerPacket::GroupDeliver(deliver) = packet
                && let Logged::Message { id, .. } = deliver.entry.what
            {
                tracer.note(id, "written to members", NONE, 0);
                debug!(%id, group = %deliver.group, clients = sessions.len(), "to clients");
            }
        }
        Effect::SpreadLater { .. }
        | Effect::Offer { .. }
        | Effect::Gather { .. }
        | Effect::Close { .. }
        | Effect::Hold { .. }
        | Effect::Authenticate { .. } => {}
    }
}
