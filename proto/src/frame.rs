//! Frames of a client connection: four bytes of length, big endian, then that
//! many bytes of protobuf.
//!
//! Owns where a frame begins and ends. Must not know what stands in it.

use bytes::{BufMut, BytesMut};

/// The bytes of a frame's length.
pub const HEADER_BYTES: usize = 4;

/// What stands at the front of received bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Front {
    /// A whole frame: its content is `HEADER_BYTES..end`.
    Whole {
        /// Where the frame ends.
        end: usize,
    },
    /// A frame of `total` bytes with its header; 0 while the length itself is
    /// not whole.
    Partial {
        /// Its bytes in all.
        total: usize,
    },
}

/// A length above the limit. The client must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {length} bytes is above the limit of {limit}")]
pub struct TooLarge {
    /// The length that was announced.
    pub length: usize,
    /// The limit at this time.
    pub limit: usize,
}

/// Looks at the front of `bytes`. A length above `limit` is an error before
/// any byte of the frame is kept.
pub fn front(bytes: &[u8], limit: usize) -> Result<Front, TooLarge> {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
        return Ok(Front::Partial { total: 0 });
    };
    let length = u32::from_be_bytes(*header) as usize;
    if length > limit {
        return Err(TooLarge { length, limit });
    }
    let total = HEADER_BYTES + length;
    if bytes.len() < total {
        return Ok(Front::Partial { total });
    }
    Ok(Front::Whole { end: total })
}

/// Appends one frame with this content to `out`.
///
/// Contents are built by this crate from bounded values and stay below
/// [`crate::limits::SERVER_FRAME_BYTES_MAX`].
pub(crate) fn put(content: &impl prost::Message, out: &mut BytesMut) {
    let length = content.encoded_len();
    debug_assert!(length <= crate::limits::SERVER_FRAME_BYTES_MAX);
    out.reserve(HEADER_BYTES + length);
    out.put_u32(length as u32);
    // The room was reserved just now, so encoding cannot run out of it.
    let encoded = content.encode(out);
    debug_assert!(encoded.is_ok());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_found_whole_or_partial_or_too_large() {
        assert_eq!(front(&[0, 0, 0], 10), Ok(Front::Partial { total: 0 }));
        assert_eq!(front(&[0, 0, 0, 2, 7], 10), Ok(Front::Partial { total: 6 }));
        assert_eq!(
            front(&[0, 0, 0, 2, 7, 7, 9], 10),
            Ok(Front::Whole { end: 6 })
        );
        let get = u32::from_be_bytes(*b"GET ") as usize;
        assert_eq!(
            front(b"GET / HTTP/1.1", 10),
            Err(TooLarge {
                length: get,
                limit: 10
            })
        );
    }
}
