//! A group that is written to without end, beside mailboxes.

use std::collections::VecDeque;
use std::time::Instant;

use msgd_core::store::{Claim, Request};
use proto::ids::Incarnation;
use store_suite::Carries;

use super::entries::{claims_group, entry, finds_group, make, member, write, writes, writing};
use super::letters::user;

const NAME: &str = "team";

/// What was asked and told of it.
pub struct Team {
    pub claim: Claim,
    /// The last entry, as asked.
    last: u64,
    /// The last entry of each write that nobody has heard of.
    asked: VecDeque<u64>,
    /// The last entries, each with when it was told.
    told: Vec<(Instant, u64)>,
}

impl Team {
    pub fn make(store: &mut impl Carries) -> Self {
        let claim = claims_group(store, Incarnation(1), NAME);
        assert!(writes(store, claim, NAME, make()));
        Self {
            claim,
            last: 0,
            asked: VecDeque::new(),
            told: Vec::new(),
        }
    }

    /// Writes of one to three entries, each with a row of a member.
    pub fn write(&mut self) -> [Request; 3] {
        [1, 2, 3].map(|count| {
            let write = write(self.last + 1..self.last + 1 + count);
            self.last += count;
            self.asked.push_back(self.last);
            writing(self.claim, NAME, write)
        })
    }

    /// Whether the next write was done. What is not may be the end of a shard's
    /// knowledge; here it is only not told.
    pub fn written(&mut self, done: bool) {
        let last = self.asked.pop_front().expect("it was asked");
        if done {
            self.told.push((Instant::now(), last));
        }
    }

    /// The last entry that was told before a time.
    pub fn told_before(&self, time: Instant) -> u64 {
        let before = self.told.iter().take_while(|(at, _)| *at <= time);
        before.last().map_or(0, |(_, last)| *last)
    }
}

/// What is there is whole: no gap, and with each entry what was written with it.
/// The last entry.
pub fn finds_team(store: &mut impl Carries) -> u64 {
    let claim = claims_group(store, Incarnation(2), NAME);
    let (group, log) = finds_group(store, claim, NAME).expect("it was made");
    let last = group.head.place.seq;
    assert!(
        log.entries == (1..=last).map(entry).collect::<Vec<_>>(),
        "{last}"
    );
    assert_eq!(group.members, [(user("ann"), member(last))]);
    last
}
