//! One turn of a gateway: what is to be written when it ends, and what of that
//! may wait for a later one.
//!
//! Owns the buffers, which the next turn uses again. Must not know what fills
//! them.

use std::collections::HashMap;

use bytes::BytesMut;
use connd_core::Effect;
use proto::ids::SessionId;

use crate::socket::Room;
use crate::spread::Spread;

/// A buffer that grew beyond this is given back to the allocator.
const BUFFER_KEEP_BYTES: usize = 64 * 1024;

/// Buffers kept for the next turn.
const BUFFERS_KEEP: usize = 256;

/// So much for one client is not gathered any longer, but written.
pub const GATHER_BYTES_MAX: usize = 16 * 1024;

/// Sessions whose gathered frames are written before others have their turn.
const GATHERED_AT_ONCE: usize = 256;

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
    /// Frames that many share.
    pub spread: Spread,
    /// A frame that many share, while it is encoded.
    pub frame: BytesMut,
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

    /// Where to add what is written to a session before long: with what is
    /// written in this turn if there is any, so that the order stays.
    pub fn gather(&mut self, session: SessionId) -> &mut BytesMut {
        let waiting = self.gathered.get(&session).map_or(0, BytesMut::len);
        if self.at.contains_key(&session) || waiting > GATHER_BYTES_MAX {
            return self.buffer(session);
        }
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

    /// What was gathered for some of the sessions is written now; whether there
    /// are more.
    pub fn write_gathered(&mut self) -> bool {
        let some = self.gathered.keys().copied().take(GATHERED_AT_ONCE);
        for session in some.collect::<Vec<_>>() {
            self.buffer(session);
        }
        self.gathered.len() > self.writes.len()
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
        turn.at.clear();
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
        assert!(!turn.write_gathered());
        assert_eq!(written(&mut turn), [(8, b"news ".to_vec())]);
        assert!(!turn.write_gathered());
        assert_eq!(written(&mut turn), []);
    }

    #[test]
    fn what_comes_after_a_write_of_the_turn_leaves_after_it() {
        let mut turn = Turn::default();
        turn.gather(SessionId(7)).extend_from_slice(b"old ");
        turn.buffer(SessionId(7)).extend_from_slice(b"greeting ");
        turn.gather(SessionId(7)).extend_from_slice(b"news");
        let all = [(7, b"old greeting news".to_vec())];
        assert_eq!(written(&mut turn), all);
    }

    #[test]
    fn what_was_gathered_for_many_is_written_in_parts() {
        let mut turn = Turn::default();
        let sessions = 3 * GATHERED_AT_ONCE as u64;
        for session in 1..=sessions {
            turn.gather(SessionId(session)).extend_from_slice(b"news");
        }
        for part in 1..=3 {
            assert_eq!(turn.write_gathered(), part < 3);
            assert_eq!(written(&mut turn).len(), GATHERED_AT_ONCE);
        }
    }
}
