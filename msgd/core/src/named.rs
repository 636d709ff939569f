//! Hashes that sessions named and that are not the list's.
//!
//! Owns who waits to hear of theirs, and which one was wrong. Must not know
//! when the friend service is asked.

use proto::friends::ListHash;
use proto::ids::SessionRef;

/// Other hashes than that of one user's list.
#[derive(Debug, Default)]
pub struct Named {
    /// Who named one, until the answer comes: live sessions of the user only,
    /// each once, so there are no more than of these.
    verdicts: Vec<(SessionRef, ListHash)>,
    /// One that the friend service does not have.
    wrong: Option<ListHash>,
}

impl Named {
    /// A live session of the user waits to hear of a hash.
    pub fn wait(&mut self, session: SessionRef, hash: ListHash) {
        self.gone(session);
        self.verdicts.push((session, hash));
    }

    /// A session waits no more, as it has ended or names another hash.
    pub fn gone(&mut self, session: SessionRef) {
        self.verdicts.retain(|(other, _)| *other != session);
    }

    /// Whether a session waits.
    pub fn is_awaited(&self) -> bool {
        !self.verdicts.is_empty()
    }

    /// Who waits.
    pub fn waiting(&self) -> impl Iterator<Item = SessionRef> {
        self.verdicts.iter().map(|(session, _)| *session)
    }

    /// Whether this hash was found wrong last.
    pub fn is_wrong(&self, hash: ListHash) -> bool {
        self.wrong == Some(hash)
    }

    /// Nobody waits any more; gives who named another hash than the newest, if
    /// that is known.
    pub fn settle(&mut self, newest: Option<ListHash>) -> Vec<SessionRef> {
        let mut stale = Vec::new();
        for (session, hash) in self.verdicts.drain(..) {
            if newest.is_some_and(|newest| newest != hash) {
                self.wrong = Some(hash);
                stale.push(session);
            }
        }
        stale
    }
}
