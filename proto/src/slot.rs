//! Slots: what a user or group is placed by.
//!
//! Owns the slot hash, which every process must agree on for ever; golden
//! vectors hold it. Must not know which shard has a slot: that is the ring's.

use siphasher::sip::SipHasher13;

use crate::ids::{GroupId, UserId};

/// How many slots there are.
pub const SLOTS: u16 = 16_384;

/// One of the [`SLOTS`] slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(u16);

impl Slot {
    /// The slot of a user: SipHash-1-3 with key 0 over the id's bytes, modulo
    /// [`SLOTS`].
    pub fn of(user: &UserId) -> Self {
        Self::of_bytes(user.as_bytes())
    }

    /// The slot of a group: as of a user with the same id.
    pub fn of_group(group: &GroupId) -> Self {
        Self::of_bytes(group.as_bytes())
    }

    fn of_bytes(id: &[u8]) -> Self {
        let hash = SipHasher13::new().hash(id);
        // The remainder is below 2^14.
        Self((hash % u64::from(SLOTS)) as u16)
    }

    /// `None` from [`SLOTS`] on.
    pub fn new(number: u32) -> Option<Self> {
        u16::try_from(number).ok().filter(|n| *n < SLOTS).map(Self)
    }

    /// The slot's number, as an index into a table of [`SLOTS`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }

    /// Every slot, ascending.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..SLOTS).map(Self)
    }
}

impl std::fmt::Display for Slot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}
