//! One group of the shard's slots, as the shard has it in memory.
//!
//! Owns what belongs to one group: whom it knows, the end of its log, who follows
//! it. Must not know other groups, nor sessions.

pub mod log;
pub mod roll;
mod rules;

use std::collections::VecDeque;

use indexmap::{IndexMap, IndexSet};
use proto::clock::Moment;
use proto::ids::{GatewayId, GroupId, UserId};
use proto::rate::Usage;
use proto::slot::Slot;

use crate::recent::Recent;
use crate::user::Phase;
use crate::waiting::Waiting;
use log::{Log, Reply};
use roll::Roll;

/// A group in memory.
#[derive(Debug)]
pub struct Group {
    /// The group's slot.
    pub slot: Slot,
    /// Where it is in becoming known.
    pub phase: Phase,
    /// Envelopes that wait for that, in order.
    pub queue: VecDeque<Waiting>,
    /// What it is, and its log; none: there is no such group.
    pub known: Option<Box<Known>>,
    /// Answers given lately.
    pub recent: Recent,
    /// Messages minted before this, by the clock of whoever minted them, may have
    /// been answered without being among these; in milliseconds since 1970.
    pub known_since_ms: u64,
    /// Gateways that have sessions of members.
    pub followers: IndexMap<GatewayId, Follower>,
    /// Who was put out, until all followers have said so.
    pub removals: IndexMap<u64, Removal>,
    /// Who is online, as far as followers have said.
    pub who: Option<Box<Who>>,
    /// Messages of all members.
    pub rate: Usage,
    /// When something last happened.
    pub touched: Moment,
    /// When its timer is due; another one in the table is an old one.
    pub due_at: Option<Moment>,
    /// Likewise, when old answers are forgotten.
    pub forget_at: Option<Moment>,
    /// Stands in the shard's queue of idle groups.
    pub in_idle_queue: bool,
}

/// What a group is.
#[derive(Debug)]
pub struct Known {
    /// Whom it knows.
    pub roll: Roll,
    /// The end of its log.
    pub log: Log,
    /// Whose rows say how far they have read, and are to be written before long.
    pub reads: IndexSet<UserId>,
    /// Whose shards are to be told as what they belong to the group.
    pub untold: IndexSet<UserId>,
    /// Rows of this revision and before are durable.
    pub durable: u64,
    /// And those of this one will be, when what is being written is.
    pub writing: u64,
}

impl Known {
    /// Whether someone is out, and it is not durable yet that they are.
    pub fn is_going(&self, user: &UserId) -> bool {
        let row = self.roll.row(user);
        self.roll.role(user).is_none() && row.is_some_and(|row| row.kept.revision > self.durable)
    }
}

/// A gateway that follows a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follower {
    /// It gets what comes.
    Live,
    /// It is sent what it missed, and gets nothing else meanwhile.
    Behind {
        /// From here on.
        after: u64,
        /// The number of what is being read for it.
        reading: u64,
    },
}

/// Someone is put out, and followers are to say that they have done so.
#[derive(Debug)]
pub struct Removal {
    /// Who has not.
    pub waiting: IndexSet<GatewayId>,
    /// Who is told then.
    pub reply: Reply,
    /// Who was put out; none: all.
    pub user: Option<UserId>,
}

/// Who of the members is online.
#[derive(Debug)]
pub struct Who {
    /// The question's number.
    pub number: u64,
    /// When it was asked.
    pub since: Moment,
    /// Followers that have not said.
    pub waiting: IndexSet<GatewayId>,
    /// Who is, as far as they were named.
    pub users: IndexSet<UserId>,
    /// How many are named and are not: those beyond what an envelope holds.
    pub unnamed: u32,
    /// Who is told.
    pub replies: Vec<(Reply, Option<UserId>)>,
}

impl Group {
    /// A group of which the store was asked.
    pub fn opening(group: &GroupId, now: Moment) -> Self {
        Self {
            slot: Slot::of_group(group),
            phase: Phase::Opening,
            queue: VecDeque::new(),
            known: None,
            recent: Recent::default(),
            known_since_ms: 0,
            followers: IndexMap::new(),
            removals: IndexMap::new(),
            who: None,
            rate: Usage::default(),
            touched: now,
            due_at: None,
            forget_at: None,
            in_idle_queue: false,
        }
    }

    /// Whether it may be dropped from memory.
    pub fn is_idle(&self) -> bool {
        let known = self.known.as_ref();
        self.phase == Phase::Open
            && self.followers.is_empty()
            && self.queue.is_empty()
            && known.is_none_or(|known| {
                known.log.is_idle() && known.untold.is_empty() && known.reads.is_empty()
            })
    }
}
