//! The devices of one user: who they are, what they tell each other, and the
//! end of one by another.

use proto::client::EndDevice;
use proto::codes::Code;
use proto::ids::{SessionRef, UserId};
use proto::link::Down;
use proto::server::{Carbon, DeviceEntry, Did, ServerPacket};

use super::{Shard, answer, send};
use crate::effect::Effect;
use crate::user::Session;

impl Shard {
    pub(super) fn get_devices(&self, at: SessionRef, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get(name) else {
            return;
        };
        let entry = |session: &Session| DeviceEntry {
            device: session.device.clone(),
            since: session.since,
            own: session.at == at,
        };
        let devices = user.sessions.iter().map(entry).collect();
        answer(at, ServerPacket::Devices(devices), out);
    }

    /// A device wants the end of another one of its user, or its own. That is
    /// done when the session's gateway says that it has gone.
    pub(super) fn end_device(
        &mut self,
        at: SessionRef,
        name: &UserId,
        end: &EndDevice,
        out: &mut Vec<Effect>,
    ) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let of_name = |session: &&mut Session| session.device == end.device;
        let Some(session) = user.sessions.iter_mut().find(of_name) else {
            return result(at, end.request, Some(Code::NoDevice), out);
        };
        if session.at == at {
            // Afterwards there is nobody to be told.
            result(at, end.request, None, out);
        } else if let Some(other) = session.ending.replace(Box::new((at, end.request))) {
            result(other.0, other.1, Some(Code::Busy), out);
        }
        close_ended(session.at, out);
    }

    /// Tells the user's other devices what one of them did.
    pub(super) fn carbon(&self, at: SessionRef, name: &UserId, did: Did, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get(name) else {
            return;
        };
        let Some(index) = user.session(at) else {
            return;
        };
        if user.sessions.len() == 1 {
            return;
        }
        let device = user.sessions[index].device.clone();
        let packet = ServerPacket::Carbon(Box::new(Carbon { device, did }));
        self.push_where(name, &packet, |session| session != at, out);
    }

    /// A session's gateway hands in what the session sent only while there is
    /// another device to be told.
    pub(super) fn want_carbons(&mut self, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get_mut(name) else {
            return;
        };
        let wanted = user.sessions.len() > 1;
        for session in &mut user.sessions {
            if session.carbons_wanted != wanted {
                session.carbons_wanted = wanted;
                let envelope = Down::Carbons {
                    session: session.at.session,
                    wanted,
                };
                send(session.at.gateway, envelope, out);
            }
        }
    }
}

/// Asks a session's gateway to end it.
pub(super) fn close_ended(at: SessionRef, out: &mut Vec<Effect>) {
    let close = Down::Close {
        session: at.session,
        code: Code::Ended,
    };
    send(at.gateway, close, out);
}

/// A session is no more: who wanted its end is told.
pub(super) fn ended(session: &Session, code: Option<Code>, out: &mut Vec<Effect>) {
    if let Some((asker, request)) = session.ending.as_deref() {
        result(*asker, *request, code, out);
    }
}

fn result(at: SessionRef, request: u32, code: Option<Code>, out: &mut Vec<Effect>) {
    answer(at, ServerPacket::DeviceResult { request, code }, out);
}
