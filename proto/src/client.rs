//! Packets from a client.
//!
//! Owns the packets and their codec. Must not know sessions: whether a packet
//! is in place is the session's to say.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message as _;
use prost::encoding::{encode_varint, encoded_len_varint};

use crate::codes::Code;
use crate::convert::{self, Convert};
use crate::frame;
use crate::friends::{FriendAction, ListHash};
use crate::ids::{DeviceId, MessageId, Stamp, UserId};
use crate::status::Status;
use crate::wire::client as wire;

/// One packet from a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientPacket {
    /// The first packet of a connection.
    Login(Box<Login>),
    /// A message for another user.
    Send(Send),
    /// All deliveries up to this number are taken by the application.
    Ack {
        /// The number of a [`crate::server::Deliver`].
        seq: u64,
    },
    /// A sign of life; answered by a pong.
    Ping,
    /// A message that is never stored and never acknowledged.
    Transient(Transient),
    /// The user has read what the peer sent up to this stamp.
    Read(Read),
    /// The user shows another status.
    SetStatus(Status),
    /// Asks for the friend list.
    GetFriends,
    /// Changes the relation with a peer.
    ChangeFriend(ChangeFriend),
    /// A token that replaces the one of the log-in before that expires.
    RefreshToken {
        /// As in [`Login::token`].
        token: String,
    },
    /// The session ends by the user's will.
    Logout,
}

/// What a client says of itself first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// The lowest protocol version spoken.
    pub version_min: u32,
    /// The highest protocol version spoken.
    pub version_max: u32,
    /// Bits of optional features; none is defined in version 1.
    pub features: u64,
    /// A signed token; empty in open mode.
    pub token: String,
    /// Who logs in, in open mode; with a token its `sub` counts, and this is
    /// empty or the same.
    pub user: Option<UserId>,
    /// Which device; empty only where the token names it.
    pub device: Option<DeviceId>,
    /// The hash of the friend list that the client holds.
    pub friends_hash: Option<ListHash>,
    /// The client sends something at least this often, in milliseconds; 0 for
    /// the server's default.
    pub heartbeat_ms: u32,
    /// The status to show.
    pub status: Status,
}

/// A message for another user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Send {
    /// Minted by the client, once per message.
    pub id: MessageId,
    /// The recipient.
    pub to: UserId,
    /// Opaque to the cluster.
    pub body: Bytes,
    /// The hash of the friend list that the client holds.
    pub friends_hash: Option<ListHash>,
}

/// A message that is never stored and never acknowledged: typing, signals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transient {
    /// The recipient.
    pub to: UserId,
    /// What it is, agreed between clients; 1 is typing.
    pub kind: u32,
    /// Opaque to the cluster.
    pub body: Bytes,
}

/// [`Transient::kind`] of a typing notice.
pub const TRANSIENT_TYPING: u32 = 1;

/// A read mark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Read {
    /// Whose messages were read.
    pub peer: UserId,
    /// Those stamped not later than this.
    pub up_to: Stamp,
}

/// A change of the friend graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeFriend {
    /// Chosen by the client; the answer carries it.
    pub request: u32,
    /// What to do.
    pub action: FriendAction,
    /// With whom.
    pub peer: UserId,
}

/// Why bytes are no packet. The client must act; the session closes with
/// [`PacketError::code`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// Not protobuf of this shape.
    #[error("not a packet: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// No packet, or one that this version does not know.
    #[error("no packet that is known")]
    Unknown,
    /// A field that must be there is missing or out of its range.
    #[error("field `{0}` is missing or wrong")]
    Field(&'static str),
    /// An id that is none.
    #[error("field `{0}`: {1}")]
    Id(&'static str, crate::ids::IdError),
}

impl PacketError {
    /// The code that the client is told.
    pub fn code(&self) -> Code {
        Code::Malformed
    }
}

impl ClientPacket {
    /// Decodes the content of one frame. Bodies are slices of `content`.
    pub fn decode(content: Bytes) -> Result<Self, PacketError> {
        use wire::client_frame::Packet;
        let frame = wire::ClientFrame::decode(content)?;
        Ok(match frame.packet.ok_or(PacketError::Unknown)? {
            Packet::Login(login) => Self::Login(Box::new(login.convert()?)),
            Packet::Send(send) => Self::Send(send.convert()?),
            Packet::Ack(ack) => Self::Ack { seq: ack.seq },
            Packet::Ping(_) => Self::Ping,
            Packet::Transient(transient) => Self::Transient(transient.convert()?),
            Packet::Read(read) => Self::Read(read.convert()?),
            Packet::SetStatus(set) => Self::SetStatus(convert::status(set.status)?),
            Packet::GetFriends(_) => Self::GetFriends,
            Packet::ChangeFriend(change) => Self::ChangeFriend(change.convert()?),
            Packet::RefreshToken(refresh) => Self::RefreshToken {
                token: refresh.token,
            },
            Packet::Logout(_) => Self::Logout,
        })
    }

    /// Appends the packet as one frame.
    pub fn encode(&self, out: &mut BytesMut) {
        use wire::client_frame::Packet;
        let packet = match self {
            Self::Send(send) => return send.encode(out),
            Self::Login(login) => Packet::Login(convert::login_to_wire(login)),
            Self::Ack { seq } => Packet::Ack(wire::Ack { seq: *seq }),
            Self::Ping => Packet::Ping(wire::Ping {}),
            Self::Transient(transient) => Packet::Transient(convert::transient_to_wire(transient)),
            Self::Read(read) => Packet::Read(convert::read_to_wire(read)),
            Self::SetStatus(status) => Packet::SetStatus(wire::SetStatus {
                status: Some(convert::status_to_wire(status)),
            }),
            Self::GetFriends => Packet::GetFriends(wire::GetFriends {}),
            Self::ChangeFriend(change) => {
                Packet::ChangeFriend(convert::change_friend_to_wire(change))
            }
            Self::RefreshToken { token } => Packet::RefreshToken(wire::RefreshToken {
                token: token.clone(),
            }),
            Self::Logout => Packet::Logout(wire::Logout {}),
        };
        frame::put(
            &wire::ClientFrame {
                packet: Some(packet),
            },
            out,
        );
    }
}

impl Send {
    /// Written by hand, field by field: the generated encoder would copy each
    /// id into an allocation of its own. A test holds both to the same bytes.
    fn encode(&self, out: &mut BytesMut) {
        let hash = self.friends_hash.as_ref().map(|h| &h.0[..]).unwrap_or(&[]);
        let fields: [(u32, &[u8]); 4] = [
            (1, self.id.as_bytes()),
            (2, self.to.as_bytes()),
            (3, &self.body),
            (4, hash),
        ];
        let inner: usize = fields.iter().map(|(_, b)| bytes_field_len(b)).sum();
        let length = 1 + encoded_len_varint(inner as u64) + inner;
        out.reserve(frame::HEADER_BYTES + length);
        out.put_u32(length as u32);
        out.put_u8(2 << 3 | 2);
        encode_varint(inner as u64, out);
        for (tag, bytes) in fields {
            put_bytes_field(tag, bytes, out);
        }
    }
}

/// The length of a `bytes` field with a tag below 16; nothing when empty.
pub(crate) fn bytes_field_len(bytes: &[u8]) -> usize {
    if bytes.is_empty() {
        return 0;
    }
    1 + encoded_len_varint(bytes.len() as u64) + bytes.len()
}

/// Writes a `bytes` field with a tag below 16; nothing when empty.
pub(crate) fn put_bytes_field(tag: u32, bytes: &[u8], out: &mut BytesMut) {
    if bytes.is_empty() {
        return;
    }
    out.put_u8((tag << 3 | 2) as u8);
    encode_varint(bytes.len() as u64, out);
    out.put_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hand_written_send_is_the_generated_one() {
        for (body, friends_hash) in [
            (Bytes::from_static(b"see you at six"), None),
            (Bytes::from(vec![7; 300]), Some(ListHash([9; 16]))),
            (Bytes::new(), None),
        ] {
            let send = Send {
                id: MessageId::mint(1_795_000_000_000, [3; 10]),
                to: UserId::new("ben").unwrap(),
                body,
                friends_hash,
            };
            let mut hand = BytesMut::new();
            send.encode(&mut hand);
            let mut generated = BytesMut::new();
            frame::put(&convert::send_to_wire(&send), &mut generated);
            assert_eq!(hand, generated);
            let content = hand.split_off(frame::HEADER_BYTES).freeze();
            assert_eq!(ClientPacket::decode(content), Ok(ClientPacket::Send(send)));
        }
    }

    #[test]
    fn garbage_is_refused() {
        assert!(ClientPacket::decode(Bytes::from_static(&[0xff; 40])).is_err());
        assert_eq!(
            ClientPacket::decode(Bytes::new()),
            Err(PacketError::Unknown)
        );
        let short_id = [2 << 3 | 2, 3, 1 << 3 | 2, 1, 9];
        assert_eq!(
            ClientPacket::decode(Bytes::copy_from_slice(&short_id)),
            Err(PacketError::Field("id"))
        );
    }
}
