//! The devices of one user: who they are, what they tell each other, and the
//! end of one by another.

use proto::client::EndDevice;
use proto::clock::Now;
use proto::codes::Code;
use proto::ids::{SessionRef, UserId};
use proto::link::Down;
use proto::server::{Carbon, DeviceEntry, Did, ServerPacket};

use super::{Shard, answer, send};
use crate::effect::Effect;

impl Shard {
    pub(super) fn get_devices(&self, at: SessionRef, name: &UserId, out: &mut Vec<Effect>) {
        let Some(user) = self.users.get(name) else {
            return;
        };
        let entry = |session: &crate::user::Session| DeviceEntry {
            device: session.device.clone(),
            since: session.since,
            own: session.at == at,
        };
        let devices = user.sessions.iter().map(entry).collect();
        answer(at, ServerPacket::Devices(devices), out);
    }

    /// A device ends another one of its user, or itself: by the user's will,
    /// so friends see no linger.
    pub(super) fn end_device(
        &mut self,
        now: Now,
        at: SessionRef,
        name: &UserId,
        end: &EndDevice,
        out: &mut Vec<Effect>,
    ) {
        let of_name = |session: &&crate::user::Session| session.device == end.device;
        let found = self.users.get(name);
        let found = found.and_then(|user| user.sessions.iter().find(of_name));
        let ended = found.map(|session| session.at);
        let packet = ServerPacket::DeviceResult {
            request: end.request,
            code: ended.is_none().then_some(Code::NoDevice),
        };
        answer(at, packet, out);
        let Some(ended) = ended else {
            return;
        };
        let close = Down::Close {
            session: ended.session,
            code: Code::Ended,
        };
        send(ended.gateway, close, out);
        self.gone(now, ended, name, false, out);
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
