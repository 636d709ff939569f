//! Golden vectors: what once was agreed on stays.
//!
//! A change that breaks one of these breaks every client or every store that is
//! out there. The slots, the ring and the friend-list hash were also computed
//! by an implementation that shares no code with this one.

#[path = "samples/packets.rs"]
mod samples;
#[path = "samples/variants.rs"]
mod variants;
#[path = "samples/vectors.rs"]
mod vectors;

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use proto::client::ClientPacket;
use proto::frame::HEADER_BYTES;
use proto::friends::FriendList;
use proto::ids::{Epoch, GroupId, ShardId, UserId};
use proto::ring::{Member, Ring};
use proto::server::ServerPacket;
use proto::slot::Slot;
use vectors::{CLIENT, CLIENT_VARIANTS, SERVER, SERVER_VARIANTS};

#[test]
fn packets_of_clients_stay() {
    assert_eq!(samples::client().len(), CLIENT.len());
    for ((name, packet), (golden_name, golden)) in samples::client().into_iter().zip(CLIENT) {
        assert_eq!(name, *golden_name);
        let mut frame = BytesMut::new();
        packet.encode(&mut frame);
        assert_eq!(hex(&frame), *golden, "{name}");
        let content = content_of(golden);
        assert_eq!(ClientPacket::decode(content), Ok(packet), "{name}");
    }
}

#[test]
fn packets_of_servers_stay() {
    assert_eq!(samples::server().len(), SERVER.len());
    for ((name, packet), (golden_name, golden)) in samples::server().into_iter().zip(SERVER) {
        assert_eq!(name, *golden_name);
        let mut frame = BytesMut::new();
        packet.encode(&mut frame);
        assert_eq!(hex(&frame), *golden, "{name}");
        let content = content_of(golden);
        assert_eq!(ServerPacket::decode(content), Ok(packet), "{name}");
    }
}

#[test]
fn what_is_said_of_groups_stays() {
    let client = variants::client();
    assert_eq!(client.len(), CLIENT_VARIANTS.len());
    for ((name, packet), golden) in client.into_iter().zip(CLIENT_VARIANTS) {
        let mut frame = BytesMut::new();
        packet.encode(&mut frame);
        assert_eq!(hex(&frame), *golden, "{name}");
        let content = content_of(golden);
        assert_eq!(ClientPacket::decode(content), Ok(packet), "{name}");
    }
    let server = variants::server();
    assert_eq!(server.len(), SERVER_VARIANTS.len());
    for ((name, packet), golden) in server.into_iter().zip(SERVER_VARIANTS) {
        let mut frame = BytesMut::new();
        packet.encode(&mut frame);
        assert_eq!(hex(&frame), *golden, "{name}");
        let content = content_of(golden);
        assert_eq!(ServerPacket::decode(content), Ok(packet), "{name}");
    }
}

#[test]
fn every_kind_of_packet_has_a_vector() {
    let descriptions = include_str!("../client.proto");
    for (message, golden) in [("ClientFrame", CLIENT), ("ServerFrame", SERVER)] {
        for kind in kinds(descriptions, message) {
            let is_kind = |(name, _): &(&str, &str)| name.split(' ').next() == Some(kind);
            assert!(golden.iter().any(is_kind), "{kind} has no vector");
        }
    }
}

#[test]
fn users_stay_in_their_slots() {
    let longest = "z".repeat(64);
    for (user, slot) in [
        ("a", 6163),
        ("0", 15406),
        ("alice", 5697),
        ("bob", 7466),
        ("carol@example.org", 14912),
        ("Z9._@-", 11340),
        (&longest, 13491),
    ] {
        let user = UserId::new(user).unwrap();
        assert_eq!(Slot::of(&user).index(), slot, "{user}");
    }
}

#[test]
fn a_group_has_the_slot_of_a_user_of_its_name() {
    for (name, slot) in [("alice", 5697), ("carol@example.org", 14912)] {
        let group = GroupId::new(name).unwrap();
        assert_eq!(Slot::of_group(&group).index(), slot, "{group}");
    }
}

#[test]
fn slots_stay_on_their_shards() {
    let member = |name, weight| Member {
        shard: ShardId::new(name).unwrap(),
        weight,
    };
    let members = vec![
        member("msgd-1", 1),
        member("msgd-2", 2),
        member("msgd-3", 1),
    ];
    let ring = Ring::build(Epoch(1), members).unwrap();
    // One byte per slot: the shard's place in the order of names.
    let table: Vec<u8> = Slot::all()
        .map(|slot| ring.owner_index(slot) as u8)
        .collect();
    let first = [1, 2, 1, 1, 0, 2, 1, 1, 2, 0, 2, 1, 1, 0, 2, 1];
    assert_eq!(table[..16], first);
    let count = |index| table.iter().filter(|owner| **owner == index).count();
    assert_eq!([count(0), count(1), count(2)], [3985, 8089, 4310]);
    assert_eq!(
        hex(&Md5::digest(&table)),
        "904da9ad39b4b433a1ef1eb9b652b720"
    );
}

#[test]
fn friend_lists_keep_their_hashes() {
    assert_eq!(
        FriendList::empty().hash().to_string(),
        "d41d8cd98f00b204e9800998ecf8427e"
    );
    assert_eq!(
        samples::list().hash().to_string(),
        "35c739f64007f49640c7743544110136"
    );
}

/// The types in the `oneof packet` of a message, as `client.proto` has them.
fn kinds<'a>(descriptions: &'a str, message: &str) -> Vec<&'a str> {
    let start = descriptions.find(&format!("message {message} {{")).unwrap();
    let lines = descriptions[start..].lines().skip(2);
    let kinds: Vec<&str> = lines
        .take_while(|line| line.contains('='))
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(!kinds.is_empty());
    kinds
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The content of a frame in hex, whose length is checked.
fn content_of(hex: &str) -> Bytes {
    let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
    let frame: Vec<u8> = (0..hex.len()).step_by(2).map(byte).collect();
    let (length, content) = frame.split_at(HEADER_BYTES);
    assert_eq!(length, (content.len() as u32).to_be_bytes());
    Bytes::copy_from_slice(content)
}
