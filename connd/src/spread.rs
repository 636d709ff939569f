//! What is written to many clients alike.
//!
//! Owns the frames of one turn that many sessions share: encoded once, held
//! once, and written to each. Must not know what fills them.

use std::sync::Arc;

use bytes::BytesMut;
use proto::ids::SessionId;

/// Frames that sessions share.
#[derive(Debug, Default)]
pub struct Shared {
    /// Who, ascending.
    pub sessions: Arc<Vec<SessionId>>,
    /// All frames of the turn, one after the other.
    pub frames: BytesMut,
    /// Who got frames of its own in between: from there on it gets its share
    /// among those. Few.
    apart: Vec<(SessionId, usize)>,
}

impl Shared {
    /// The frames of a session that it does not get among its own.
    pub fn share(&self, session: SessionId) -> &[u8] {
        let mut apart = self.apart.iter();
        match apart.find(|(other, _)| *other == session) {
            Some((_, end)) => &self.frames[..*end],
            None => &self.frames,
        }
    }
}

/// All that is shared in one turn.
#[derive(Debug, Default)]
pub struct Spread(Vec<Shared>);

impl Spread {
    /// Adds a frame for sessions. `own` are those that have frames of their own
    /// in this turn; gives which of them the frame must be added to.
    pub fn add(
        &mut self,
        sessions: &Arc<Vec<SessionId>>,
        frame: &[u8],
        own: impl Iterator<Item = SessionId>,
    ) -> Vec<SessionId> {
        let same = |shared: &Shared| Arc::ptr_eq(&shared.sessions, sessions);
        let at = self.0.iter().position(same).unwrap_or_else(|| {
            self.0.push(Shared {
                sessions: sessions.clone(),
                ..Shared::default()
            });
            self.0.len() - 1
        });
        let shared = &mut self.0[at];
        let end = shared.frames.len();
        let mut among_own = Vec::new();
        for session in own.filter(|session| sessions.binary_search(session).is_ok()) {
            if shared.apart.iter().all(|(other, _)| *other != session) {
                shared.apart.push((session, end));
            }
            among_own.push(session);
        }
        shared.frames.extend_from_slice(frame);
        among_own
    }

    /// Whether nothing is shared.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes all out.
    pub fn take(&mut self) -> Vec<Shared> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions(numbers: &[u64]) -> Arc<Vec<SessionId>> {
        Arc::new(numbers.iter().copied().map(SessionId).collect())
    }

    #[test]
    fn a_session_gets_each_frame_once_and_in_order() {
        let mut spread = Spread::default();
        let all = sessions(&[3, 5, 8]);
        let own = |numbers: &'static [u64]| numbers.iter().copied().map(SessionId);
        assert_eq!(spread.add(&all, b"one ", own(&[])), []);
        // 5 is written something of its own, then one who is not in it.
        assert_eq!(spread.add(&all, b"two ", own(&[5])), [SessionId(5)]);
        assert_eq!(spread.add(&all, b"three ", own(&[5, 4])), [SessionId(5)]);
        assert_eq!(spread.add(&all, b"four ", own(&[5, 4, 8])).len(), 2);
        let shared = spread.take();
        assert_eq!(shared.len(), 1);
        assert_eq!(shared[0].share(SessionId(3)), b"one two three four ");
        assert_eq!(shared[0].share(SessionId(5)), b"one ");
        assert_eq!(shared[0].share(SessionId(8)), b"one two three ");
        assert!(spread.take().is_empty());
    }

    #[test]
    fn other_sessions_share_other_frames() {
        let mut spread = Spread::default();
        let (few, many) = (sessions(&[3]), sessions(&[3, 5]));
        spread.add(&few, b"one ", std::iter::empty());
        spread.add(&many, b"two ", std::iter::empty());
        spread.add(&few, b"three ", std::iter::empty());
        let shared = spread.take();
        assert_eq!(shared.len(), 2);
        assert_eq!(shared[0].share(SessionId(3)), b"one three ");
        assert_eq!(shared[1].share(SessionId(5)), b"two ");
    }
}
