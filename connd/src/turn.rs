//! One turn of a gateway: what is gathered until its sockets are written.
//!
//! Owns the buffers, which the next turn uses again. Must not know what fills
//! them.

use std::collections::HashMap;

use bytes::BytesMut;
use connd_core::Effect;
use proto::ids::SessionId;

use crate::socket::Room;

/// A buffer that grew beyond this is given back to the allocator.
const BUFFER_KEEP_BYTES: usize = 64 * 1024;

/// Buffers kept for the next turn.
const BUFFERS_KEEP: usize = 256;

/// What one turn works with, reused by the next.
#[derive(Debug, Default)]
pub struct Turn {
    /// What the core wants done.
    pub effects: Vec<Effect>,
    /// Frames to write, by session, in the order of the first.
    pub writes: Vec<(SessionId, BytesMut)>,
    /// The place of each session among them.
    pub at: HashMap<SessionId, usize, ahash::RandomState>,
    /// Frames to write to a session before long; none is empty.
    pub gathered: HashMap<SessionId, BytesMut, ahash::RandomState>,
    /// To be closed when all is written.
    pub closes: Vec<SessionId>,
    /// What is sealed before it is written.
    pub room: Room,
    /// Empty, for the next.
    pub buffers: Vec<BytesMut>,
}

impl Turn {
    /// What is written to a session at the end of the turn.
    pub fn buffer(&mut self, session: SessionId) -> &mut BytesMut {
        let (writes, buffers) = (&mut self.writes, &mut self.buffers);
        let at = *self.at.entry(session).or_insert_with(|| {
            writes.push((session, buffers.pop().unwrap_or_default()));
            writes.len() - 1
        });
        &mut writes[at].1
    }

    /// What is written to a session before long.
    pub fn gather(&mut self, session: SessionId) -> &mut BytesMut {
        let buffers = &mut self.buffers;
        let gathered = self.gathered.entry(session);
        gathered.or_insert_with(|| buffers.pop().unwrap_or_default())
    }

    /// What was gathered for a session is written now, before what is written
    /// otherwise.
    pub fn join(&mut self, session: SessionId, buffer: &mut BytesMut) {
        if self.gathered.is_empty() {
            return;
        }
        if let Some(mut gathered) = self.gathered.remove(&session) {
            gathered.extend_from_slice(buffer);
            self.keep(std::mem::replace(buffer, gathered));
        }
    }

    /// All that was gathered is written now.
    pub fn write_gathered(&mut self) {
        let Self {
            gathered, writes, ..
        } = self;
        writes.extend(gathered.drain());
    }

    /// Keeps a buffer for the next turn.
    pub fn keep(&mut self, mut buffer: BytesMut) {
        if self.buffers.len() < BUFFERS_KEEP && buffer.capacity() <= BUFFER_KEEP_BYTES {
            buffer.clear();
            self.buffers.push(buffer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(turn: &mut Turn) -> Vec<(u64, Vec<u8>)> {
        let writes = std::mem::take(&mut turn.writes);
        let mut written = Vec::new();
        for (session, mut buffer) in writes {
            turn.join(session, &mut buffer);
            written.push((session.0, buffer.to_vec()));
            turn.keep(buffer);
        }
        written.sort();
        written
    }

    #[test]
    fn what_was_gathered_leaves_once_and_before_what_came_later() {
        let mut turn = Turn::default();
        for session in [7, 8, 7] {
            turn.gather(SessionId(session)).extend_from_slice(b"news ");
        }
        turn.buffer(SessionId(7)).extend_from_slice(b"message");
        turn.buffer(SessionId(9)).extend_from_slice(b"other");
        let first = [(7, b"news news message".to_vec()), (9, b"other".to_vec())];
        assert_eq!(written(&mut turn), first);
        turn.write_gathered();
        assert_eq!(written(&mut turn), [(8, b"news ".to_vec())]);
        turn.write_gathered();
        assert_eq!(written(&mut turn), []);
    }
}
