//! Messages for a client: shown once, acknowledged once taken.

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use proto::client::ClientPacket;
use proto::ids::Identity;
use proto::server::Deliver;

use super::{Does, Waking};
use crate::agenda::{MS, Time};

/// What waits for the person, and what was shown.
#[derive(Debug, Default)]
pub struct Inbox {
    waiting: VecDeque<(Identity, Bytes)>,
    shown: BTreeSet<Identity>,
    /// The deliveries of this connection, from the first that is not
    /// acknowledged.
    numbered: VecDeque<Identity>,
    /// The number of the last delivery.
    last: u64,
    /// What was acknowledged.
    acknowledged: u64,
    /// The person takes a message after this.
    pub pause: Time,
    /// Until then the person takes nothing.
    pub away_until: Time,
}

impl Inbox {
    /// What was shown by an earlier process.
    pub(super) fn remember(&mut self, ids: impl Iterator<Item = Identity>) {
        self.shown.extend(ids);
    }

    /// What was shown.
    pub fn shown(&self) -> impl Iterator<Item = &Identity> {
        self.shown.iter()
    }

    /// How many wait to be taken.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How many deliveries of this connection are not acknowledged.
    pub fn unacknowledged(&self) -> usize {
        self.numbered.len()
    }

    pub(super) fn connected(&mut self) {
        self.numbered.clear();
        self.last = 0;
        self.acknowledged = 0;
    }

    pub(super) fn arrived(&mut self, now: Time, deliver: Deliver, out: &mut Vec<Does>) {
        let identity = Identity {
            from: deliver.from,
            id: deliver.id,
        };
        assert_eq!(deliver.seq, self.last + 1, "deliveries have no gap");
        self.last = deliver.seq;
        out.push(Does::Got(identity.clone()));
        self.numbered.push_back(identity.clone());
        let known = self.shown.contains(&identity) || self.waits(&identity);
        if !known {
            self.waiting.push_back((identity, deliver.body));
        }
        let at = (now + self.pause).max(self.away_until);
        out.push(Does::Wake(at, Waking::Take));
    }

    fn waits(&self, identity: &Identity) -> bool {
        self.waiting.iter().any(|(waiting, _)| waiting == identity)
    }

    /// The person takes the oldest.
    pub(super) fn take(&mut self, now: Time, out: &mut Vec<Does>) {
        if now < self.away_until {
            out.push(Does::Wake(self.away_until, Waking::Take));
            return;
        }
        let Some((identity, body)) = self.waiting.pop_front() else {
            return;
        };
        self.shown.insert(identity.clone());
        out.push(Does::Showed(identity, body.to_vec()));
        if !self.waiting.is_empty() {
            out.push(Does::Wake(now + self.pause.max(MS), Waking::Take));
        }
    }

    /// Acknowledges the unbroken run of what was taken.
    pub(super) fn acknowledge(&mut self, out: &mut Vec<Does>) {
        while let Some(first) = self.numbered.front()
            && self.shown.contains(first)
        {
            self.numbered.pop_front();
        }
        let seq = self.last - self.numbered.len() as u64;
        if seq > self.acknowledged {
            self.acknowledged = seq;
            out.push(Does::Write(ClientPacket::Ack { seq }));
        }
    }
}
