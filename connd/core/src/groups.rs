//! Which of the gateway's sessions are in which group.
//!
//! Owns the table group → sessions, for the gateway's own live sessions only,
//! and the last entry that was seen of each group's log. Must not know members
//! beyond them, nor what an entry says.

use std::sync::Arc;

use indexmap::IndexMap;
use proto::clock::Moment;
use proto::group::{Head, Place};
use proto::ids::{GroupId, SessionId};
use proto::slot::Slot;

/// A group of which the gateway has sessions.
#[derive(Debug)]
pub struct Local {
    /// The group's slot.
    pub slot: Slot,
    /// Who gets what comes, ascending: shared with what is being written.
    pub sessions: Arc<Vec<SessionId>>,
    /// Sessions of which the group's shard was asked, or is to be.
    pub asked: Vec<SessionId>,
    /// The end of the log, as far as it was seen; none: nobody follows yet.
    pub head: Option<Head>,
    /// It is to be followed again.
    pub due: bool,
}

impl Local {
    fn new(group: &GroupId) -> Self {
        Self {
            slot: Slot::of_group(group),
            sessions: Arc::default(),
            asked: Vec::new(),
            head: None,
            due: false,
        }
    }

    /// Whether a session gets what comes.
    pub fn has(&self, session: SessionId) -> bool {
        self.sessions.binary_search(&session).is_ok()
    }

    /// A session gets what comes from now on, if it was asked for; whether.
    pub fn let_in(&mut self, session: SessionId) -> bool {
        let Some(at) = self.asked.iter().position(|asked| *asked == session) else {
            return false;
        };
        self.asked.swap_remove(at);
        if let Err(at) = self.sessions.binary_search(&session) {
            Arc::make_mut(&mut self.sessions).insert(at, session);
        }
        true
    }

    /// A session gets nothing any more; whether it was there or asked for.
    pub fn put_out(&mut self, session: SessionId) -> bool {
        if let Some(at) = self.asked.iter().position(|asked| *asked == session) {
            self.asked.swap_remove(at);
            return true;
        }
        let Ok(at) = self.sessions.binary_search(&session) else {
            return false;
        };
        Arc::make_mut(&mut self.sessions).remove(at);
        true
    }

    /// Whether an entry is one that was not seen; from then on it was.
    pub fn see(&mut self, head: Head) -> bool {
        let seen = self.head.map(|seen| seen.place);
        if seen.is_some_and(|seen| head.place <= seen) {
            return false;
        }
        self.head = Some(head);
        true
    }

    /// The last entry that was seen; none: nobody follows yet.
    pub fn seen(&self) -> Option<Place> {
        self.head.map(|head| head.place)
    }
}

/// All groups of the gateway's sessions.
#[derive(Debug, Default)]
pub struct Groups {
    /// As many as the sessions are in together at the most; a map that keeps an
    /// order, so that the same events give the same effects.
    table: IndexMap<GroupId, Local, ahash::RandomState>,
    /// When those that are due are followed again.
    due_at: Option<Moment>,
}

impl Groups {
    /// The group, where there is a session in it.
    pub fn get(&mut self, group: &GroupId) -> Option<&mut Local> {
        self.table.get_mut(group)
    }

    /// The group, which comes to be if it is not there.
    pub fn reach(&mut self, group: &GroupId) -> &mut Local {
        let entry = self.table.entry(group.clone());
        entry.or_insert_with_key(Local::new)
    }

    /// Forgets the group if no session is in it; gives its slot if so.
    pub fn forget_empty(&mut self, group: &GroupId) -> Option<Slot> {
        let local = self.table.get(group)?;
        if !local.sessions.is_empty() || !local.asked.is_empty() {
            return None;
        }
        self.table.swap_remove(group).map(|local| local.slot)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (&GroupId, &Local)> {
        self.table.iter()
    }

    /// The group is to be followed again at this time, or sooner.
    pub fn follow_later(&mut self, group: &GroupId, at: Moment) {
        let Some(local) = self.table.get_mut(group) else {
            return;
        };
        local.due = true;
        self.due_at = Some(self.due_at.map_or(at, |due| due.min(at)));
    }

    /// When groups are to be followed again.
    pub fn due_at(&self) -> Option<Moment> {
        self.due_at
    }

    /// Takes out those that are to be followed again by now.
    pub fn due(&mut self, now: Moment) -> Vec<GroupId> {
        if self.due_at.is_none_or(|at| at > now) {
            return Vec::new();
        }
        self.due_at = None;
        let due = self.table.iter_mut().filter(|(_, local)| local.due);
        due.map(|(group, local)| {
            local.due = false;
            group.clone()
        })
        .collect()
    }
}
