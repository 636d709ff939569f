//! What is to be done with one change, given the newest lists of its users.
//!
//! Owns the check of the versions that a change names. Must not know what else
//! waits, or where the lists come from.

use std::sync::Arc;

use proto::friends::FriendList;
use proto::graph::{Change, GraphAnswer};

use crate::event::Replacement;
use crate::rules::{self, Blocks};

/// The lists of an actor and a peer.
pub type Lists = (Arc<FriendList>, Arc<FriendList>);

/// What is to be done with a change.
#[derive(Debug)]
pub enum Decision {
    /// Nothing is to be saved.
    Answer(GraphAnswer),
    /// Lists are to be saved, all or none.
    Save {
        /// One or two, of different users.
        lists: Vec<Replacement>,
        /// Those of the pair afterwards.
        both: Lists,
    },
}

/// What comes of a change, given the newest lists of its two users.
///
/// What is refused, or is so already, is answered from these lists whatever
/// versions the asker knows.
pub fn decide(
    change: &Change,
    actor: Arc<FriendList>,
    peer: Arc<FriendList>,
    blocks: Blocks,
) -> Decision {
    let after = rules::apply(
        &actor,
        &peer,
        &change.actor,
        &change.peer,
        change.action,
        blocks,
    );
    let (new_actor, new_peer) = match after {
        Ok(lists) => lists,
        Err(code) => return Decision::Answer(GraphAnswer::Refused { code }),
    };
    let sides = [
        (&change.actor, change.actor_version, &actor, &new_actor),
        (&change.peer, change.peer_version, &peer, &new_peer),
    ];
    let changed: Vec<_> = sides
        .into_iter()
        .filter(|(_, _, old, new)| old.version() != new.version())
        .collect();
    if changed
        .iter()
        .any(|(_, known, old, _)| old.version() != *known)
    {
        return Decision::Answer(GraphAnswer::Conflict { actor, peer });
    }
    let lists: Vec<_> = changed
        .into_iter()
        .map(|(user, replaces, _, new)| Replacement {
            user: user.clone(),
            replaces,
            list: Arc::clone(new),
        })
        .collect();
    if lists.is_empty() {
        return Decision::Answer(GraphAnswer::Changed { actor, peer });
    }
    let both = (new_actor, new_peer);
    Decision::Save { lists, both }
}
