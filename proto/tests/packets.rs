//! Packets are refused for the field that is wrong.

use bytes::{Bytes, BytesMut};
use prost::Message;
use proto::client::{ClientPacket, PacketError, Send};
use proto::codes::Code;
use proto::frame::HEADER_BYTES;
use proto::friends::{FRIENDS_MAX, FriendEntry, FriendList, ListHash, ListVersion, Relation};
use proto::ids::{ID_BYTES_MAX, IdError, MessageId, UserId};
use proto::limits::{BODY_BYTES_MAX, TEXT_BYTES_MAX};
use proto::server::ServerPacket;
use proto::wire::client as wire;
use proto::wire::client::client_frame::Packet as FromClient;
use proto::wire::client::server_frame::Packet as FromServer;

#[test]
fn a_client_s_wrong_field_is_named() {
    use PacketError::{Field, Id};
    let long_text = wire::Status {
        text: "x".repeat(TEXT_BYTES_MAX + 1),
        ..status(1)
    };
    let cases = [
        (
            login(|login| login.status = Some(status(0))),
            Field("availability"),
        ),
        (
            login(|login| login.status = Some(status(5))),
            Field("availability"),
        ),
        (
            login(|login| login.status = Some(status(77))),
            Field("availability"),
        ),
        (login(|login| login.status = Some(long_text)), Field("text")),
        (
            login(|login| login.user = Bytes::from_static(b"a/b")),
            Id("user", IdError::Byte(b'/')),
        ),
        (
            login(|login| login.device = Bytes::from(vec![b'x'; 65])),
            Id("device", IdError::Length(65)),
        ),
        (
            login(|login| login.friends_hash = Bytes::from_static(&[1; 17])),
            Field("friends_hash"),
        ),
        (FromClient::Send(wire::Send::default()), Field("id")),
        (
            send(|send| send.id = Bytes::from_static(&[1; 17])),
            Field("id"),
        ),
        (
            send(|send| send.to = Bytes::new()),
            Id("to", IdError::Length(0)),
        ),
        (
            send(|send| send.friends_hash = Bytes::from_static(&[1])),
            Field("friends_hash"),
        ),
        (
            FromClient::Transient(wire::Transient::default()),
            Id("to", IdError::Length(0)),
        ),
        (
            FromClient::Read(wire::Read::default()),
            Id("peer", IdError::Length(0)),
        ),
        (
            FromClient::SetStatus(wire::SetStatus::default()),
            Field("status"),
        ),
        (
            FromClient::SetStatus(wire::SetStatus {
                status: Some(status(5)),
            }),
            Field("availability"),
        ),
        (change(0, b"ben"), Field("action")),
        (change(7, b"ben"), Field("action")),
        (change(1, b""), Id("peer", IdError::Length(0))),
    ];
    for (packet, error) in cases {
        let frame = wire::ClientFrame {
            packet: Some(packet),
        };
        let decoded = ClientPacket::decode(frame.encode_to_vec().into());
        assert_eq!(decoded, Err(error), "{frame:?}");
    }
}

#[test]
fn a_server_s_wrong_field_is_named() {
    use PacketError::{Field, Id};
    let friends = wire::Friends::from(&full_list(3));
    let with = |change: &dyn Fn(&mut wire::Friends)| {
        let mut friends = friends.clone();
        change(&mut friends);
        FromServer::Friends(friends)
    };
    let peer = |availability| wire::PeerStatus {
        user: Bytes::from_static(b"ben"),
        status: Some(status(availability)),
        ..Default::default()
    };
    let presence = |peer| {
        FromServer::Presence(wire::Presence {
            peers: vec![peer],
            snapshot: false,
        })
    };
    let id = Bytes::from_static(&[1; 16]);
    let cases = [
        (
            FromServer::LoginOk(wire::LoginOk::default()),
            Id("user", IdError::Length(0)),
        ),
        (FromServer::Deliver(wire::Deliver::default()), Field("id")),
        (
            FromServer::Sent(wire::Sent {
                id: id.clone(),
                ..Default::default()
            }),
            Field("outcome"),
        ),
        (
            FromServer::Rejected(wire::Rejected {
                id: id.clone(),
                ..Default::default()
            }),
            Field("code"),
        ),
        (
            FromServer::Unknown(wire::Unknown { id, code: 999 }),
            Field("code"),
        ),
        (FromServer::Receipt(wire::Receipt::default()), Field("kind")),
        (
            FromServer::TransientFrom(wire::TransientFrom::default()),
            Id("from", IdError::Length(0)),
        ),
        (
            presence(wire::PeerStatus::default()),
            Id("user", IdError::Length(0)),
        ),
        (presence(peer(4)), Field("availability")),
        (with(&|friends| friends.hash.truncate(15)), Field("hash")),
        (
            with(&|friends| friends.hash = Bytes::from_static(&[1; 16])),
            Field("hash"),
        ),
        (
            with(&|friends| friends.entries[1] = friends.entries[0].clone()),
            Field("entries"),
        ),
        (
            with(&|friends| friends.entries[1].relation = 4),
            Field("relation"),
        ),
        (
            with(&|friends| friends.entries[1] = says_nothing()),
            Field("relation"),
        ),
        (
            with(&|friends| friends.entries = vec![friends.entries[0].clone(); FRIENDS_MAX + 1]),
            Field("entries"),
        ),
        (
            FromServer::FriendsChanged(wire::FriendsChanged::default()),
            Field("hash"),
        ),
        (
            FromServer::FriendsStale(wire::FriendsStale::default()),
            Field("hash"),
        ),
        (
            FromServer::FriendResult(wire::FriendResult {
                request: 1,
                code: 1,
            }),
            Field("code"),
        ),
        (FromServer::Closing(wire::Closing::default()), Field("code")),
    ];
    for (packet, error) in cases {
        let frame = wire::ServerFrame {
            packet: Some(packet),
        };
        let decoded = ServerPacket::decode(frame.encode_to_vec().into());
        assert_eq!(decoded, Err(error), "{frame:?}");
    }
}

#[test]
fn a_refusal_of_bytes_is_a_code() {
    let error = ClientPacket::decode(Bytes::from_static(b"GET / HTTP/1.1")).unwrap_err();
    assert_eq!(error.code(), Code::Malformed);
}

#[test]
fn a_body_is_a_slice_of_what_was_received() {
    let mut frame = BytesMut::new();
    ClientPacket::Send(largest_send()).encode(&mut frame);
    let content = frame.split_off(HEADER_BYTES).freeze();
    let Ok(ClientPacket::Send(send)) = ClientPacket::decode(content.clone()) else {
        panic!("another packet");
    };
    assert!(content.as_ptr_range().contains(&send.body.as_ptr()));
}

fn says_nothing() -> wire::FriendEntry {
    wire::FriendEntry {
        user: Bytes::from_static(b"ben"),
        ..Default::default()
    }
}

fn largest_send() -> Send {
    Send {
        id: MessageId::from_bytes([0xff; 16]),
        to: longest_user(0),
        body: Bytes::from(vec![7; BODY_BYTES_MAX]),
        friends_hash: Some(ListHash([1; 16])),
        again: true,
    }
}

fn full_list(count: usize) -> FriendList {
    let entries = (0..count).map(|number| FriendEntry {
        user: longest_user(number),
        relation: Relation::Friend,
        blocked: true,
    });
    FriendList::new(ListVersion(u64::MAX), entries.collect()).unwrap()
}

fn longest_user(number: usize) -> UserId {
    UserId::new(format!("{number:0>ID_BYTES_MAX$}")).unwrap()
}

fn login(change: impl FnOnce(&mut wire::Login)) -> FromClient {
    let mut login = wire::Login {
        status: Some(status(1)),
        ..Default::default()
    };
    change(&mut login);
    FromClient::Login(login)
}

fn send(change: impl FnOnce(&mut wire::Send)) -> FromClient {
    let mut send = wire::Send {
        id: Bytes::from_static(&[1; 16]),
        to: Bytes::from_static(b"ben"),
        ..Default::default()
    };
    change(&mut send);
    FromClient::Send(send)
}

fn change(action: i32, peer: &'static [u8]) -> FromClient {
    FromClient::ChangeFriend(wire::ChangeFriend {
        request: 1,
        action,
        peer: Bytes::from_static(peer),
    })
}

fn status(availability: i32) -> wire::Status {
    wire::Status {
        availability,
        text: String::new(),
    }
}
