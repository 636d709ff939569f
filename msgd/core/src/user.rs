//! One user of the shard's slots, as the shard has them in memory.
//!
//! Owns what belongs to one user and the order in which envelopes for them
//! wait. Must not know other users.

use std::collections::VecDeque;

use proto::clock::Moment;
use proto::group::UserGroup;
use proto::ids::{DeviceId, LoginOrder, SessionRef, Stamp, UserId};
use proto::rate::Usage;
use proto::slot::Slot;

use crate::friends::Friends;
use crate::inbox::Inbox;
use crate::own_groups::OwnGroups;
use crate::presence::Presence;
use crate::recent::Recent;

use crate::waiting::Waiting;

/// A user in memory.
#[derive(Debug)]
pub struct User {
    /// The user's slot.
    pub slot: Slot,
    /// Where the mailbox is in becoming known.
    pub phase: Phase,
    /// Live sessions; the reader of the same index in the inbox is its place
    /// in the log.
    pub sessions: Vec<Session>,
    /// Envelopes that wait, in order: for the mailbox while it is being opened,
    /// then for the friend list. Never for both.
    pub queue: VecDeque<Waiting>,
    /// The friend list and what is asked about it.
    pub friends: Friends,
    /// Messages on their way.
    pub inbox: Inbox,
    /// Answers given lately.
    pub recent: Recent,
    /// What is shown of the user.
    pub presence: Presence,
    /// Messages sent by all sessions.
    pub rate: Usage,
    /// The groups that the user belongs to; none for the many who belong to none.
    pub groups: Option<Box<OwnGroups>>,
    /// Receipts wait in the mailbox.
    pub notes: bool,
    /// When something last happened.
    pub touched: Moment,
    /// Which timers are armed.
    pub armed: Armed,
    /// Stands in the shard's queue of idle users.
    pub in_idle_queue: bool,
}

// There are many, and the allocator's next size is 512.
const _: () = assert!(size_of::<User>() <= 448);

/// Whether a user's mailbox is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The store was asked; what came for the user waits.
    Opening,
    /// It is.
    Open,
}

/// A live session.
#[derive(Debug)]
pub struct Session {
    /// Where it is.
    pub at: SessionRef,
    /// Which device.
    pub device: DeviceId,
    /// When it logged in, by its gateway.
    pub since: Stamp,
    /// Where its log-in stands among others.
    pub order: LoginOrder,
    /// Its gateway was told to hand in what it sends, for other devices.
    pub carbons_wanted: bool,
    /// Another device wants its end, and waits for it, with this number. Rare,
    /// and there are many sessions.
    pub ending: Option<Box<(SessionRef, u32)>>,
    /// Messages sent by it.
    pub rate: Usage,
}

/// Which of a user's timers stand in the table.
#[derive(Debug, Default)]
pub struct Armed {
    /// [`crate::timers::Timer::Delivery`].
    pub delivery: bool,
    /// [`crate::timers::Timer::Linger`].
    pub linger: bool,
    /// [`crate::timers::Timer::Friends`].
    pub friends: bool,
    /// [`crate::timers::Timer::Status`].
    pub status: bool,
    /// [`crate::timers::Timer::Snapshot`].
    pub snapshot: bool,
    /// [`crate::timers::Timer::Recent`].
    pub recent: bool,
}

impl User {
    /// A user of whom the store was asked; the number is the shard's newest.
    pub fn opening(user: &UserId, now: Moment, number: u64) -> Self {
        Self {
            slot: Slot::of(user),
            phase: Phase::Opening,
            sessions: Vec::new(),
            queue: VecDeque::new(),
            friends: Friends::default(),
            inbox: Inbox::default(),
            recent: Recent::default(),
            presence: Presence::offline(number),
            rate: Usage::default(),
            groups: None,
            notes: false,
            touched: now,
            armed: Armed::default(),
            in_idle_queue: false,
        }
    }

    /// The groups that the user belongs to.
    pub fn groups_named(&self) -> Vec<UserGroup> {
        let groups = self.groups.as_ref();
        groups.map(|groups| groups.named()).unwrap_or_default()
    }

    /// The index of a session.
    pub fn session(&self, at: SessionRef) -> Option<usize> {
        self.sessions.iter().position(|session| session.at == at)
    }

    /// Takes out the session of this index, and what it was waiting for.
    pub fn end_session(&mut self, now: Moment, index: usize) -> Session {
        let session = self.sessions.remove(index);
        self.inbox.detach(now, index);
        self.friends.gone(session.at);
        session
    }

    /// Whether something waits for the friend list.
    pub fn is_listing(&self) -> bool {
        self.phase == Phase::Open && !self.queue.is_empty()
    }

    /// Takes out what waits for the friend list.
    pub fn take_listing(&mut self) -> VecDeque<Waiting> {
        match self.phase {
            // An answer to a question from before the user left and came back.
            Phase::Opening => VecDeque::new(),
            Phase::Open => std::mem::take(&mut self.queue),
        }
    }

    /// Whether the user may be dropped from memory.
    pub fn is_idle(&self) -> bool {
        self.phase == Phase::Open
            && self.sessions.is_empty()
            && self.queue.is_empty()
            && self.inbox.is_idle()
            && !self.friends.is_asking()
            && !self.presence.is_shown()
            && self.groups.as_ref().is_none_or(|groups| groups.is_idle())
    }
}
