//! What the graph holds of each user: the list, and who waits for it.
//!
//! Owns which lists stay in memory. Must not know what a change does.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use proto::friends::{FriendEntry, FriendList, ListHash};
use proto::ids::UserId;

use crate::event::RequestId;

/// Bytes that a user costs beside the entries of the list: keys, maps, the
/// list's head.
const USER_BYTES: usize = 512;
/// Ids up to this length lie inside an entry; longer ones are allocated.
const ID_BYTES_INLINE: usize = 23;

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
/// are. Lists of idle users stay up to `idle_bytes_max`; those used least
/// recently go first. A list that went costs one load at its next use.
#[derive(Debug)]
pub(crate) struct Users {
    busy: HashMap<UserId, Seat>,
    idle: HashMap<UserId, Idle>,
    /// Idle users by the time of their last use.
    order: BTreeMap<u64, UserId>,
    /// Counts uses.
    uses: u64,
    idle_bytes: usize,
    idle_bytes_max: usize,
}

#[derive(Debug)]
struct Idle {
    list: Arc<FriendList>,
    bytes: usize,
    used: u64,
}

impl Users {
    pub(crate) fn new(idle_bytes_max: usize) -> Self {
        Self {
            busy: HashMap::new(),
            idle: HashMap::new(),
            order: BTreeMap::new(),
            uses: 0,
            idle_bytes: 0,
            idle_bytes_max,
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
        (self.busy.len() + self.idle.len(), self.idle_bytes)
    }

    fn take(&mut self, user: &UserId) -> Seat {
        if let Some(seat) = self.busy.remove(user) {
            return seat;
        }
        let Some(idle) = self.idle.remove(user) else {
            return Seat::default();
        };
        self.order.remove(&idle.used);
        self.idle_bytes -= idle.bytes;
        Seat {
            list: Some(idle.list),
            ..Seat::default()
        }
    }

    fn put(&mut self, user: &UserId, seat: Seat) {
        if !seat.is_idle() {
            self.busy.insert(user.clone(), seat);
            return;
        }
        let Some(list) = seat.list else { return };
        let (bytes, used) = (bytes(&list), self.uses);
        self.uses += 1;
        self.idle_bytes += bytes;
        self.order.insert(used, user.clone());
        self.idle.insert(user.clone(), Idle { list, bytes, used });
        self.shed();
    }

    fn shed(&mut self) {
        while self.idle_bytes > self.idle_bytes_max {
            let Some((_, oldest)) = self.order.pop_first() else {
                break;
            };
            if let Some(gone) = self.idle.remove(&oldest) {
                self.idle_bytes -= gone.bytes;
            }
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
        assert_eq!(self.idle.len(), self.order.len());
        for (used, user) in &self.order {
            assert_eq!(self.idle[user].used, *used);
            assert!(!self.busy.contains_key(user));
        }
        let sum: usize = self.idle.values().map(|idle| bytes(&idle.list)).sum();
        assert_eq!(self.idle_bytes, sum);
        assert!(self.idle_bytes <= self.idle_bytes_max);
        for seat in self.busy.values() {
            assert!(!seat.is_idle());
            assert!(seat.list.is_some() != seat.loading);
            assert!(seat.reads.is_empty() || seat.loading);
        }
    }
}

/// About what a list takes, with all that is held beside it.
fn bytes(list: &FriendList) -> usize {
    let long_ids = list
        .entries()
        .iter()
        .map(|entry| entry.user.as_bytes().len())
        .filter(|len| *len > ID_BYTES_INLINE);
    USER_BYTES + std::mem::size_of_val::<[FriendEntry]>(list.entries()) + long_ids.sum::<usize>()
}
