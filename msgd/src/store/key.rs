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
pub(crate) type Key = SmallVec<[u8; 96]>;

/// The highest token that was given.
pub(crate) const TOKEN: &[u8] = b"\xfftoken";
/// What keys of [`recent`] begin with.
pub(crate) const RECENT: &[u8] = b"\xffrecent";
/// What keys of [`alive`] begin with.
pub(crate) const ALIVE: &[u8] = b"\xffalive";

/// The keys of one user.
#[derive(Debug)]
pub(crate) struct UserKey(Key);

impl UserKey {
    pub(crate) fn new(slot: Slot, user: &UserId) -> Self {
        let mut key = Key::new();
        // Slots are below 2^14.
        key.extend_from_slice(&(slot.index() as u16).to_be_bytes());
        key.extend_from_slice(user.as_bytes());
        key.push(0);
        Self(key)
    }

    /// The message at a position.
    pub(crate) fn letter(&self, position: u64) -> Key {
        let mut key = self.with(b'l');
        key.extend_from_slice(&position.to_be_bytes());
        key
    }

    /// The cursor and when the user was last there.
    pub(crate) fn mailbox(&self) -> Key {
        self.with(b'm')
    }

    /// The receipts.
    pub(crate) fn notes(&self) -> Key {
        self.with(b'n')
    }

    /// The groups that the user belongs to.
    pub(crate) fn groups(&self) -> Key {
        self.with(b'g')
    }

    fn with(&self, kind: u8) -> Key {
        let mut key = self.0.clone();
        key.push(kind);
        key
    }
}

/// What a user's key is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The message at this position.
    Letter(u64),
    /// The cursor, the receipts, or the groups.
    Other,
}

/// Whose a key is, and of what; `None`: it is no user's.
pub(crate) fn parse(key: &[u8]) -> Option<(Slot, UserId, Kind)> {
    let (slot, rest) = key.split_first_chunk()?;
    let slot = Slot::new(u16::from_be_bytes(*slot).into())?;
    let zero = rest.iter().position(|byte| *byte == 0)?;
    let (user, rest) = rest.split_at(zero);
    let kind = match &rest[1..] {
        [b'l', position @ ..] => Kind::Letter(u64::from_be_bytes(position.try_into().ok()?)),
        [b'g' | b'm' | b'n'] => Kind::Other,
        _ => return None,
    };
    Some((slot, UserId::new(user).ok()?, kind))
}

/// The position in a key of a letter.
pub(crate) fn position(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

/// What the next holder of a slot is to know.
pub(crate) fn recent(slot: Slot) -> Key {
    let mut key = Key::from_slice(RECENT);
    key.extend_from_slice(&(slot.index() as u16).to_be_bytes());
    key
}

/// The slot in a key of [`recent`].
pub(crate) fn recent_slot(key: &[u8]) -> Option<Slot> {
    let number = key.last_chunk().copied().map(u16::from_be_bytes)?;
    Slot::new(number.into())
}

/// When an incarnation was last alive.
pub(crate) fn alive(shard: Incarnation) -> Key {
    let mut key = Key::from_slice(ALIVE);
    key.extend_from_slice(&shard.0.to_be_bytes());
    key
}

/// The incarnation in a key of [`alive`].
pub(crate) fn alive_shard(key: &[u8]) -> Option<Incarnation> {
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
        let ann = UserId::new("ann").unwrap();
        let parsed = (slot, ann.clone(), Kind::Letter(256));
        assert_eq!(parse(&ordered[1]), Some(parsed));
        let parsed = Some((slot, ann.clone(), Kind::Other));
        assert_eq!(parse(&UserKey::new(slot, &ann).mailbox()), parsed);
        assert_eq!(parse(TOKEN), None);
        assert_eq!(parse(&ordered[1][..10]), None);
    }

    #[test]
    fn the_longest_key_needs_no_allocation() {
        let user = UserId::new("a".repeat(64)).unwrap();
        let key = UserKey::new(Slot::of(&user), &user);
        assert!(!key.letter(1).spilled());
        assert!(key.mailbox()[0] < TOKEN[0]);
    }
}
