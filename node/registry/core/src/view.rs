//! The cluster as everybody of one epoch sees it.
//!
//! Owns the ring together with what the registry says of its shards. Must not
//! know servers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proto::ids::{Incarnation, ShardId};
use proto::ring::{Member, Ring, RingError};

use crate::look::{Berth, Look, Record};

/// How a process stands that joined as a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is on the ring.
    Member,
    /// It is known and has no slots until somebody gives it weight again.
    Drained,
    /// It was taken off: it gives up what it has, and ends.
    Removed,
    /// It was called dead, or forgotten: it is nobody any more.
    Over,
    /// Another process has its name now: it gives up what it has, and ends.
    Replaced,
}

/// Who has slots, with their shares.
pub fn members(look: &Look) -> Vec<Member> {
    let with_weight = look.found.iter().filter(|found| found.record.weight > 0);
    let member = with_weight.map(|found| Member {
        shard: found.name.clone(),
        weight: found.record.weight,
    });
    member.collect()
}

/// The ring, where its shards are, and where clients may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    ring: Arc<Ring>,
    shards: BTreeMap<ShardId, Record>,
    /// Who is off the ring, and has not ended.
    leavers: BTreeSet<Incarnation>,
    gateways: Vec<String>,
}

impl View {
    /// Places the slots, which takes long for many shards.
    ///
    /// # Errors
    /// No shard has any weight, or there are too many.
    pub fn build(look: &Look) -> Result<Self, RingError> {
        Ok(Self::of(
            Arc::new(Ring::build(look.epoch, members(look))?),
            look,
        ))
    }

    /// The same for who has the ring already.
    pub fn of(ring: Arc<Ring>, look: &Look) -> Self {
        let shards = look.found.iter();
        Self {
            ring,
            shards: shards
                .map(|found| (found.name.clone(), found.record.clone()))
                .collect(),
            leavers: look.leavers.iter().map(|l| l.incarnation).collect(),
            gateways: look.gateways.clone(),
        }
    }

    /// The ring of a static list, with the address of each shard: nobody has
    /// joined, and nobody leaves.
    pub fn fixed(ring: Arc<Ring>, shards: impl Iterator<Item = (ShardId, String)>) -> Self {
        let record = |(name, address)| {
            let record = Record {
                weight: 1,
                since: ring.epoch(),
                incarnation: Incarnation(0),
                berth: Berth(0),
                address,
            };
            (name, record)
        };
        Self {
            shards: shards.map(record).collect(),
            ring,
            leavers: BTreeSet::new(),
            gateways: Vec::new(),
        }
    }

    /// The same with other gateways: they come and go within an epoch.
    pub fn with_gateways(&self, gateways: Vec<String>) -> Self {
        Self {
            gateways,
            ..self.clone()
        }
    }

    /// Which shard has which slot.
    pub fn ring(&self) -> &Arc<Ring> {
        &self.ring
    }

    /// Every shard, drained ones too.
    pub fn shards(&self) -> impl Iterator<Item = (&ShardId, &Record)> {
        self.shards.iter()
    }

    /// What is known of a shard.
    pub fn shard(&self, name: &ShardId) -> Option<&Record> {
        self.shards.get(name)
    }

    /// The public addresses of gateways.
    pub fn gateways(&self) -> &[String] {
        &self.gateways
    }

    /// How a process stands.
    pub fn standing(&self, name: &ShardId, incarnation: Incarnation) -> Standing {
        match self.shards.get(name) {
            None if self.leavers.contains(&incarnation) => Standing::Removed,
            None => Standing::Over,
            Some(record) if record.incarnation != incarnation => Standing::Replaced,
            Some(record) if record.weight == 0 => Standing::Drained,
            Some(_) => Standing::Member,
        }
    }
}

#[cfg(test)]
mod tests {
    use proto::ids::Epoch;
    use proto::slot::Slot;

    use super::*;
    use crate::look::{Found, Leaver, Sign};

    fn look(records: &[(&str, &str)]) -> Look {
        let found = |(name, record): &(&str, &str)| Found {
            name: name.parse().unwrap(),
            record: record.parse().unwrap(),
            lease: None,
            sign: Sign::Lost,
        };
        Look {
            epoch: Epoch(3),
            found: records.iter().map(found).collect(),
            leavers: Vec::new(),
            gateways: Vec::new(),
        }
    }

    #[test]
    fn who_is_drained_has_no_slots_and_is_known() {
        let mut both = look(&[("a", "1 3 1 7 x:1"), ("b", "0 2 2 7 y:1")]);
        both.leavers.push(Leaver {
            name: "c".parse().unwrap(),
            incarnation: Incarnation(4),
            berth: Berth(7),
            sign: Sign::Lost,
        });
        let view = View::build(&both).unwrap();
        let (a, b) = ("a".parse().unwrap(), "b".parse().unwrap());
        assert!(Slot::all().all(|slot| *view.ring().owner(slot) == a));
        assert_eq!(view.ring().epoch(), Epoch(3));
        assert_eq!(view.shard(&b).unwrap().address, "y:1");
        assert_eq!(view.standing(&a, Incarnation(1)), Standing::Member);
        assert_eq!(view.standing(&a, Incarnation(9)), Standing::Replaced);
        assert_eq!(view.standing(&b, Incarnation(2)), Standing::Drained);
        let c = "c".parse().unwrap();
        assert_eq!(view.standing(&c, Incarnation(4)), Standing::Removed);
        assert_eq!(view.standing(&c, Incarnation(1)), Standing::Over);
    }

    #[test]
    fn a_ring_of_nobody_is_none() {
        assert!(View::build(&look(&[])).is_err());
        assert!(View::build(&look(&[("a", "0 1 1 7 x:1")])).is_err());
    }
}
