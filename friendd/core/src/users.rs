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
    /// What concerns the user, in the order of its arrival.
    pub(crate) line: VecDeque<Waiting>,
}

/// A request that stands in a user's line.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// A question for the list: answered as soon as it is first and the list
    /// is known.
    Read(Read),
    /// A change that touches the user: only one that is first may be at work.
    Change(RequestId),
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
        !self.loading && self.line.is_empty()
    }

    /// Whose turn it is, if it is a change's.
    fn turn(&self) -> Option<RequestId> {
        match self.line.front()? {
            Waiting::Change(id) => Some(*id),
            Waiting::Read(_) => None,
        }
    }

    /// The question that is first, once it can be answered.
    pub(crate) fn next_read(&mut self) -> Option<(Read, Arc<FriendList>)> {
        let list = self.list.clone()?;
        match self.line.pop_front()? {
            Waiting::Read(read) => Some((read, list)),
            change @ Waiting::Change(_) => {
                self.line.push_front(change);
                None
            }
        }
    }

    /// A change goes.
    pub(crate) fn leave(&mut self, gone: RequestId) {
        self.line
            .retain(|waiting| !matches!(waiting, Waiting::Change(id) if *id == gone));
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
        self.busy.get(user)?.turn()
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
        let is_read = |waiting: &&Waiting| matches!(waiting, Waiting::Read(_));
        self.busy
            .values()
            .map(|seat| seat.line.iter().filter(is_read).count())
            .sum()
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
            assert!(seat.turn().is_some() || seat.loading, "nobody is answered");
        }
    }
}
