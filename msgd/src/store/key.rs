//! Where rows lie.
//!
//! Owns the keys of the one keyspace. Changing one of them needs a new format
//! version of the data directory. Must not know what rows hold.
//!
//! A user's keys begin with slot and user id, ended by a zero byte, which is in
//! no id: no user's keys lie among another's. All of a user's lie together,
//! since what is near in the database is cheap to reach. Slots are below 2^14,
//! so the first byte of the other keys, 0xff, is never that of a user's.

use proto::ids::{Incarnation, UserId};
use proto::slot::Slot;
use smallvec::SmallVec;

/// The longest is 2 bytes of slot, 64 of a user id, a zero, the kind, 8 of a
/// position.
pub(super) type Key = SmallVec<[u8; 96]>;

/// The highest token that was given.
pub(super) const TOKEN: &[u8] = b"\xfftoken";
/// What keys of [`recent`] begin with.
pub(super) const RECENT: &[u8] = b"\xffrecent";
/// What keys of [`alive`] begin with.
pub(super) const ALIVE: &[u8] = b"\xffalive";

/// The keys of one user.
#[derive(Debug)]
pub(super) struct UserKey(Key);

impl UserKey {
    pub(super) fn new(slot: Slot, user: &UserId) -> Self {
        let mut key = Key::new();
        // Slots are below 2^14.
        key.extend_from_slice(&(slot.index() as u16).to_be_bytes());
        key.extend_from_slice(user.as_bytes());
        key.push(0);
        Self(key)
    }

    /// The message at a position.
    pub(super) fn letter(&self, position: u64) -> Key {
        let mut key = self.with(b'l');
        key.extend_from_slice(&position.to_be_bytes());
        key
    }

    /// The cursor and when the user was last there.
    pub(super) fn mailbox(&self) -> Key {
        self.with(b'm')
    }

    /// The receipts.
    pub(super) fn notes(&self) -> Key {
        self.with(b'n')
    }

    fn with(&self, kind: u8) -> Key {
        let mut key = self.0.clone();
        key.push(kind);
        key
    }
}

/// The position in a key of a letter.
pub(super) fn position(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

/// What the next holder of a slot is to know.
pub(super) fn recent(slot: Slot) -> Key {
    let mut key = Key::from_slice(RECENT);
    key.extend_from_slice(&(slot.index() as u16).to_be_bytes());
    key
}

/// The slot in a key of [`recent`].
pub(super) fn recent_slot(key: &[u8]) -> Option<Slot> {
    let number = key.last_chunk().copied().map(u16::from_be_bytes)?;
    Slot::new(number.into())
}

/// When an incarnation was last alive.
pub(super) fn alive(shard: Incarnation) -> Key {
    let mut key = Key::from_slice(ALIVE);
    key.extend_from_slice(&shard.0.to_be_bytes());
    key
}

/// The incarnation in a key of [`alive`].
pub(super) fn alive_shard(key: &[u8]) -> Option<Incarnation> {
    let number = key.last_chunk().copied().map(u64::from_be_bytes)?;
    Some(Incarnation(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_user_lie_together_in_the_order_of_positions() {
        let slot = Slot::new(300).unwrap();
        let key =
            |user: &str, position| UserKey::new(slot, &UserId::new(user).unwrap()).letter(position);
        let ordered = [
            key("ann", 1),
            key("ann", 256),
            key("ann", u64::MAX),
            key("ann-b", 1),
            key("anna", 0),
        ];
        assert!(ordered.is_sorted());
        assert_eq!(position(&ordered[1]), Some(256));
    }

    #[test]
    fn the_longest_key_needs_no_allocation() {
        let user = UserId::new("a".repeat(64)).unwrap();
        let key = UserKey::new(Slot::of(&user), &user);
        assert!(!key.letter(1).spilled());
        assert!(key.mailbox()[0] < TOKEN[0]);
    }
}
