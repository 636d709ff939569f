//! What a shard asks of the friend service, and its answers.
//!
//! Owns the questions. Must not know how they travel or who keeps the graph.

use std::sync::Arc;

use crate::codes::Code;
use crate::friends::{FriendAction, FriendList, ListHash, ListVersion};
use crate::ids::UserId;

/// A question to the friend service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphRequest {
    /// One user's list.
    Get {
        /// Whose.
        user: UserId,
        /// The hash that the asker holds: an equal list is not sent again.
        if_hash: Option<ListHash>,
    },
    /// A change of the graph.
    Change(Change),
}

/// A change of the graph, from the versions that the asker knows.
///
/// It fails with [`GraphAnswer::Conflict`] if a list that it would change has
/// another version by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who acts.
    pub actor: UserId,
    /// On whom.
    pub peer: UserId,
    /// What.
    pub action: FriendAction,
    /// The version of the actor's list.
    pub actor_version: ListVersion,
    /// The version of the peer's list; not looked at where the action leaves
    /// that list alone.
    pub peer_version: ListVersion,
}

/// The friend service's answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GraphAnswer {
    /// The list as it is now. A user of whom nothing is known has the empty
    /// list of version 0.
    List(Arc<FriendList>),
    /// The list has the hash that was named.
    NotModified {
        /// Its version.
        version: ListVersion,
    },
    /// The change is durable. Both lists as they are now; a list that the
    /// change left alone has its old version.
    Changed {
        /// The actor's.
        actor: Arc<FriendList>,
        /// The peer's.
        peer: Arc<FriendList>,
    },
    /// A version was not the newest; nothing changed.
    Conflict {
        /// The actor's list as it is.
        actor: Arc<FriendList>,
        /// The peer's list as it is.
        peer: Arc<FriendList>,
    },
    /// The change is not allowed.
    Refused {
        /// Why.
        code: Code,
    },
    /// The service, or its store, cannot answer now. The change may have
    /// happened.
    Unavailable,
}
