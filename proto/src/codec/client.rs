//! Packets from a client.

use bytes::{Bytes, BytesMut};
use prost::Message as _;

use super::field::{
    bytes_field_len, number_field_len, put_bytes_field, put_number_field, put_packet_header,
};
use crate::client::{ClientPacket, PacketError, Send};
use crate::convert::{self, Convert};
use crate::frame;
use crate::wire::client as wire;

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
            Packet::GetDevices(_) => Self::GetDevices,
            Packet::EndDevice(end) => Self::EndDevice(end.convert()?),
            Packet::GroupSend(send) => Self::GroupSend(send.convert()?),
            Packet::GroupTransient(transient) => Self::GroupTransient(transient.convert()?),
            Packet::GroupRead(read) => Self::GroupRead(read.convert()?),
            Packet::ChangeGroup(change) => Self::ChangeGroup(change.convert()?),
            Packet::GetGroups(_) => Self::GetGroups,
            Packet::GetMembers(get) => Self::GetMembers(get.convert()?),
            Packet::GetHistory(get) => Self::GetHistory(get.convert()?),
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
            Self::GetDevices => Packet::GetDevices(wire::GetDevices {}),
            Self::EndDevice(end) => Packet::EndDevice(convert::end_device_to_wire(end)),
            Self::GroupSend(send) => Packet::GroupSend(convert::group_send_to_wire(send)),
            Self::GroupTransient(transient) => {
                Packet::GroupTransient(convert::group_transient_to_wire(transient))
            }
            Self::GroupRead(read) => Packet::GroupRead(convert::group_read_to_wire(read)),
            Self::ChangeGroup(change) => Packet::ChangeGroup(convert::change_group_to_wire(change)),
            Self::GetGroups => Packet::GetGroups(wire::GetGroups {}),
            Self::GetMembers(get) => Packet::GetMembers(convert::get_members_to_wire(get)),
            Self::GetHistory(get) => Packet::GetHistory(convert::get_history_to_wire(get)),
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
    /// Of the hot path, so by hand.
    fn encode(&self, out: &mut BytesMut) {
        let hash = self.friends_hash.as_ref().map(|h| &h.0[..]).unwrap_or(&[]);
        let fields: [(u32, &[u8]); 4] = [
            (1, self.id.as_bytes()),
            (2, self.to.as_bytes()),
            (3, &self.body),
            (4, hash),
        ];
        let again = u64::from(self.again);
        let inner: usize = fields.iter().map(|(_, b)| bytes_field_len(b)).sum();
        put_packet_header(2, inner + number_field_len(again), out);
        for (tag, bytes) in fields {
            put_bytes_field(tag, bytes, out);
        }
        put_number_field(5, again, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::friends::ListHash;
    use crate::ids::{MessageId, UserId};

    #[test]
    fn the_hand_written_send_is_the_generated_one() {
        for (body, friends_hash, again) in [
            (Bytes::from_static(b"see you at six"), None, false),
            (Bytes::from(vec![7; 300]), Some(ListHash([9; 16])), true),
            (Bytes::new(), None, true),
        ] {
            let send = Send {
                id: MessageId::mint(1_795_000_000_000, [3; 10]),
                to: UserId::new("ben").unwrap(),
                body,
                friends_hash,
                again,
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
