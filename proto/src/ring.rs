//! The ring: which shard has which slot, at one epoch.
//!
//! Owns the placement, fixed by golden vectors. Built once per ring change
//! into a table; a look-up is an index. Must not know addresses or links.

use std::hash::{Hash, Hasher};

use consistent_hash::{Node, RingHash, StaticHashRing};
use siphasher::sip::SipHasher13;

use crate::ids::{Epoch, ShardId};
use crate::slot::{SLOTS, Slot};

/// Virtual nodes of a shard of weight 1: with 512 the fullest of eight equal
/// shards has 3 % more than the mean.
pub const VNODES_PER_WEIGHT: usize = 512;

/// The greatest weight of a shard.
pub const WEIGHT_MAX: u16 = 100;

/// The greatest number of shards on a ring.
pub const SHARDS_MAX: usize = 4096;

/// A shard's place on the ring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The shard's name.
    pub shard: ShardId,
    /// Its share, relative to the others: 1 to [`WEIGHT_MAX`].
    pub weight: u16,
}

/// Why a ring cannot be built. The operator must act.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RingError {
    /// No shard, or more than [`SHARDS_MAX`].
    #[error("a ring has 1 to {SHARDS_MAX} shards, not {0}")]
    Members(usize),
    /// The same name twice.
    #[error("shard {0} is on the ring twice")]
    Twice(ShardId),
    /// A weight of 0 or above [`WEIGHT_MAX`].
    #[error("shard {0}: weight {1} is not 1 to {WEIGHT_MAX}")]
    Weight(ShardId, u16),
}

/// Slots placed on shards, at one epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    epoch: Epoch,
    members: Vec<Member>,
    /// By slot: an index into `members`.
    table: Vec<u16>,
}

impl Ring {
    /// Places every slot. The same members in any order give the same ring.
    pub fn build(epoch: Epoch, mut members: Vec<Member>) -> Result<Self, RingError> {
        if members.is_empty() || members.len() > SHARDS_MAX {
            return Err(RingError::Members(members.len()));
        }
        members.sort_by(|a, b| a.shard.cmp(&b.shard));
        for pair in members.windows(2) {
            if pair[0].shard == pair[1].shard {
                return Err(RingError::Twice(pair[0].shard.clone()));
            }
        }
        for member in &members {
            if member.weight == 0 || member.weight > WEIGHT_MAX {
                return Err(RingError::Weight(member.shard.clone(), member.weight));
            }
        }
        let table = place(&members);
        Ok(Self {
            epoch,
            members,
            table,
        })
    }

    /// The ring's number.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The shards, by name.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The shard that has this slot.
    pub fn owner(&self, slot: Slot) -> &ShardId {
        &self.members[usize::from(self.table[slot.index()])].shard
    }

    /// The owner as an index into [`Ring::members`].
    pub fn owner_index(&self, slot: Slot) -> usize {
        usize::from(self.table[slot.index()])
    }
}

fn place(members: &[Member]) -> Vec<u16> {
    let nodes = members.iter().zip(0_u16..).map(|(member, index)| {
        Node::new(Key(member.shard.as_bytes()))
            .value(index)
            .quantity(usize::from(member.weight) * VNODES_PER_WEIGHT)
    });
    let ring = StaticHashRing::new(Bytewise, nodes);
    let mut table = Vec::with_capacity(usize::from(SLOTS));
    for slot in Slot::all() {
        let number = (slot.index() as u16).to_le_bytes();
        // A ring with a member has a candidate for every item.
        let index = ring
            .calc_candidates(&Key(&number))
            .next()
            .map_or(0, |n| n.value);
        table.push(index);
    }
    table
}

/// Hashes exactly its bytes, unlike `str` and slices, whose `Hash` may change.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Key<'a>(&'a [u8]);

impl Hash for Key<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0);
    }
}

/// SipHash-1-3 with key 0. A slot: `slot number, u16 LE`. A virtual node:
/// `name`, a zero byte, `number, u32 LE`.
struct Bytewise;

impl RingHash for Bytewise {
    fn hash_item<T: Hash>(&self, item: &T) -> u64 {
        let mut hasher = SipHasher13::new();
        item.hash(&mut hasher);
        hasher.finish()
    }

    fn hash_vnode<K: Hash>(&self, node_key: &K, vnode_seq: usize) -> u64 {
        let mut hasher = SipHasher13::new();
        node_key.hash(&mut hasher);
        hasher.write(&[0]);
        // A shard has at most 51,200 virtual nodes.
        hasher.write(&(vnode_seq as u32).to_le_bytes());
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(names: &[&str]) -> Vec<Member> {
        let member = |name: &&str| Member {
            shard: ShardId::new(name).unwrap(),
            weight: 1,
        };
        names.iter().map(member).collect()
    }

    #[test]
    fn order_of_members_does_not_matter() {
        let one = Ring::build(Epoch(1), members(&["a", "b", "c"])).unwrap();
        let two = Ring::build(Epoch(1), members(&["c", "a", "b"])).unwrap();
        assert_eq!(one, two);
    }

    #[test]
    fn a_new_shard_takes_only_its_share() {
        let old = Ring::build(Epoch(1), members(&["a", "b", "c"])).unwrap();
        let new = Ring::build(Epoch(2), members(&["a", "b", "c", "d"])).unwrap();
        let d = ShardId::new("d").unwrap();
        let moved = Slot::all().filter(|s| old.owner(*s) != new.owner(*s));
        let mut count = 0;
        for slot in moved {
            assert_eq!(new.owner(slot), &d);
            count += 1;
        }
        assert!((3277..=4915).contains(&count), "{count} slots moved");
    }

    #[test]
    fn a_fourth_shard_takes_a_quarter_in_the_mean_whatever_the_names() {
        let mut moved = 0;
        for set in 0..100 {
            let names = ["a", "b", "c", "d"].map(|letter| format!("{letter}{set}"));
            let names = names.each_ref().map(String::as_str);
            let old = Ring::build(Epoch(1), members(&names[..3])).unwrap();
            let new = Ring::build(Epoch(2), members(&names)).unwrap();
            let last = ShardId::new(names[3]).unwrap();
            for slot in Slot::all().filter(|s| old.owner(*s) != new.owner(*s)) {
                assert_eq!(new.owner(slot), &last, "set {set}");
                moved += 1;
            }
        }
        let share = f64::from(moved) / (100.0 * f64::from(SLOTS));
        assert!((0.23..=0.27).contains(&share), "{share} of the slots moved");
    }

    /// Its table is what a ring of many shards costs; how long it takes to
    /// place the slots is printed.
    #[test]
    fn a_ring_of_a_thousand_shards_is_small() {
        let names: Vec<String> = (0..1_000).map(|n| format!("shard-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let began = std::time::Instant::now();
        let ring = Ring::build(Epoch(1), members(&names)).unwrap();
        println!("placed in {:?}", began.elapsed());
        let table = ring.table.capacity() * size_of::<u16>();
        // Names of up to 23 bytes are part of a member.
        let members = ring.members.capacity() * size_of::<Member>();
        assert!(table + members <= 1 << 20, "{table} + {members} bytes");
    }

    #[test]
    fn wrong_members_are_refused() {
        assert_eq!(
            Ring::build(Epoch(1), Vec::new()),
            Err(RingError::Members(0))
        );
        let twice = ShardId::new("a").unwrap();
        assert_eq!(
            Ring::build(Epoch(1), members(&["a", "a"])),
            Err(RingError::Twice(twice.clone()))
        );
        let mut light = members(&["a"]);
        light[0].weight = 0;
        assert_eq!(
            Ring::build(Epoch(1), light),
            Err(RingError::Weight(twice, 0))
        );
    }
}
