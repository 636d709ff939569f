//! The stream of a client connection: however it is cut, the same packets come
//! out of it.
//!
//! Must not know what a packet says.

use connd::frames::{Decoded, Frames};
use proto::frame::HEADER_BYTES;

/// The first byte says how many bytes follow that cut the rest: each is the
/// length of one read, over and over.
pub fn client_stream(bytes: &[u8]) {
    let Some((count, rest)) = bytes.split_first() else {
        return;
    };
    let count = usize::from(count % 8).min(rest.len());
    let (cuts, stream) = rest.split_at(count);
    let whole = taken([stream]);
    let mut left = stream;
    let mut lengths = cuts.iter().map(|cut| usize::from(*cut).max(1)).cycle();
    let pieces = std::iter::from_fn(|| {
        let length = lengths.next().unwrap_or(1).min(left.len());
        let (piece, after) = left.split_at(length);
        left = after;
        (length > 0).then_some(piece)
    });
    assert_eq!(taken(pieces), whole);
    assert!(whole.len() <= stream.len() / HEADER_BYTES + 1);
}

/// What came, up to the first that is no packet: with that the session ends.
fn taken<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Decoded> {
    let mut frames = Frames::default();
    let mut packets = Vec::new();
    for piece in pieces {
        frames.take(piece, &mut packets);
        if let Some(end) = packets.iter().position(Result::is_err) {
            packets.truncate(end + 1);
            return packets;
        }
    }
    packets
}
