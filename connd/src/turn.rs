//! One turn of a gateway: what is gathered until its sockets are written.
//!
//! Owns the buffers, which the next turn uses again. Must not know what fills
//! them.

use std::collections::HashMap;

use bytes::BytesMut;
use connd_core::Effect;
use proto::ids::SessionId;

use crate::socket::Room;

/// What one turn works with, reused by the next.
#[derive(Debug, Default)]
pub struct Turn {
    /// What the core wants done.
    pub effects: Vec<Effect>,
    /// Frames to write, by session, in the order of the first.
    pub writes: Vec<(SessionId, BytesMut)>,
    /// The place of each session among them.
    pub at: HashMap<SessionId, usize, ahash::RandomState>,
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
}
