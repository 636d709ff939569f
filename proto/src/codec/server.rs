//! Packets to a client.

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message as _;

use super::field::{
    bytes_field_len, number_field_len, put_bytes_field, put_number_field, put_packet_header,
};
use crate::client::PacketError;
use crate::convert::{self, Convert};
use crate::frame;
use crate::group::Place;
use crate::ids::MessageId;
use crate::server::{Deliver, Outcome, Sent, ServerPacket};
use crate::wire::client as wire;

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

impl Deliver {
    /// Of the hot path, so by hand.
    fn encode(&self, out: &mut BytesMut) {
        let inner = number_field_len(self.seq)
            + bytes_field_len(self.id.as_bytes())
            + bytes_field_len(self.from.as_bytes())
            + number_field_len(self.stamp.0)
            + bytes_field_len(&self.body);
        put_packet_header(2, inner, out);
        put_number_field(1, self.seq, out);
        put_bytes_field(2, self.id.as_bytes(), out);
        put_bytes_field(3, self.from.as_bytes(), out);
        put_number_field(4, self.stamp.0, out);
        put_bytes_field(5, &self.body, out);
    }
}

impl Sent {
    /// Of the hot path, so by hand.
    fn encode(&self, id: &MessageId, out: &mut BytesMut) {
        let outcome = match &self.outcome {
            Outcome::Delivered { device } => bytes_field_len(device.as_bytes()),
            Outcome::Stored => 2,
            Outcome::Logged(place) => 2 + place_len(place),
        };
        let inner = bytes_field_len(id.as_bytes()) + number_field_len(self.stamp.0) + outcome;
        put_packet_header(3, inner, out);
        put_bytes_field(1, id.as_bytes(), out);
        put_number_field(2, self.stamp.0, out);
        match &self.outcome {
            Outcome::Delivered { device } => put_bytes_field(3, device.as_bytes(), out),
            Outcome::Stored => out.put_slice(&[4 << 3 | 2, 0]),
            Outcome::Logged(place) => {
                // Two numbers are below 128 bytes.
                out.put_slice(&[5 << 3 | 2, place_len(place) as u8]);
                put_number_field(1, place.epoch.0, out);
                put_number_field(2, place.seq, out);
            }
        }
    }
}

fn place_len(place: &Place) -> usize {
    number_field_len(place.epoch.0) + number_field_len(place.seq)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DeviceId, LogEpoch, Stamp, UserId};

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
        let logged = |epoch, seq| {
            let epoch = LogEpoch(epoch);
            Outcome::Logged(Place { epoch, seq })
        };
        let logged = [logged(u64::MAX, u64::MAX), logged(0, 0)];
        for outcome in [delivered, Outcome::Stored].into_iter().chain(logged) {
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
