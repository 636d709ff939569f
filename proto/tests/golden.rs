//! Golden vectors: what once was agreed on stays.
//!
//! A change that breaks one of these breaks every client or every store that is
//! out there. The slots, the ring and the friend-list hash were also computed
//! by an implementation that shares no code with this one.

#[path = "samples/packets.rs"]
mod samples;

use bytes::{Bytes, BytesMut};
use md5::{Digest, Md5};
use proto::client::ClientPacket;
use proto::frame::HEADER_BYTES;
use proto::friends::FriendList;
use proto::ids::{Epoch, ShardId, UserId};
use proto::ring::{Member, Ring};
use proto::server::ServerPacket;
use proto::slot::Slot;

const CLIENT: &[(&str, &str)] = &[
    (
        "Login",
        "0000002e0a2c080110012a05616c696365320570686f6e653a1035c739f64007\
         f49640c774354411013640e0d4034a020801",
    ),
    (
        "Login with a token",
        "000000110a0f080110012205612e622e634a020801",
    ),
    (
        "Send",
        "0000003b12390a1001a1ee565e7b75a5a5a5a5a5a5a5a5a51203626f621a0e73\
         656520796f7520617420736978221035c739f64007f49640c7743544110136",
    ),
    (
        "Send again",
        "0000003d123b0a1001a1ee565e7b75a5a5a5a5a5a5a5a5a51203626f621a0e73\
         656520796f7520617420736978221035c739f64007f49640c77435441101362801",
    ),
    ("Ack", "000000051a0308ac02"),
    ("Ping", "000000022200"),
    ("Transient", "000000092a070a03626f621001"),
    ("Read", "00000010320e0a03626f6210c0fa888bb0919803"),
    ("SetStatus", "000000103a0e0a0c080212086174206c756e6368"),
    ("GetFriends", "000000024200"),
    ("ChangeFriend", "0000000b4a09080110011a03626f62"),
    ("RefreshToken", "0000000952070a05612e622e63"),
    ("Logout", "000000025a00"),
    ("GetDevices", "000000026200"),
    ("EndDevice", "0000000c6a0a080212067461626c6574"),
];

const SERVER: &[(&str, &str)] = &[
    (
        "LoginOk",
        "0000002c0a2a08011a05616c696365220570686f6e65284d3080013880802040\
         e0d4034880800150c0fa888bb0919803",
    ),
    (
        "Deliver",
        "0000003612340801121001a1ee565e7b75a5a5a5a5a5a5a5a5a51a05616c6963\
         6520c0fa888bb09198032a0e73656520796f7520617420736978",
    ),
    (
        "Sent delivered",
        "000000241a220a1001a1ee565e7b75a5a5a5a5a5a5a5a5a510c0fa888bb09198\
         031a0570686f6e65",
    ),
    (
        "Sent stored",
        "0000001f1a1d0a1001a1ee565e7b75a5a5a5a5a5a5a5a5a510c0fa888bb09198\
         032200",
    ),
    ("Pong", "000000022200"),
    (
        "Rejected",
        "0000002b2a290a1001a1ee565e7b75a5a5a5a5a5a5a5a5a510651a13796f7520\
         617265206e6f7420667269656e6473",
    ),
    (
        "Unknown",
        "0000001732150a1001a1ee565e7b75a5a5a5a5a5a5a5a5a510c901",
    ),
    ("Receipt", "000000123a100a03626f62100218c0fa888bb0919803"),
    ("TransientFrom", "0000000942070a03626f621001"),
    (
        "Presence",
        "000000384a360a180a03626f62120d08031209696e20612063616c6c18032002\
         0a180a056361726f6c120208051804200928c0fa888bb09198031001",
    ),
    (
        "Friends",
        "0000003d523b0805121035c739f64007f49640c77435441101361a070a03626f\
         6210031a090a056361726f6c10011a080a046461766510021a070a0365766518\
         01",
    ),
    (
        "FriendsChanged",
        "000000165a140805121035c739f64007f49640c7743544110136",
    ),
    (
        "FriendsStale",
        "0000001662140805121035c739f64007f49640c7743544110136",
    ),
    ("FriendResult", "000000046a020801"),
    ("FriendResult refused", "000000066a0408011079"),
    (
        "Closing",
        "00000021721f08ae02121a6e6f7468696e67207761732068656172642066726f\
         6d20796f75",
    ),
    ("Goaway", "000000087a0608f40310b817"),
    (
        "Carbon sent",
        "0000004182013e0a067461626c657412340a1d0a1001a1ee565e7b75a5a5a5a5\
         a5a5a5a5a510c0fa888bb091980322001203626f621a0e73656520796f752061\
         7420736978",
    ),
    (
        "Carbon read",
        "0000001b8201180a067461626c65741a0e0a03626f6210c0fa888bb0919803",
    ),
    (
        "Carbon transient",
        "000000148201110a067461626c657422070a03626f621001",
    ),
    (
        "Devices",
        "0000002a8a01270a120a0570686f6e6510c0fa888bb091980318010a110a0674\
         61626c657410c0fa888bb0919803",
    ),
    ("DeviceResult", "000000079201040802107c"),
];

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
