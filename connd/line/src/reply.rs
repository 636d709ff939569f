//! Replies: a state, a length, and so many bytes.
//!
//! Must not know what they answer.

use std::fmt::Display;

use bytes::BytesMut;
use proto::codes::Code;

/// A command is done.
pub fn ok(body: &str, out: &mut BytesMut) {
    put("ok", body, out);
}

/// A command is not done, or the connection ends.
pub fn error(code: Code, text: impl Display, out: &mut BytesMut) {
    put("error", &format!("{} {text}", code.number()), out);
}

/// Something that no command asked for.
pub fn push(body: &str, out: &mut BytesMut) {
    put("push", body, out);
}

fn put(state: &str, body: &str, out: &mut BytesMut) {
    out.extend_from_slice(format!("{state}:{}\r\n", body.len()).as_bytes());
    out.extend_from_slice(body.as_bytes());
}
