//! The deadlines of a shard in one table.
//!
//! A user in memory has at most one entry of each kind, groups, tells and acts
//! one each, and who has left memory leaves one of ten minutes at the most: so the
//! table is bounded by them. An entry may fire early for what it guards: who
//! handles it looks, and arms it again.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use proto::clock::Moment;
use proto::ids::{GroupId, UserId};

/// What is due.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The user's oldest message has no acknowledgement: it is stored.
    Delivery(UserId),
    /// The user's last connection broke and none came: they are offline.
    Linger(UserId),
    /// The friend service does not answer for this user.
    Friends(UserId),
    /// Friends hear of a status that changed soon after another change.
    Status(UserId),
    /// The user's snapshot is sent as it is.
    Snapshot(UserId),
    /// Old answers of this user are forgotten.
    Recent(UserId),
    /// A status is told again.
    Tell(u64),
    /// A change of the friend graph, or a request about a group, got no answer.
    Act(u64),
    /// A group has something to tell or to keep.
    Group(GroupId),
    /// Old answers of this group are forgotten.
    Posts(GroupId),
    /// Slots that are another's still are claimed again, and slots that the
    /// store did not take back are released again.
    Claim,
    /// The store is told that the shard is alive.
    Alive,
}

/// Deadlines by time.
#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Moment, Timer)>>,
}

impl Timers {
    /// Adds an entry. The caller knows that there is none of this name.
    pub fn arm(&mut self, at: Moment, timer: Timer) {
        self.heap.push(Reverse((at, timer)));
    }

    /// The earliest deadline.
    pub fn next(&self) -> Option<Moment> {
        self.heap.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes an entry that is due.
    pub fn due(&mut self, now: Moment) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, timer))| timer)
    }
}
