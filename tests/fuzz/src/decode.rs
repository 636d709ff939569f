//! Decoders: what they take comes back as it was, and nothing makes them
//! panic.
//!
//! Owns the targets of single packets, batches and graph messages. Must not
//! know what a packet does.

use bytes::{Bytes, BytesMut};
use prost::Message;
use proto::client::ClientPacket;
use proto::frame::HEADER_BYTES;
use proto::graph::{GraphAnswer, GraphRequest};
use proto::limits::{BATCH_ENVELOPES_MAX, CLIENT_FRAME_BYTES_MAX, SERVER_FRAME_BYTES_MAX};
use proto::link::{Batch, Down, Up};
use proto::server::ServerPacket;
use proto::wire::link::{DownBatch, UpBatch};
use service::graph::{self, get_to_wire};
use service::wire;

/// The content of a frame from a client, as connd takes it.
pub fn client_packet(bytes: &[u8]) {
    let within = &bytes[..bytes.len().min(CLIENT_FRAME_BYTES_MAX)];
    let Ok(packet) = ClientPacket::decode(Bytes::copy_from_slice(within)) else {
        return;
    };
    let mut frame = BytesMut::new();
    packet.encode(&mut frame);
    let again = frame.split_off(HEADER_BYTES).freeze();
    assert_eq!(ClientPacket::decode(again), Ok(packet));
}

/// The content of a frame to a client, as the SDK takes it.
pub fn server_packet(bytes: &[u8]) {
    let within = &bytes[..bytes.len().min(SERVER_FRAME_BYTES_MAX)];
    let Ok(packet) = ServerPacket::decode(Bytes::copy_from_slice(within)) else {
        return;
    };
    let mut frame = BytesMut::new();
    packet.encode(&mut frame);
    let again = frame.split_off(HEADER_BYTES).freeze();
    assert_eq!(ServerPacket::decode(again), Ok(packet));
}

/// A batch from a gateway, as a shard takes it.
pub fn up_batch(bytes: &[u8]) {
    let Ok(batch) = UpBatch::decode(bytes) else {
        return;
    };
    let Ok(batch) = Batch::<Up>::try_from(batch) else {
        return;
    };
    assert!(batch.envelopes.len() <= BATCH_ENVELOPES_MAX);
    let again = UpBatch::from(batch.clone()).encode_to_vec();
    let again = UpBatch::decode(&again[..]).map(Batch::<Up>::try_from);
    assert_eq!(again, Ok(Ok(batch)));
}

/// A batch from a shard, as a gateway takes it.
pub fn down_batch(bytes: &[u8]) {
    let Ok(batch) = DownBatch::decode(bytes) else {
        return;
    };
    let Ok(batch) = Batch::<Down>::try_from(batch) else {
        return;
    };
    assert!(batch.envelopes.len() <= BATCH_ENVELOPES_MAX);
    let again = DownBatch::from(batch.clone()).encode_to_vec();
    let again = DownBatch::decode(&again[..]).map(Batch::<Down>::try_from);
    assert_eq!(again, Ok(Ok(batch)));
}

/// A question to friendd or its answer: the first byte says which.
pub fn graph_message(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else {
        return;
    };
    match which % 3 {
        0 => graph_get(bytes),
        1 => graph_change(bytes),
        _ => graph_answer(bytes),
    }
}

fn graph_get(bytes: &[u8]) {
    let Ok(get) = wire::GetRequest::decode(bytes) else {
        return;
    };
    let Ok(asked) = graph::questions(get) else {
        return;
    };
    assert!((1..=graph::QUESTIONS_MAX).contains(&asked.len()));
    for request in asked {
        let GraphRequest::Get { user, if_hash } = &request else {
            panic!("{request:?} of a get");
        };
        let again = get_to_wire(user, *if_hash);
        assert_eq!(GraphRequest::try_from(again), Ok(request));
    }
}

fn graph_change(bytes: &[u8]) {
    let Ok(change) = wire::ChangeRequest::decode(bytes) else {
        return;
    };
    let Ok(request) = GraphRequest::try_from(change) else {
        return;
    };
    let GraphRequest::Change(change) = &request else {
        panic!("{request:?} of a change");
    };
    let again = wire::ChangeRequest::from(change);
    assert_eq!(GraphRequest::try_from(again), Ok(request));
}

fn graph_answer(bytes: &[u8]) {
    let Ok(answer) = wire::GraphAnswer::decode(bytes) else {
        return;
    };
    let Ok(answer) = GraphAnswer::try_from(answer) else {
        return;
    };
    let again = wire::GraphAnswer::from(&answer);
    assert_eq!(GraphAnswer::try_from(again), Ok(answer));
}
