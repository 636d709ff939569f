//! Fields of a packet, written by hand.
//!
//! The generated encoder would copy each id into an allocation of its own.
//! Tests hold what is written here to the bytes that it gives.

use bytes::{BufMut, BytesMut};
use prost::encoding::{encode_varint, encoded_len_varint};

use crate::frame;

/// Writes a number with a tag below 16; nothing when 0.
pub(super) fn put_number_field(tag: u32, number: u64, out: &mut BytesMut) {
    if number != 0 {
        out.put_u8((tag << 3) as u8);
        encode_varint(number, out);
    }
}

/// The length of a number with a tag below 16; nothing when 0.
pub(super) fn number_field_len(number: u64) -> usize {
    if number == 0 {
        return 0;
    }
    1 + encoded_len_varint(number)
}

/// Begins a frame with the packet of this tag, below 16, of `inner` bytes.
pub(super) fn put_packet_header(tag: u32, inner: usize, out: &mut BytesMut) {
    let length = 1 + encoded_len_varint(inner as u64) + inner;
    out.reserve(frame::HEADER_BYTES + length);
    out.put_u32(length as u32);
    out.put_u8((tag << 3 | 2) as u8);
    encode_varint(inner as u64, out);
}

/// The length of a `bytes` field with a tag below 16; nothing when empty.
pub(super) fn bytes_field_len(bytes: &[u8]) -> usize {
    if bytes.is_empty() {
        return 0;
    }
    1 + encoded_len_varint(bytes.len() as u64) + bytes.len()
}

/// Writes a `bytes` field with a tag below 16; nothing when empty.
pub(super) fn put_bytes_field(tag: u32, bytes: &[u8], out: &mut BytesMut) {
    if bytes.is_empty() {
        return;
    }
    out.put_u8((tag << 3 | 2) as u8);
    encode_varint(bytes.len() as u64, out);
    out.put_slice(bytes);
}
