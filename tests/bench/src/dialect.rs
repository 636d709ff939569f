//! How a message and its acknowledgement are written to what is measured.
//!
//! Owns the difference between a cluster, which turns a `Send` into a
//! `Deliver` and an `Ack` into a `Sent`, and the relay, which forwards bytes:
//! to it clients write what the other end is to read.

use bytes::{Bytes, BytesMut};
use proto::client::{ClientPacket, Send};
use proto::ids::{DeviceId, MessageId, Stamp, UserId};
use proto::server::{Deliver, Outcome, Sent, ServerPacket};

/// What is spoken to what is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// The client protocol.
    Cluster,
    /// Frames for the other end.
    Relay {
        /// The recipient answers each message.
        acked: bool,
    },
}

impl Dialect {
    /// Whether a sender is answered; else a delivery stands for the answer.
    pub fn has_answers(self) -> bool {
        self != Self::Relay { acked: false }
    }

    /// Appends a message.
    pub fn put_message(
        self,
        (from, to): (&UserId, &UserId),
        id: MessageId,
        body: Bytes,
        out: &mut BytesMut,
    ) {
        match self {
            Self::Cluster => ClientPacket::Send(Send {
                id,
                to: to.clone(),
                body,
                friends_hash: None,
                again: false,
            })
            .encode(out),
            Self::Relay { .. } => ServerPacket::Deliver(Deliver {
                seq: 1,
                id,
                from: from.clone(),
                stamp: Stamp(1_000 * id.minted_ms()),
                body,
            })
            .encode(out),
        }
    }

    /// Appends what is due at once for each delivery.
    pub fn put_taken(self, deliver: &Deliver, device: &DeviceId, out: &mut BytesMut) {
        if self == (Self::Relay { acked: true }) {
            let outcome = Outcome::Delivered {
                device: device.clone(),
            };
            let sent = Sent {
                stamp: deliver.stamp,
                outcome,
            };
            let id = deliver.id;
            ServerPacket::Sent { id, sent }.encode(out);
        }
    }

    /// Appends what is due once for all deliveries of a read.
    pub fn put_ack(self, seq: u64, out: &mut BytesMut) {
        if self == Self::Cluster {
            ClientPacket::Ack { seq }.encode(out);
        }
    }

    /// Appends a sign of life.
    pub fn put_ping(self, out: &mut BytesMut) {
        if self == Self::Cluster {
            ClientPacket::Ping.encode(out);
        }
    }
}
