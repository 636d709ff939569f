//! Hashes that sessions named and that are not the list's.
//!
//! Owns who waits to hear of theirs, and which one was wrong. Must not know
//! when the friend service is asked.

use proto::friends::ListHash;
use proto::ids::SessionRef;

/// Sessions that wait to hear whether their hash is the newest, at the most.
const VERDICTS_MAX: usize = 16;

/// Other hashes than that of one user's list.
#[derive(Debug, Default)]
pub struct Named {
    /// Who named one, until the answer comes.
    verdicts: Vec<(SessionRef, ListHash)>,
    /// One that the friend service does not have.
    wrong: Option<ListHash>,
}

impl Named {
    /// A session waits to hear of a hash.
    pub fn wait(&mut self, session: SessionRef, hash: ListHash) {
        self.verdicts.retain(|(other, _)| *other != session);
        if self.verdicts.len() < VERDICTS_MAX {
            self.verdicts.push((session, hash));
        }
    }

    /// Whether a session waits.
    pub fn is_awaited(&self) -> bool {
        !self.verdicts.is_empty()
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
