//! Packets to a client.

use std::sync::Arc;

use super::devices::{carbon_to_wire, devices_to_wire, entries};
use super::field::{
    Convert, code, code_of_failure, code_of_failure_to_wire, copied, device, hash, message_id,
    text, user,
};
use super::group::{
    group_deliver_to_wire, group_head_to_wire, group_state_to_wire, group_transient_from_to_wire,
    user_groups, user_groups_to_wire,
};
use super::group_news::{group_applied_to_wire, group_invited_to_wire, group_left_to_wire};
use super::page::{history_to_wire, members_to_wire};
use super::sent::sent_to_wire;
use super::status::{shown_status, status_to_wire};
use crate::client::PacketError;
use crate::codes::Code;
use crate::friends::ListVersion;
use crate::ids::{MessageId, SessionId, Stamp, Token};
use crate::server::{
    Closing, Deliver, Goaway, LoginOk, Receipt, ReceiptKind, ServerPacket, TransientFrom,
};
use crate::status::{PeerStatus, StatusVersion};
use crate::wire::client as wire;
use crate::wire::client::server_frame::Packet;

impl Convert for wire::ServerFrame {
    type Into = ServerPacket;

    fn convert(self) -> Result<ServerPacket, PacketError> {
        Ok(match self.packet.ok_or(PacketError::Unknown)? {
            Packet::LoginOk(login) => ServerPacket::LoginOk(Box::new(login.convert()?)),
            Packet::Deliver(deliver) => ServerPacket::Deliver(deliver.convert()?),
            Packet::Sent(sent) => ServerPacket::Sent {
                id: message_id(&sent.id)?,
                sent: sent.convert()?,
            },
            Packet::Pong(_) => ServerPacket::Pong,
            Packet::Rejected(rejected) => ServerPacket::Rejected {
                id: message_id(&rejected.id)?,
                code: code(rejected.code)?,
                text: text(rejected.text)?,
            },
            Packet::Unknown(unknown) => ServerPacket::Unknown {
                id: message_id(&unknown.id)?,
                code: code(unknown.code)?,
            },
            Packet::Receipt(receipt) => ServerPacket::Receipt(receipt.convert()?),
            Packet::TransientFrom(transient) => ServerPacket::Transient(transient.convert()?),
            Packet::Presence(presence) => ServerPacket::Presence {
                peers: peers(presence.peers)?,
                snapshot: presence.snapshot,
            },
            Packet::Friends(friends) => ServerPacket::Friends(Arc::new(friends.try_into()?)),
            Packet::FriendsChanged(changed) => ServerPacket::FriendsChanged {
                version: ListVersion(changed.version),
                hash: hash("hash", &changed.hash)?,
            },
            Packet::FriendsStale(stale) => ServerPacket::FriendsStale {
                version: ListVersion(stale.version),
                hash: hash("hash", &stale.hash)?,
            },
            Packet::FriendResult(result) => ServerPacket::FriendResult {
                request: result.request,
                code: code_of_failure(result.code)?,
            },
            Packet::Closing(closing) => ServerPacket::Closing(closing.convert()?),
            Packet::Goaway(goaway) => ServerPacket::Goaway(Goaway {
                after_ms: goaway.after_ms,
                spread_ms: goaway.spread_ms,
            }),
            Packet::Carbon(carbon) => ServerPacket::Carbon(Box::new(carbon.convert()?)),
            Packet::Devices(devices) => ServerPacket::Devices(entries(devices.devices)?),
            Packet::DeviceResult(result) => ServerPacket::DeviceResult {
                request: result.request,
                code: code_of_failure(result.code)?,
            },
            Packet::GroupDeliver(deliver) => ServerPacket::GroupDeliver(deliver.convert()?),
            Packet::GroupTransientFrom(transient) => {
                ServerPacket::GroupTransient(transient.convert()?)
            }
            Packet::GroupState(state) => ServerPacket::GroupState(Box::new(state.convert()?)),
            Packet::GroupHead(end) => end.convert()?,
            Packet::GroupLeft(left) => left.convert()?,
            Packet::GroupInvited(invited) => invited.convert()?,
            Packet::GroupApplied(applied) => applied.convert()?,
            Packet::GroupResult(result) => ServerPacket::GroupResult {
                request: result.request,
                code: code_of_failure(result.code)?,
            },
            Packet::Groups(groups) => ServerPacket::Groups(user_groups(groups.groups)?),
            Packet::Members(members) => ServerPacket::Members(Box::new(members.convert()?)),
            Packet::History(history) => ServerPacket::History(Box::new(history.convert()?)),
        })
    }
}

/// Copies ids and texts; bodies are shared.
pub(crate) fn server_to_wire(packet: &ServerPacket) -> wire::ServerFrame {
    let packet = match packet {
        ServerPacket::LoginOk(login) => Packet::LoginOk(login_ok_to_wire(login)),
        ServerPacket::Deliver(deliver) => Packet::Deliver(deliver_to_wire(deliver)),
        ServerPacket::Sent { id, sent } => Packet::Sent(sent_to_wire(*id, sent)),
        ServerPacket::Rejected { id, code, text } => {
            Packet::Rejected(rejected_to_wire(*id, *code, text))
        }
        ServerPacket::Unknown { id, code } => Packet::Unknown(unknown_to_wire(*id, *code)),
        ServerPacket::Pong => Packet::Pong(wire::Pong {}),
        ServerPacket::Receipt(receipt) => Packet::Receipt(receipt_to_wire(receipt)),
        ServerPacket::Transient(transient) => {
            Packet::TransientFrom(transient_from_to_wire(transient))
        }
        ServerPacket::Presence { peers, snapshot } => {
            let (peers, snapshot) = (peers.iter().map(peer_to_wire).collect(), *snapshot);
            Packet::Presence(wire::Presence { peers, snapshot })
        }
        ServerPacket::Friends(list) => Packet::Friends(list.as_ref().into()),
        ServerPacket::FriendsChanged { version, hash } => {
            let (version, hash) = (version.0, copied(&hash.0));
            Packet::FriendsChanged(wire::FriendsChanged { version, hash })
        }
        ServerPacket::FriendsStale { version, hash } => {
            let (version, hash) = (version.0, copied(&hash.0));
            Packet::FriendsStale(wire::FriendsStale { version, hash })
        }
        ServerPacket::FriendResult { request, code } => Packet::FriendResult(wire::FriendResult {
            request: *request,
            code: code_of_failure_to_wire(*code),
        }),
        ServerPacket::Closing(closing) => Packet::Closing(closing_to_wire(closing)),
        ServerPacket::Goaway(goaway) => Packet::Goaway(goaway_to_wire(*goaway)),
        ServerPacket::Carbon(carbon) => Packet::Carbon(carbon_to_wire(carbon)),
        ServerPacket::Devices(devices) => Packet::Devices(devices_to_wire(devices)),
        ServerPacket::DeviceResult { request, code } => Packet::DeviceResult(wire::DeviceResult {
            request: *request,
            code: code_of_failure_to_wire(*code),
        }),
        ServerPacket::GroupDeliver(deliver) => Packet::GroupDeliver(group_deliver_to_wire(deliver)),
        ServerPacket::GroupTransient(transient) => {
            Packet::GroupTransientFrom(group_transient_from_to_wire(transient))
        }
        ServerPacket::GroupState(state) => Packet::GroupState(group_state_to_wire(state)),
        ServerPacket::GroupHead { group, head } => {
            Packet::GroupHead(group_head_to_wire(group, head))
        }
        ServerPacket::GroupLeft { group, change } => {
            Packet::GroupLeft(group_left_to_wire(group, change.as_ref()))
        }
        ServerPacket::GroupInvited { group, by } => {
            Packet::GroupInvited(group_invited_to_wire(group, by))
        }
        ServerPacket::GroupApplied { group, user } => {
            Packet::GroupApplied(group_applied_to_wire(group, user))
        }
        ServerPacket::GroupResult { request, code } => Packet::GroupResult(wire::GroupResult {
            request: *request,
            code: code_of_failure_to_wire(*code),
        }),
        ServerPacket::Groups(groups) => Packet::Groups(wire::Groups {
            groups: user_groups_to_wire(groups),
        }),
        ServerPacket::Members(members) => Packet::Members(members_to_wire(members)),
        ServerPacket::History(history) => Packet::History(history_to_wire(history)),
    };
    wire::ServerFrame {
        packet: Some(packet),
    }
}

impl Convert for wire::LoginOk {
    type Into = LoginOk;

    fn convert(self) -> Result<LoginOk, PacketError> {
        Ok(LoginOk {
            version: self.version,
            features: self.features,
            user: user("user", &self.user)?,
            device: device("device", &self.device)?,
            session: SessionId(self.session),
            window_messages: self.window_messages,
            window_bytes: self.window_bytes,
            heartbeat_ms: self.heartbeat_ms,
            body_bytes_max: self.body_bytes_max,
            server_time: Stamp(self.server_time_us),
            groups: user_groups(self.groups)?,
        })
    }
}

fn login_ok_to_wire(login: &LoginOk) -> wire::LoginOk {
    wire::LoginOk {
        version: login.version,
        features: login.features,
        user: copied(login.user.as_bytes()),
        device: copied(login.device.as_bytes()),
        session: login.session.0,
        window_messages: login.window_messages,
        window_bytes: login.window_bytes,
        heartbeat_ms: login.heartbeat_ms,
        body_bytes_max: login.body_bytes_max,
        server_time_us: login.server_time.0,
        groups: user_groups_to_wire(&login.groups),
    }
}

impl Convert for wire::Deliver {
    type Into = Deliver;

    fn convert(self) -> Result<Deliver, PacketError> {
        Ok(Deliver {
            seq: self.seq,
            id: message_id(&self.id)?,
            from: user("from", &self.from)?,
            stamp: Stamp(self.stamp_us),
            body: self.body,
        })
    }
}

fn deliver_to_wire(deliver: &Deliver) -> wire::Deliver {
    wire::Deliver {
        seq: deliver.seq,
        id: copied(deliver.id.as_bytes()),
        from: copied(deliver.from.as_bytes()),
        stamp_us: deliver.stamp.0,
        body: deliver.body.clone(),
    }
}

impl Convert for wire::Receipt {
    type Into = Receipt;

    fn convert(self) -> Result<Receipt, PacketError> {
        Ok(Receipt {
            kind: self.kind().convert()?,
            peer: user("peer", &self.peer)?,
            up_to: Stamp(self.up_to_us),
        })
    }
}

fn rejected_to_wire(id: MessageId, code: Code, text: &str) -> wire::Rejected {
    wire::Rejected {
        id: copied(id.as_bytes()),
        code: code.number(),
        text: text.to_owned(),
    }
}

fn unknown_to_wire(id: MessageId, code: Code) -> wire::Unknown {
    wire::Unknown {
        id: copied(id.as_bytes()),
        code: code.number(),
    }
}

fn receipt_to_wire(receipt: &Receipt) -> wire::Receipt {
    wire::Receipt {
        peer: copied(receipt.peer.as_bytes()),
        kind: wire::ReceiptKind::from(receipt.kind).into(),
        up_to_us: receipt.up_to.0,
    }
}

impl Convert for wire::ReceiptKind {
    type Into = ReceiptKind;

    fn convert(self) -> Result<ReceiptKind, PacketError> {
        match self {
            Self::Delivered => Ok(ReceiptKind::Delivered),
            Self::Read => Ok(ReceiptKind::Read),
            Self::Unspecified => Err(PacketError::Field("kind")),
        }
    }
}

impl From<ReceiptKind> for wire::ReceiptKind {
    fn from(kind: ReceiptKind) -> Self {
        match kind {
            ReceiptKind::Delivered => Self::Delivered,
            ReceiptKind::Read => Self::Read,
        }
    }
}

impl Convert for wire::TransientFrom {
    type Into = TransientFrom;

    fn convert(self) -> Result<TransientFrom, PacketError> {
        Ok(TransientFrom {
            from: user("from", &self.from)?,
            kind: self.kind,
            body: self.body,
        })
    }
}

fn transient_from_to_wire(transient: &TransientFrom) -> wire::TransientFrom {
    wire::TransientFrom {
        from: copied(transient.from.as_bytes()),
        kind: transient.kind,
        body: transient.body.clone(),
    }
}

/// Statuses of friends, one each at most.
pub(super) fn peers(peers: Vec<wire::PeerStatus>) -> Result<Vec<PeerStatus>, PacketError> {
    peers.into_iter().map(Convert::convert).collect()
}

impl Convert for wire::PeerStatus {
    type Into = PeerStatus;

    fn convert(self) -> Result<PeerStatus, PacketError> {
        Ok(PeerStatus {
            user: user("user", &self.user)?,
            status: shown_status(self.status)?,
            version: StatusVersion {
                token: Token(self.token),
                counter: self.counter,
            },
            last_seen: (self.last_seen_us != 0).then_some(Stamp(self.last_seen_us)),
        })
    }
}

pub(super) fn peer_to_wire(peer: &PeerStatus) -> wire::PeerStatus {
    wire::PeerStatus {
        user: copied(peer.user.as_bytes()),
        status: Some(status_to_wire(&peer.status)),
        token: peer.version.token.0,
        counter: peer.version.counter,
        last_seen_us: peer.last_seen.map_or(0, |stamp| stamp.0),
    }
}

impl Convert for wire::Closing {
    type Into = Closing;

    fn convert(self) -> Result<Closing, PacketError> {
        Ok(Closing {
            code: code(self.code)?,
            text: text(self.text)?,
            come_back_after_ms: self.come_back_after_ms,
        })
    }
}

fn closing_to_wire(closing: &Closing) -> wire::Closing {
    wire::Closing {
        code: closing.code.number(),
        text: closing.text.to_string(),
        come_back_after_ms: closing.come_back_after_ms,
    }
}

fn goaway_to_wire(goaway: Goaway) -> wire::Goaway {
    wire::Goaway {
        after_ms: goaway.after_ms,
        spread_ms: goaway.spread_ms,
    }
}
