//! What happens to the graph, and what it wants done.
//!
//! Owns the vocabulary between the graph and the shell around it. Must not
//! know what the graph makes of it.

use std::sync::Arc;

use proto::friends::{FriendList, ListVersion};
use proto::graph::{GraphAnswer, GraphRequest};
use proto::ids::UserId;

/// Names a request between [`Event::Request`] and its one
/// [`Effect::Answer`]. No two that are open have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// What happens to the graph.
#[derive(Debug)]
pub enum Event {
    /// Somebody asks.
    Request(RequestId, GraphRequest),
    /// What [`Effect::Load`] asked for; the empty list if the store has none.
    Loaded {
        /// Whose.
        user: UserId,
        /// As stored.
        list: Arc<FriendList>,
    },
    /// The list could not be read.
    LoadFailed {
        /// Whose.
        user: UserId,
    },
    /// What [`Effect::Save`] asked for is durable.
    Saved(RequestId),
    /// A version that a save names is not the stored one; nothing was saved.
    SaveConflict {
        /// Of the save.
        request: RequestId,
        /// Every list of the save, as stored.
        lists: Vec<(UserId, Arc<FriendList>)>,
    },
    /// It is not known whether the lists were saved.
    SaveFailed(RequestId),
}

/// What the graph wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read a list; becomes [`Event::Loaded`] or [`Event::LoadFailed`]. At
    /// most one is under way per user.
    Load(UserId),
    /// Write these lists, all or none, if the stored versions are the ones
    /// named; becomes one of the `Save…` events.
    Save {
        /// The change that it is for.
        request: RequestId,
        /// One or two, of different users.
        lists: Vec<Replacement>,
    },
    /// The answer to a request.
    Answer(RequestId, GraphAnswer),
}

/// A list to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// Whose.
    pub user: UserId,
    /// The version that must be the stored one; 0 if none is stored.
    pub replaces: ListVersion,
    /// The new list.
    pub list: Arc<FriendList>,
}
