//! A friend graph that is the same for everyone: users on a ring, each a
//! friend of the nearest ones on both sides.
//!
//! Owns who is whose friend. Must not know how friends are made.

use anyhow::{Result, ensure};
use proto::friends::{FriendEntry, FriendList, ListHash, ListVersion, Relation};
use proto::ids::UserId;

/// The graph of users 0 to n - 1.
#[derive(Debug, Clone, Copy)]
pub struct Ring {
    users: usize,
    reach: usize,
}

impl Ring {
    /// `friends` of each of `users`.
    pub fn new(users: usize, friends: usize) -> Result<Self> {
        ensure!(
            friends.is_multiple_of(2) && friends < users,
            "friends are an even number below that of users, not {friends} of {users}"
        );
        let reach = friends / 2;
        Ok(Self { users, reach })
    }

    /// Each friendship once. Neighbours in this order share few users.
    pub fn friendships(self) -> impl Iterator<Item = (usize, usize)> {
        let from = move |distance| (0..self.users).map(move |one| (one, distance));
        let all = (1..=self.reach).flat_map(from);
        all.map(move |(one, distance)| (one, (one + distance) % self.users))
    }

    /// The friends of a user.
    pub fn friends(self, user: usize) -> impl Iterator<Item = usize> {
        let around = move |distance| [user + distance, user + self.users - distance];
        let friends = (1..=self.reach).flat_map(around);
        friends.map(move |friend| friend % self.users)
    }

    /// What friendd says of a user's list when all friendships are made.
    pub fn list_hash(self, user: usize) -> Result<ListHash> {
        let entry = |friend| {
            Ok(FriendEntry {
                user: name(friend)?,
                relation: Relation::Friend,
                blocked: false,
            })
        };
        let entries = self.friends(user).map(entry).collect::<Result<_>>()?;
        Ok(FriendList::new(ListVersion(0), entries)?.hash())
    }
}

/// The id of a user of a benchmark.
pub fn name(user: usize) -> Result<UserId> {
    Ok(UserId::new(format!("u{user}"))?)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn friendship_is_mutual_and_each_has_as_many() {
        let ring = Ring::new(9, 4).unwrap();
        let made: BTreeSet<_> = ring
            .friendships()
            .flat_map(|(one, other)| [(one, other), (other, one)])
            .collect();
        let said: BTreeSet<_> = (0..9)
            .flat_map(|user| ring.friends(user).map(move |friend| (user, friend)))
            .collect();
        assert_eq!(made, said);
        assert_eq!(made.len(), 9 * 4);
        assert_eq!(ring.friendships().count(), 9 * 2);
        assert!(made.iter().all(|(one, other)| one != other));
    }

    #[test]
    fn a_ring_that_would_bite_itself_is_refused() {
        assert!(Ring::new(4, 4).is_err());
        assert!(Ring::new(9, 3).is_err());
        assert!(Ring::new(5, 4).is_ok());
    }
}
