//! No bytes make a decoder panic, and whatever it takes comes back as it was.

#[path = "samples/envelopes.rs"]
mod envelopes;
#[path = "samples/packets.rs"]
mod packets;
#[path = "samples/variants.rs"]
mod variants;

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use prost::Message;
use proto::client::ClientPacket;
use proto::frame::{self, Front, HEADER_BYTES};
use proto::ids::Epoch;
use proto::limits::SERVER_FRAME_BYTES_MAX;
use proto::link::{Batch, Down, Up};
use proto::server::ServerPacket;
use proto::wire::link as wire;

/// A piece of bytes that differs from a good one.
#[derive(Debug, Clone)]
enum Damage {
    Replace(Index, u8),
    Insert(Index, Vec<u8>),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        4 => (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        2 => (any::<Index>(), vec(any::<u8>(), 1..8)).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        1 => any::<Index>().prop_map(Damage::Cut),
    ]
}

fn damaged(mut bytes: Vec<u8>, damages: Vec<Damage>) -> Bytes {
    for damage in damages {
        match damage {
            Damage::Replace(at, byte) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
            Damage::Replace(..) => {}
            Damage::Insert(at, more) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, more);
            }
            Damage::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
        }
    }
    bytes.into()
}

fn from_client(content: Bytes) {
    let Ok(packet) = ClientPacket::decode(content) else {
        return;
    };
    let mut frame = BytesMut::new();
    packet.encode(&mut frame);
    assert_eq!(ClientPacket::decode(content_of(frame)), Ok(packet));
}

fn from_server(content: Bytes) {
    let Ok(packet) = ServerPacket::decode(content) else {
        return;
    };
    let mut frame = BytesMut::new();
    packet.encode(&mut frame);
    assert_eq!(ServerPacket::decode(content_of(frame)), Ok(packet));
}

fn from_gateway(bytes: Bytes) {
    let Ok(batch) = wire::UpBatch::decode(bytes) else {
        return;
    };
    let Ok(batch) = Batch::<Up>::try_from(batch) else {
        return;
    };
    let again = wire::UpBatch::from(batch.clone());
    assert_eq!(Batch::<Up>::try_from(again), Ok(batch));
}

fn from_shard(bytes: Bytes) {
    let Ok(batch) = wire::DownBatch::decode(bytes) else {
        return;
    };
    let Ok(batch) = Batch::<Down>::try_from(batch) else {
        return;
    };
    let again = wire::DownBatch::from(batch.clone());
    assert_eq!(Batch::<Down>::try_from(again), Ok(batch));
}

fn content_of(mut frame: BytesMut) -> Bytes {
    frame.split_off(HEADER_BYTES).freeze()
}

fn good_client(at: Index) -> Vec<u8> {
    let named = packets::client().into_iter().map(|(_, packet)| packet);
    let variants = variants::client().into_iter().map(|(_, packet)| packet);
    let mut all: Vec<_> = named.chain(variants).collect();
    let packet = all.swap_remove(at.index(all.len()));
    let mut frame = BytesMut::new();
    packet.encode(&mut frame);
    content_of(frame).to_vec()
}

fn good_server(at: Index) -> Vec<u8> {
    let named = packets::server().into_iter().map(|(_, packet)| packet);
    let variants = variants::server().into_iter().map(|(_, packet)| packet);
    let mut all: Vec<_> = named.chain(variants).collect();
    let packet = all.swap_remove(at.index(all.len()));
    let mut frame = BytesMut::new();
    packet.encode(&mut frame);
    content_of(frame).to_vec()
}

fn good_up(at: Index) -> Vec<u8> {
    let mut all = envelopes::up();
    let envelope = all.swap_remove(at.index(all.len()));
    let batch = Batch {
        epoch: Epoch(1),
        envelopes: vec![envelope],
    };
    wire::UpBatch::from(batch).encode_to_vec()
}

fn good_down(at: Index) -> Vec<u8> {
    let mut all = envelopes::down();
    let envelope = all.swap_remove(at.index(all.len()));
    let batch = Batch {
        epoch: Epoch(1),
        envelopes: vec![envelope],
    };
    wire::DownBatch::from(batch).encode_to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn arbitrary_bytes_are_harmless(bytes in vec(any::<u8>(), 0..512)) {
        let bytes = Bytes::from(bytes);
        from_client(bytes.clone());
        from_server(bytes.clone());
        from_gateway(bytes.clone());
        from_shard(bytes);
    }

    #[test]
    fn a_damaged_packet_is_harmless(at: Index, damages in vec(damage(), 1..4)) {
        from_client(damaged(good_client(at), damages.clone()));
        from_server(damaged(good_server(at), damages));
    }

    #[test]
    fn a_damaged_batch_is_harmless(at: Index, damages in vec(damage(), 1..4)) {
        from_gateway(damaged(good_up(at), damages.clone()));
        from_shard(damaged(good_down(at), damages));
    }

    #[test]
    fn a_front_lies_within_what_came(bytes in vec(any::<u8>(), 0..64), limit in 0..SERVER_FRAME_BYTES_MAX) {
        match frame::front(&bytes, limit) {
            Ok(Front::Whole { end }) => prop_assert!((HEADER_BYTES..=bytes.len()).contains(&end)),
            Ok(Front::Partial { total: 0 }) => prop_assert!(bytes.len() < HEADER_BYTES),
            Ok(Front::Partial { total }) => {
                prop_assert!(total > bytes.len());
                prop_assert!(total <= HEADER_BYTES + limit);
            }
            Err(too_large) => prop_assert!(too_large.length > limit),
        }
    }
}
