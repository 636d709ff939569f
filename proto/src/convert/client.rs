//! Packets from a client.

use super::field::{Convert, copied, device, hash_held, hash_held_to_wire, message_id, user};
use super::status::{status, status_to_wire};
use crate::client::{ChangeFriend, Login, PacketError, Read, Send, Transient};
use crate::ids::Stamp;
use crate::wire::client as wire;

impl Convert for wire::Login {
    type Into = Login;

    fn convert(self) -> Result<Login, PacketError> {
        let user = (!self.user.is_empty()).then(|| user("user", &self.user));
        let device = (!self.device.is_empty()).then(|| device("device", &self.device));
        Ok(Login {
            version_min: self.version_min,
            version_max: self.version_max,
            features: self.features,
            token: self.token,
            user: user.transpose()?,
            device: device.transpose()?,
            friends_hash: hash_held(&self.friends_hash)?,
            heartbeat_ms: self.heartbeat_ms,
            status: self.status.map(|s| status(Some(s))).transpose()?,
        })
    }
}

pub(crate) fn login_to_wire(login: &Login) -> wire::Login {
    let user = login.user.as_ref().map(|user| copied(user.as_bytes()));
    let device = login
        .device
        .as_ref()
        .map(|device| copied(device.as_bytes()));
    wire::Login {
        version_min: login.version_min,
        version_max: login.version_max,
        features: login.features,
        token: login.token.clone(),
        user: user.unwrap_or_default(),
        device: device.unwrap_or_default(),
        friends_hash: hash_held_to_wire(login.friends_hash.as_ref()),
        heartbeat_ms: login.heartbeat_ms,
        status: login.status.as_ref().map(status_to_wire),
    }
}

impl Convert for wire::Send {
    type Into = Send;

    fn convert(self) -> Result<Send, PacketError> {
        Ok(Send {
            id: message_id(&self.id)?,
            to: user("to", &self.to)?,
            body: self.body,
            friends_hash: hash_held(&self.friends_hash)?,
            again: self.again,
        })
    }
}

/// What the hand-written encoder is held to.
#[cfg(test)]
pub(crate) fn send_to_wire(send: &Send) -> wire::ClientFrame {
    let send = wire::Send {
        id: copied(send.id.as_bytes()),
        to: copied(send.to.as_bytes()),
        body: send.body.clone(),
        friends_hash: hash_held_to_wire(send.friends_hash.as_ref()),
        again: send.again,
    };
    wire::ClientFrame {
        packet: Some(wire::client_frame::Packet::Send(send)),
    }
}

impl Convert for wire::Transient {
    type Into = Transient;

    fn convert(self) -> Result<Transient, PacketError> {
        Ok(Transient {
            to: user("to", &self.to)?,
            kind: self.kind,
            body: self.body,
        })
    }
}

pub(crate) fn transient_to_wire(transient: &Transient) -> wire::Transient {
    wire::Transient {
        to: copied(transient.to.as_bytes()),
        kind: transient.kind,
        body: transient.body.clone(),
    }
}

impl Convert for wire::Read {
    type Into = Read;

    fn convert(self) -> Result<Read, PacketError> {
        Ok(Read {
            peer: user("peer", &self.peer)?,
            up_to: Stamp(self.up_to_us),
        })
    }
}

pub(crate) fn read_to_wire(read: &Read) -> wire::Read {
    wire::Read {
        peer: copied(read.peer.as_bytes()),
        up_to_us: read.up_to.0,
    }
}

impl Convert for wire::ChangeFriend {
    type Into = ChangeFriend;

    fn convert(self) -> Result<ChangeFriend, PacketError> {
        Ok(ChangeFriend {
            request: self.request,
            action: self.action().try_into()?,
            peer: user("peer", &self.peer)?,
        })
    }
}

pub(crate) fn change_friend_to_wire(change: &ChangeFriend) -> wire::ChangeFriend {
    wire::ChangeFriend {
        request: change.request,
        action: wire::FriendAction::from(change.action).into(),
        peer: copied(change.peer.as_bytes()),
    }
}
