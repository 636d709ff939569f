//! Writes one input of every kind for each decoder: where fuzzing starts.
//!
//! Takes the folder to write to; a folder for each target is made in it.

#[path = "../../../proto/tests/samples/envelopes.rs"]
mod envelopes;
#[path = "../../../proto/tests/samples/packets.rs"]
mod packets;

use std::path::Path;
use std::sync::Arc;
use std::{env, fs, io};

use bytes::BytesMut;
use prost::Message;
use proto::client::ClientPacket;
use proto::codes::Code;
use proto::frame::HEADER_BYTES;
use proto::friends::{FriendAction, ListVersion};
use proto::graph::{Change, GraphAnswer};
use proto::ids::{Epoch, UserId};
use proto::limits::LOGIN_FRAME_BYTES_MAX;
use proto::link::Batch;
use proto::wire::link::{DownBatch, UpBatch};
use service::graph::get_to_wire;
use service::wire;

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).unwrap_or_else(|| "data/fuzz".to_owned());
    let folder = Path::new(&folder);
    write(folder, "client_packet", client())?;
    write(folder, "client_stream", streams())?;
    write(folder, "server_packet", server())?;
    write(folder, "up_batch", ups())?;
    write(folder, "down_batch", downs())?;
    write(folder, "graph_message", graph())?;
    write(folder, "token", tokens())
}

fn write(folder: &Path, target: &str, inputs: Vec<Vec<u8>>) -> io::Result<()> {
    let folder = folder.join(target);
    fs::create_dir_all(&folder)?;
    for (at, input) in inputs.into_iter().enumerate() {
        fs::write(folder.join(format!("seed-{at:02}")), input)?;
    }
    Ok(())
}

fn frame(packet: &ClientPacket) -> Vec<u8> {
    let mut frame = BytesMut::new();
    packet.encode(&mut frame);
    frame.to_vec()
}

fn client() -> Vec<Vec<u8>> {
    let packets = packets::client().into_iter();
    let content = packets.map(|(_, packet)| frame(&packet)[HEADER_BYTES..].to_vec());
    content.collect()
}

/// All packets behind each other, cut in several ways; and a frame that is
/// larger than one before the log-in may be.
fn streams() -> Vec<Vec<u8>> {
    let packets = packets::client().into_iter();
    let all: Vec<u8> = packets.flat_map(|(_, packet)| frame(&packet)).collect();
    let cuts: [&[u8]; 4] = [&[0], &[1, 1], &[2, 3, 200], &[3, 4, 5, 60]];
    let mut streams: Vec<Vec<u8>> = cuts.iter().map(|cuts| [cuts, &all[..]].concat()).collect();
    let ping = frame(&ClientPacket::Ping);
    let token = "a".repeat(LOGIN_FRAME_BYTES_MAX);
    let large = frame(&ClientPacket::RefreshToken { token });
    streams.push([&[2, 3, 250], &ping[..], &large[..], &ping[..]].concat());
    streams
}

fn server() -> Vec<Vec<u8>> {
    let packets = packets::server().into_iter();
    let content = packets.map(|(_, packet)| {
        let mut frame = BytesMut::new();
        packet.encode(&mut frame);
        frame[HEADER_BYTES..].to_vec()
    });
    content.collect()
}

fn batch<E>(envelope: E) -> Batch<E> {
    Batch {
        epoch: Epoch(1),
        envelopes: vec![envelope],
    }
}

fn ups() -> Vec<Vec<u8>> {
    let envelopes = envelopes::up().into_iter();
    let batches = envelopes.map(|envelope| UpBatch::from(batch(envelope)).encode_to_vec());
    batches.collect()
}

fn downs() -> Vec<Vec<u8>> {
    let envelopes = envelopes::down().into_iter();
    let batches = envelopes.map(|envelope| DownBatch::from(batch(envelope)).encode_to_vec());
    batches.collect()
}

fn graph() -> Vec<Vec<u8>> {
    let id = |name: &str| UserId::new(name).expect("an id");
    let list = Arc::new(packets::list());
    let change = Change {
        actor: id("ann"),
        peer: id("ben"),
        action: FriendAction::Request,
        actor_version: ListVersion(3),
        peer_version: ListVersion(4),
    };
    let version = ListVersion(7);
    let (actor, peer) = (list.clone(), list.clone());
    let changed = GraphAnswer::Changed { actor, peer };
    let (actor, peer) = (list.clone(), list.clone());
    let conflict = GraphAnswer::Conflict { actor, peer };
    let code = Code::ListFull;
    let answers = [
        GraphAnswer::NotModified { version },
        changed,
        conflict,
        GraphAnswer::Refused { code },
        GraphAnswer::Unavailable,
        GraphAnswer::List(list.clone()),
    ];
    let hashes = [None, Some(list.hash())];
    let questions = hashes.map(|hash| get_to_wire(&id("ann"), hash)).into();
    let kind = |kind: u8, bytes: Vec<u8>| [vec![kind], bytes].concat();
    let mut all = vec![
        kind(0, wire::GetRequest { questions }.encode_to_vec()),
        kind(1, wire::ChangeRequest::from(&change).encode_to_vec()),
    ];
    let answers = answers.iter();
    all.extend(answers.map(|answer| kind(2, wire::GraphAnswer::from(answer).encode_to_vec())));
    all
}

fn tokens() -> Vec<Vec<u8>> {
    let header = r#"{"alg":"HS256","typ":"JWT","kid":"s"}"#;
    let public = r#"{"alg":"EdDSA","kid":"p"}"#;
    let payload = r#"{"sub":"ann","exp":4102444800,"device":"phone"}"#;
    let old = r#"{"sub":"ann","exp":1}"#;
    let text = "\u{0}eyJhbGciOiJub25lIiwia2lkIjoicyJ9.eyJzdWIiOiJhbm4ifQ.";
    vec![
        text.into(),
        format!("\u{1}{header}\0{payload}").into(),
        format!("\u{4}{header}\0{payload}").into(),
        format!("\u{1}{header}\0{old}").into(),
        format!("\u{2}{public}\0{payload}").into(),
        format!("\u{2}{header}\0{payload}").into(),
    ]
}
