//! Packets to a client.
//!
//! Owns the packets and their codec. Must not know when they are sent.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message as _;
use prost::encoding::{encode_varint, encoded_len_varint};
use smol_str::SmolStr;

use crate::client::{PacketError, bytes_field_len, put_bytes_field};
use crate::codes::Code;
use crate::convert::{self, Convert};
use crate::frame;
use crate::friends::{FriendList, ListHash, ListVersion};
use crate::ids::{DeviceId, MessageId, SessionId, Stamp, UserId};
use crate::status::PeerStatus;
use crate::wire::client as wire;

/// One packet to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServerPacket {
    /// The log-in is accepted.
    LoginOk(Box<LoginOk>),
    /// A message for this user.
    Deliver(Deliver),
    /// A message of this client is safe.
    Sent {
        /// Which one.
        id: MessageId,
        /// Where it is safe, and since when.
        sent: Sent,
    },
    /// A message of this client was not delivered and never will be.
    Rejected {
        /// Which one.
        id: MessageId,
        /// Why, in a class [`crate::codes::Next::Final`].
        code: Code,
        /// Why, in words.
        text: SmolStr,
    },
    /// A message of this client may be sent again with the same id.
    Unknown {
        /// Which one.
        id: MessageId,
        /// Why, in a class [`crate::codes::Next::Again`].
        code: Code,
    },
    /// Answers a ping.
    Pong,
    /// What became of messages to a peer.
    Receipt(Receipt),
    /// A message that is never stored: typing, signals.
    Transient(TransientFrom),
    /// Statuses of friends.
    Presence {
        /// Each is newer than an older one of the same user by its version.
        peers: Vec<PeerStatus>,
        /// The first after a log-in: friends not named are offline.
        snapshot: bool,
    },
    /// The friend list.
    Friends(Arc<FriendList>),
    /// The friend list changed; what it is now is to be asked for.
    FriendsChanged {
        /// The newest version.
        version: ListVersion,
        /// Its hash.
        hash: ListHash,
    },
    /// The client's hash is not that of the newest list.
    FriendsStale {
        /// The newest version.
        version: ListVersion,
        /// Its hash.
        hash: ListHash,
    },
    /// Answers a [`crate::client::ChangeFriend`].
    FriendResult {
        /// The client's number of it.
        request: u32,
        /// `None` when done.
        code: Option<Code>,
    },
    /// The one error before a close.
    Closing(Closing),
}

/// What a log-in grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginOk {
    /// The protocol version of this connection.
    pub version: u32,
    /// The features that both ends have.
    pub features: u64,
    /// Who is logged in.
    pub user: UserId,
    /// Which device.
    pub device: DeviceId,
    /// The session's number, for logs.
    pub session: SessionId,
    /// How many messages may be unanswered, in either direction.
    pub window_messages: u32,
    /// How many bytes of bodies may be unanswered, in either direction.
    pub window_bytes: u32,
    /// Something must come from the client at least this often.
    pub heartbeat_ms: u32,
    /// The largest body.
    pub body_bytes_max: u32,
    /// The server's clock; message ids are minted by it.
    pub server_time: Stamp,
}

/// A message for this user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliver {
    /// Numbered per session from 1; acknowledged cumulatively.
    pub seq: u64,
    /// The sender's id for it.
    pub id: MessageId,
    /// The sender.
    pub from: UserId,
    /// When it was accepted.
    pub stamp: Stamp,
    /// Opaque to the cluster.
    pub body: Bytes,
}

/// A message is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// When it was accepted.
    pub stamp: Stamp,
    /// Where it is safe.
    pub outcome: Outcome,
}

/// Where a message is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The recipient's device took it.
    Delivered {
        /// Which device.
        device: DeviceId,
    },
    /// It is durable in the recipient's mailbox.
    Stored,
}

/// What became of all messages to a peer up to a stamp.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// To whom the messages were sent.
    pub peer: UserId,
    /// What became of them.
    pub kind: ReceiptKind,
    /// Of those stamped not later than this.
    pub up_to: Stamp,
}

/// What became of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReceiptKind {
    /// A device has taken them.
    Delivered,
    /// The user has read them.
    Read,
}

/// A message that is never stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransientFrom {
    /// The sender.
    pub from: UserId,
    /// As in [`crate::client::Transient::kind`].
    pub kind: u32,
    /// Opaque to the cluster.
    pub body: Bytes,
}

/// The one error before a close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    /// Why; its class tells whether to come back.
    pub code: Code,
    /// Why, in words.
    pub text: SmolStr,
    /// Not sooner than this; 0: by the client's own back-off.
    pub come_back_after_ms: u32,
}

impl Closing {
    /// A close with the code's own text.
    pub fn of(code: Code) -> Self {
        Self {
            code,
            text: SmolStr::new_static(code.text()),
            come_back_after_ms: 0,
        }
    }
}

impl ServerPacket {
    /// Decodes the content of one frame. Bodies are slices of `content`.
    pub fn decode(content: Bytes) -> Result<Self, PacketError> {
        wire::ServerFrame::decode(content)?.convert()
    }

    /// Appends the packet as one frame.
    pub fn encode(&self, out: &mut BytesMut) {
        match self {
            Self::Deliver(deliver) => deliver.encode(out),
            Self::Sent { id, sent } => sent.encode(id, out),
            other => frame::put(&convert::server_to_wire(other), out),
        }
    }
}

// The two packets of the hot path are written by hand: the generated encoder
// would copy each id into an allocation of its own. Tests hold both to the
// same bytes.

fn put_stamp(tag: u32, stamp: Stamp, out: &mut BytesMut) {
    if stamp.0 != 0 {
        out.put_u8((tag << 3) as u8);
        encode_varint(stamp.0, out);
    }
}

fn number_field_len(number: u64) -> usize {
    if number == 0 {
        return 0;
    }
    1 + encoded_len_varint(number)
}

fn put_packet_header(tag: u32, inner: usize, out: &mut BytesMut) {
    let length = 1 + encoded_len_varint(inner as u64) + inner;
    out.reserve(frame::HEADER_BYTES + length);
    out.put_u32(length as u32);
    out.put_u8((tag << 3 | 2) as u8);
    encode_varint(inner as u64, out);
}

impl Deliver {
    fn encode(&self, out: &mut BytesMut) {
        let inner = number_field_len(self.seq)
            + bytes_field_len(self.id.as_bytes())
            + bytes_field_len(self.from.as_bytes())
            + number_field_len(self.stamp.0)
            + bytes_field_len(&self.body);
        put_packet_header(2, inner, out);
        put_stamp(1, Stamp(self.seq), out);
        put_bytes_field(2, self.id.as_bytes(), out);
        put_bytes_field(3, self.from.as_bytes(), out);
        put_stamp(4, self.stamp, out);
        put_bytes_field(5, &self.body, out);
    }
}

impl Sent {
    fn encode(&self, id: &MessageId, out: &mut BytesMut) {
        let outcome = match &self.outcome {
            Outcome::Delivered { device } => bytes_field_len(device.as_bytes()),
            Outcome::Stored => 2,
        };
        let inner = bytes_field_len(id.as_bytes()) + number_field_len(self.stamp.0) + outcome;
        put_packet_header(3, inner, out);
        put_bytes_field(1, id.as_bytes(), out);
        put_stamp(2, self.stamp, out);
        match &self.outcome {
            Outcome::Delivered { device } => put_bytes_field(3, device.as_bytes(), out),
            Outcome::Stored => out.put_slice(&[4 << 3 | 2, 0]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both_ways(packet: ServerPacket) {
        let mut hand = BytesMut::new();
        packet.encode(&mut hand);
        let mut generated = BytesMut::new();
        frame::put(&convert::server_to_wire(&packet), &mut generated);
        assert_eq!(hand, generated);
        let content = hand.split_off(frame::HEADER_BYTES).freeze();
        assert_eq!(ServerPacket::decode(content), Ok(packet));
    }

    #[test]
    fn the_hand_written_packets_are_the_generated_ones() {
        let id = MessageId::mint(1_795_000_000_000, [3; 10]);
        for body in [Bytes::new(), Bytes::from(vec![7; 200])] {
            both_ways(ServerPacket::Deliver(Deliver {
                seq: 300,
                id,
                from: UserId::new("ann").unwrap(),
                stamp: Stamp(1_795_000_000_000_000),
                body,
            }));
        }
        let delivered = Outcome::Delivered {
            device: DeviceId::new("phone").unwrap(),
        };
        for outcome in [delivered, Outcome::Stored] {
            for stamp in [Stamp(0), Stamp(1_795_000_000_000_000)] {
                let outcome = outcome.clone();
                both_ways(ServerPacket::Sent {
                    id,
                    sent: Sent { stamp, outcome },
                });
            }
        }
    }
}
