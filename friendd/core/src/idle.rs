//! Lists of users with whom nothing is under way.
//!
//! Bounded: a list that was not asked for while half of the bound was, is
//! forgotten. That costs one load at its next use. Must not know who asks.

use std::collections::HashMap;
use std::sync::Arc;

use proto::friends::{FriendEntry, FriendList};
use proto::ids::UserId;

/// Bytes that a user costs beside the entries of the list: keys, maps, the
/// list's head.
const USER_BYTES: usize = 512;
/// Ids up to this length lie inside an entry; longer ones are allocated.
const ID_BYTES_INLINE: usize = 23;

/// Lists by user, in two generations. A user stands in one of them at most.
#[derive(Debug)]
pub(crate) struct Idle {
    young: Generation,
    old: Generation,
    generation_bytes_max: usize,
}

#[derive(Debug, Default)]
struct Generation {
    lists: HashMap<UserId, Arc<FriendList>>,
    bytes: usize,
}

impl Idle {
    /// Holds lists of at most this many bytes, about.
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            young: Generation::default(),
            old: Generation::default(),
            generation_bytes_max: bytes_max / 2,
        }
    }

    /// Takes a list out.
    pub(crate) fn take(&mut self, user: &UserId) -> Option<Arc<FriendList>> {
        self.young.take(user).or_else(|| self.old.take(user))
    }

    /// Puts in the list of a user who has none here. It is young; what is not
    /// any more may go.
    pub(crate) fn put(&mut self, user: UserId, list: Arc<FriendList>) {
        let bytes = bytes(&list);
        if bytes > self.generation_bytes_max {
            return;
        }
        if self.young.bytes + bytes > self.generation_bytes_max {
            std::mem::swap(&mut self.young, &mut self.old);
            self.young.lists.clear();
            self.young.bytes = 0;
        }
        self.young.bytes += bytes;
        self.young.lists.insert(user, list);
    }

    /// How many users are held, and about how many bytes they take.
    pub(crate) fn size(&self) -> (usize, usize) {
        (
            self.young.lists.len() + self.old.lists.len(),
            self.young.bytes + self.old.bytes,
        )
    }

    /// Panics unless the counts are right, and no user is held whom the caller
    /// has elsewhere.
    #[expect(
        clippy::disallowed_methods,
        reason = "what holds for each has no order"
    )]
    pub(crate) fn check_invariants(&self, is_elsewhere: impl Fn(&UserId) -> bool) {
        for (generation, other) in [(&self.young, &self.old), (&self.old, &self.young)] {
            let sum: usize = generation.lists.values().map(|list| bytes(list)).sum();
            assert_eq!(generation.bytes, sum);
            assert!(sum <= self.generation_bytes_max);
            for user in generation.lists.keys() {
                assert!(!other.lists.contains_key(user));
                assert!(!is_elsewhere(user));
            }
        }
    }
}

impl Generation {
    fn take(&mut self, user: &UserId) -> Option<Arc<FriendList>> {
        let list = self.lists.remove(user)?;
        self.bytes -= bytes(&list);
        Some(list)
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
