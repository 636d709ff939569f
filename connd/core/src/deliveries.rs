//! The numbers of one session's deliveries, and who delivered.
//!
//! Rule 1, 'who delivered is who is told': a client's cumulative
//! acknowledgement becomes identities for the shards that delivered them.
//! Must not know what a message says.

use std::collections::VecDeque;

use proto::ids::{Identity, MessageId, UserId};
use proto::link::Identities;
use smallvec::SmallVec;

use crate::router::LinkId;

#[derive(Debug)]
struct Delivery {
    identity: Identity,
    link: LinkId,
}

/// Deliveries without an acknowledgement, in the order of their numbers.
#[derive(Debug, Default)]
pub struct Deliveries {
    waiting: VecDeque<Delivery>,
    /// The number of the last one; the first is 1.
    last: u64,
}

/// What each deliverer is told; mostly there is one.
pub type Told = SmallVec<[(LinkId, Identities); 1]>;

/// An acknowledgement of what was never delivered.
#[derive(Debug, PartialEq, Eq)]
pub struct NeverDelivered;

impl Deliveries {
    /// Gives the next number to a delivery.
    pub fn number(&mut self, identity: Identity, link: LinkId) -> u64 {
        self.waiting.push_back(Delivery { identity, link });
        self.last += 1;
        self.last
    }

    /// Whether it is on the client's way already; the new deliverer is then
    /// the one that is told.
    pub fn take_over(&mut self, from: &UserId, id: MessageId, link: LinkId) -> bool {
        let same = |d: &&mut Delivery| d.identity.id == id && d.identity.from == *from;
        match self.waiting.iter_mut().find(same) {
            Some(delivery) => {
                delivery.link = link;
                true
            }
            None => false,
        }
    }

    /// One without an acknowledgement.
    pub fn find(&self, id: MessageId) -> Option<&Identity> {
        let mut identities = self.waiting.iter().map(|delivery| &delivery.identity);
        identities.find(|identity| identity.id == id)
    }

    /// Takes out everything up to `seq`, grouped by who delivered, each group
    /// in order. A number that was acknowledged before takes out nothing.
    pub fn acknowledge(&mut self, seq: u64) -> Result<Told, NeverDelivered> {
        if seq > self.last {
            return Err(NeverDelivered);
        }
        // The waiting ones are numbered last - len + 1 ..= last.
        let first = self.last - self.waiting.len() as u64;
        let count = usize::try_from(seq.saturating_sub(first)).unwrap_or(0);
        let mut groups = Told::new();
        for delivery in self.waiting.drain(..count) {
            match groups.iter_mut().find(|(link, _)| *link == delivery.link) {
                Some((_, identities)) => identities.push(delivery.identity),
                None => {
                    let mut identities = Identities::new();
                    identities.push(delivery.identity);
                    groups.push((delivery.link, identities));
                }
            }
        }
        Ok(groups)
    }

    /// How many have no acknowledgement.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(n: u8) -> Identity {
        Identity {
            from: UserId::new("ann").unwrap(),
            id: MessageId::from_bytes([n; 16]),
        }
    }

    #[test]
    fn each_deliverer_is_told_its_own() {
        let mut deliveries = Deliveries::default();
        let (one, two) = (LinkId(1), LinkId(2));
        assert_eq!(deliveries.number(identity(1), one), 1);
        assert_eq!(deliveries.number(identity(2), two), 2);
        assert_eq!(deliveries.number(identity(3), one), 3);
        assert_eq!(deliveries.acknowledge(4), Err(NeverDelivered));
        let told = deliveries.acknowledge(2).unwrap();
        assert_eq!(told.len(), 2);
        assert_eq!((told[0].0, &told[0].1[..]), (one, &[identity(1)][..]));
        assert_eq!((told[1].0, &told[1].1[..]), (two, &[identity(2)][..]));
        assert!(deliveries.acknowledge(2).unwrap().is_empty());
        assert_eq!(deliveries.acknowledge(3).unwrap().len(), 1);
    }

    #[test]
    fn a_second_deliverer_takes_over() {
        let mut deliveries = Deliveries::default();
        deliveries.number(identity(1), LinkId(1));
        let Identity { from, id } = identity(1);
        assert!(deliveries.take_over(&from, id, LinkId(2)));
        assert_eq!(deliveries.acknowledge(1).unwrap()[0].0, LinkId(2));
        assert!(!deliveries.take_over(&from, id, LinkId(2)));
    }
}
