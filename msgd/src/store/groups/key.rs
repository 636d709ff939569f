//! Where rows of groups lie.
//!
//! Owns the keys of their keyspace. Changing one of them needs a new format
//! version of the data directory. Must not know what rows hold.
//!
//! A group's keys begin with slot and group id, ended by a zero byte, as those
//! of users do in the other keyspace. What a group has many of lies under the
//! number of a *life*, which is never given again: a group that is made anew, or
//! whose log begins anew, has another, and what is left of the former is taken
//! for nobody's.

use proto::ids::{GroupId, UserId};
use proto::slot::Slot;
use smallvec::SmallVec;

/// The longest is 2 bytes of slot, 64 of a group id, a zero, the kind, 8 of a
/// life, 64 of a user id; as much again for what is named by another key.
pub(crate) type Key = SmallVec<[u8; 152]>;

/// The highest life that was given.
pub(crate) const LIFE: &[u8] = b"\xfflife";
/// What keys of [`remains`] begin with.
pub(crate) const REMAINS: &[u8] = b"\xffremains";

/// The keys of one group.
#[derive(Debug)]
pub(crate) struct GroupKey(Key);

impl GroupKey {
    pub(crate) fn new(slot: Slot, group: &GroupId) -> Self {
        let mut key = Key::new();
        // Slots are below 2^14.
        key.extend_from_slice(&(slot.index() as u16).to_be_bytes());
        key.extend_from_slice(group.as_bytes());
        key.push(0);
        Self(key)
    }

    /// What the group is.
    pub(crate) fn record(&self) -> Key {
        self.with(b'g')
    }

    /// Which lives it has, and where its log begins and ends.
    pub(crate) fn log(&self) -> Key {
        self.with(b'l')
    }

    /// What keys of members begin with.
    pub(crate) fn members(&self, life: u64) -> Key {
        self.of_life(b'm', life)
    }

    /// As what a user is known.
    pub(crate) fn member(&self, life: u64, user: &UserId) -> Key {
        let mut key = self.members(life);
        key.extend_from_slice(user.as_bytes());
        key
    }

    /// What keys of entries begin with.
    pub(crate) fn entries(&self, life: u64) -> Key {
        self.of_life(b'e', life)
    }

    /// The entry of a number.
    pub(crate) fn entry(&self, life: u64, seq: u64) -> Key {
        let mut key = self.entries(life);
        key.extend_from_slice(&seq.to_be_bytes());
        key
    }

    fn of_life(&self, kind: u8, life: u64) -> Key {
        let mut key = self.with(kind);
        key.extend_from_slice(&life.to_be_bytes());
        key
    }

    fn with(&self, kind: u8) -> Key {
        let mut key = self.0.clone();
        key.push(kind);
        key
    }
}

/// Says that what begins with this is nobody's any more.
pub(crate) fn remains(prefix: &[u8]) -> Key {
    let mut key = Key::from_slice(REMAINS);
    key.extend_from_slice(prefix);
    key
}

/// The first key behind all that begin with a prefix, which ends with a life.
pub(crate) fn behind(prefix: &[u8]) -> Key {
    let mut key = Key::from_slice(prefix);
    // No life is the highest number there is.
    for byte in key.iter_mut().rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    key
}

/// What a key of a group is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The entry of this number.
    Entry { life: u64, seq: u64 },
    /// As what this user is known.
    Member { life: u64, user: UserId },
    /// What there is one of.
    Other,
}

/// Of which group a key is, and of what; `None`: it is no group's.
pub(crate) fn parse(key: &[u8]) -> Option<(Slot, GroupId, Kind)> {
    let (slot, rest) = key.split_first_chunk()?;
    let slot = Slot::new(u16::from_be_bytes(*slot).into())?;
    let zero = rest.iter().position(|byte| *byte == 0)?;
    let (group, rest) = rest.split_at(zero);
    let kind = match &rest[1..] {
        [b'g' | b'l'] => Kind::Other,
        [kind, rest @ ..] => {
            let (life, rest) = rest.split_first_chunk()?;
            let life = u64::from_be_bytes(*life);
            match kind {
                b'e' => Kind::Entry {
                    life,
                    seq: u64::from_be_bytes(rest.try_into().ok()?),
                },
                b'm' => Kind::Member {
                    life,
                    user: UserId::new(rest).ok()?,
                },
                _ => return None,
            }
        }
        [] => return None,
    };
    Some((slot, GroupId::new(group).ok()?, kind))
}

/// The user in a key of a member, whose prefix has this length.
pub(crate) fn user(key: &[u8], prefix: usize) -> Option<UserId> {
    UserId::new(key.get(prefix..)?).ok()
}

/// The number in a key of an entry.
pub(crate) fn seq(key: &[u8]) -> Option<u64> {
    key.last_chunk().copied().map(u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_lie_in_their_order_and_apart_from_other_groups() {
        let slot = Slot::new(300).unwrap();
        let of = |name: &str| GroupKey::new(slot, &GroupId::new(name).unwrap());
        let entries = [
            of("team").entry(1, 1),
            of("team").entry(1, 256),
            of("team").entry(1, u64::MAX),
            of("team").entry(2, 0),
            of("team").record(),
            of("team").log(),
            of("team").member(1, &UserId::new("ann").unwrap()),
            of("team-b").entry(1, 0),
        ];
        assert!(entries.is_sorted());
        assert_eq!(seq(&entries[1]), Some(256));
        let prefix = of("team").members(1);
        assert_eq!(user(&entries[6], prefix.len()), UserId::new("ann").ok());
        assert!(entries[7][0] < LIFE[0]);
        let (team, ann) = (GroupId::new("team").unwrap(), UserId::new("ann").unwrap());
        for (at, kind) in [
            (1, Kind::Entry { life: 1, seq: 256 }),
            (4, Kind::Other),
            (5, Kind::Other),
            (6, Kind::Member { life: 1, user: ann }),
        ] {
            assert_eq!(parse(&entries[at]), Some((slot, team.clone(), kind)));
        }
        assert_eq!(parse(LIFE), None);
        assert_eq!(parse(&entries[1][..10]), None);
    }

    #[test]
    fn what_begins_with_a_prefix_lies_before_what_is_behind_it() {
        let slot = Slot::new(300).unwrap();
        let key = GroupKey::new(slot, &GroupId::new("team").unwrap());
        for life in [0, 254, 255, 65_535, u64::MAX - 1] {
            let behind = behind(&key.entries(life));
            assert!(key.entry(life, u64::MAX) < behind);
            assert_eq!(behind, key.entries(life + 1));
        }
    }

    #[test]
    fn the_longest_key_needs_no_allocation() {
        let slot = Slot::new(300).unwrap();
        let longest = "a".repeat(64);
        let key = GroupKey::new(slot, &GroupId::new(&longest).unwrap());
        assert!(!key.member(1, &UserId::new(&longest).unwrap()).spilled());
        assert!(!remains(&key.entries(1)).spilled());
    }
}
