//! What the graph holds of each user: the list, and who waits for it.
//!
//! Owns who is busy and who is idle. Must not know what a change does.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use proto::friends::{FriendList, ListHash};
use proto::ids::UserId;

use crate::event::RequestId;
use crate::idle::Idle;

/// One user.
#[derive(Debug, Default)]
pub(crate) struct Seat {
    /// As it is in the store, if it is known.
    pub(crate) list: Option<Arc<FriendList>>,
    /// A load is under way.
    pub(crate) loading: bool,
    /// Reads that wait for the list.
    pub(crate) reads: Vec<Read>,
    /// Changes that touch the user, in the order of their arrival. Only the
    /// first may be at work.
    pub(crate) changes: VecDeque<RequestId>,
}

/// A question for a list.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) id: RequestId,
    pub(crate) if_hash: Option<ListHash>,
}

impl Seat {
    /// Nobody waits for this user and nothing is under way.
    fn is_idle(&self) -> bool {
        !self.loading && self.reads.is_empty() && self.changes.is_empty()
    }
}

/// All users of whom something is held.
///
/// Users with something under way stay, and the graph bounds how many these
/// are. Of idle users there is the list, as long as there is room.
#[derive(Debug)]
pub(crate) struct Users {
    busy: HashMap<UserId, Seat>,
    idle: Idle,
}

impl Users {
    pub(crate) fn new(idle_bytes_max: usize) -> Self {
        Self {
            busy: HashMap::new(),
            idle: Idle::new(idle_bytes_max),
        }
    }

    /// Lets `edit` see and change what is held of a user, be it nothing yet.
    pub(crate) fn with<R>(&mut self, user: &UserId, edit: impl FnOnce(&mut Seat) -> R) -> R {
        let mut seat = self.take(user);
        let result = edit(&mut seat);
        self.put(user, seat);
        result
    }

    /// The list of a user with something under way.
    pub(crate) fn list(&self, user: &UserId) -> Option<&Arc<FriendList>> {
        self.busy.get(user)?.list.as_ref()
    }

    /// Whose turn it is among the changes that touch the user.
    pub(crate) fn turn(&self, user: &UserId) -> Option<RequestId> {
        self.busy.get(user)?.changes.front().copied()
    }

    /// How many users are held, and about how many bytes the idle ones take.
    pub(crate) fn size(&self) -> (usize, usize) {
        let (idle, bytes) = self.idle.size();
        (self.busy.len() + idle, bytes)
    }

    fn take(&mut self, user: &UserId) -> Seat {
        if let Some(seat) = self.busy.remove(user) {
            return seat;
        }
        Seat {
            list: self.idle.take(user),
            ..Seat::default()
        }
    }

    fn put(&mut self, user: &UserId, seat: Seat) {
        if !seat.is_idle() {
            self.busy.insert(user.clone(), seat);
        } else if let Some(list) = seat.list {
            self.idle.put(user.clone(), list);
        }
    }

    #[expect(clippy::disallowed_methods, reason = "a sum has no order")]
    pub(crate) fn waiting_reads(&self) -> usize {
        self.busy.values().map(|seat| seat.reads.len()).sum()
    }

    #[expect(clippy::disallowed_methods, reason = "a sum has no order")]
    pub(crate) fn loads(&self) -> usize {
        self.busy.values().filter(|seat| seat.loading).count()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "what holds for each has no order"
    )]
    pub(crate) fn check_invariants(&self) {
        self.idle
            .check_invariants(|user| self.busy.contains_key(user));
        for seat in self.busy.values() {
            assert!(!seat.is_idle());
            assert!(seat.list.is_some() != seat.loading);
            assert!(seat.reads.is_empty() || seat.loading);
        }
    }
}
