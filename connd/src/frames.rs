//! From received bytes to packets: the native door's codec.
//!
//! Bytes are copied once, out of the thread's scratch into one allocation per
//! read that all bodies of that read share. A session keeps bytes only while a
//! frame is partial. Must not know what a packet means.

use bytes::{Bytes, BytesMut};
use proto::client::ClientPacket;
use proto::codes::Code;
use proto::frame::{Front, HEADER_BYTES, TooLarge, front};
use proto::limits::{CLIENT_FRAME_BYTES_MAX, LOGIN_FRAME_BYTES_MAX};

/// The frames of one connection.
///
/// There are many, and most of them wait between two frames: these hold
/// nothing.
#[derive(Debug)]
pub struct Frames(Option<Box<Cut>>);

/// Where the frames of a connection were cut by a read.
#[derive(Debug, Default)]
struct Cut {
    partial: BytesMut,
    /// The first frame was whole: the larger limit holds.
    begun: bool,
}

/// A packet, or why there is none.
pub type Decoded = Result<ClientPacket, Code>;

impl Default for Frames {
    /// Nothing came.
    fn default() -> Self {
        Self(Some(Box::default()))
    }
}

impl Frames {
    /// Takes received bytes and gives the packets that are whole, up to the
    /// first that is none: with that the session ends.
    pub fn take(&mut self, bytes: &[u8], packets: &mut Vec<Decoded>) {
        let mut cut = self.0.take().map_or_else(Cut::between, |cut| *cut);
        cut.take(bytes, packets);
        if !cut.is_between() {
            self.0 = Some(Box::new(cut));
        }
    }
}

impl Cut {
    fn between() -> Self {
        Self {
            partial: BytesMut::new(),
            begun: true,
        }
    }

    fn is_between(&self) -> bool {
        self.begun && self.partial.is_empty()
    }

    fn take(&mut self, bytes: &[u8], packets: &mut Vec<Decoded>) {
        let result = if self.partial.is_empty() {
            self.take_fresh(bytes, packets)
        } else {
            self.partial.extend_from_slice(bytes);
            self.take_partial(packets)
        };
        if result.is_err() {
            self.partial = BytesMut::new();
            packets.push(Err(Code::FrameTooLarge));
        }
    }

    fn limit(&self) -> usize {
        if self.begun {
            CLIENT_FRAME_BYTES_MAX
        } else {
            LOGIN_FRAME_BYTES_MAX
        }
    }

    /// Mostly a read holds whole frames and nothing was left before it.
    fn take_fresh(&mut self, bytes: &[u8], packets: &mut Vec<Decoded>) -> Result<(), TooLarge> {
        let mut end = 0;
        let mut wanted = 0;
        let mut too_large = None;
        let mut limit = self.limit();
        loop {
            match front(&bytes[end..], limit) {
                Ok(Front::Whole { end: length }) => end += length,
                Ok(Front::Partial { total }) => {
                    wanted = total;
                    break;
                }
                Err(error) => {
                    too_large = Some(error);
                    break;
                }
            }
            limit = CLIENT_FRAME_BYTES_MAX;
        }
        if end > 0 {
            self.begun = true;
            decode_all(Bytes::copy_from_slice(&bytes[..end]), packets);
        }
        if let Some(error) = too_large {
            return Err(error);
        }
        let rest = &bytes[end..];
        if !rest.is_empty() {
            self.partial.reserve(wanted.max(rest.len()));
            self.partial.extend_from_slice(rest);
        }
        Ok(())
    }

    fn take_partial(&mut self, packets: &mut Vec<Decoded>) -> Result<(), TooLarge> {
        loop {
            match front(&self.partial, self.limit())? {
                Front::Whole { end } => {
                    self.begun = true;
                    decode_all(self.partial.split_to(end).freeze(), packets);
                }
                Front::Partial { total } => {
                    if self.partial.is_empty() {
                        self.partial = BytesMut::new();
                    } else {
                        let missing = total.saturating_sub(self.partial.len());
                        self.partial.reserve(missing);
                    }
                    return Ok(());
                }
            }
        }
    }
}

fn decode_all(mut bytes: Bytes, packets: &mut Vec<Decoded>) {
    // Only whole frames are passed here.
    while let Ok(Front::Whole { end }) = front(&bytes, usize::MAX - HEADER_BYTES) {
        let frame = bytes.split_to(end);
        let packet = ClientPacket::decode(frame.slice(HEADER_BYTES..));
        let ended = packet.is_err();
        packets.push(packet.map_err(|error| error.code()));
        if ended {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(count: u64) -> BytesMut {
        let mut bytes = BytesMut::new();
        for seq in 1..=count {
            ClientPacket::Ack { seq }.encode(&mut bytes);
        }
        bytes
    }

    fn taken(chunks: impl Iterator<Item = Vec<u8>>) -> Vec<Decoded> {
        let mut frames = Frames::default();
        let mut packets = Vec::new();
        for chunk in chunks {
            frames.take(&chunk, &mut packets);
        }
        assert!(frames.0.is_none_or(|cut| cut.partial.is_empty()));
        packets
    }

    #[test]
    fn frames_are_found_however_they_are_cut() {
        let bytes = frames(300);
        for size in [1, 2, 3, 7, 100, bytes.len()] {
            let packets = taken(bytes.chunks(size).map(<[u8]>::to_vec));
            let expected = (1..=300).map(|seq| Ok(ClientPacket::Ack { seq }));
            assert!(packets.into_iter().eq(expected), "chunks of {size}");
        }
    }

    #[test]
    fn what_is_no_frame_is_refused_at_once() {
        let packets = taken([b"GET / HTTP/1.1\r\n\r\n".to_vec()].into_iter());
        assert_eq!(packets, [Err(Code::FrameTooLarge)]);
        let packets = taken([vec![0, 0, 0, 2, 0xff, 0xff]].into_iter());
        assert_eq!(packets, [Err(Code::Malformed)]);
    }
}
