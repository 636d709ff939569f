//! What an action of one user makes of two friend lists.
//!
//! Owns the rules of requests, friendship and blocks. Must not know versions
//! that somebody else holds, or where the lists come from.

use std::str::FromStr;
use std::sync::Arc;

use proto::codes::Code;
use proto::friends::{FriendAction, FriendEntry, FriendList, Relation};
use proto::ids::UserId;

/// Whether a user learns that another one has blocked them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Blocks {
    /// A friend request to somebody who has blocked the asker is refused.
    #[default]
    Told,
    /// Such a request looks as if it were merely never answered.
    Hidden,
}

/// Not a way to treat blocks. The operator must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("blocks can be told or hidden, not {0:?}")]
pub struct UnknownBlocks(String);

impl FromStr for Blocks {
    type Err = UnknownBlocks;

    fn from_str(text: &str) -> Result<Self, UnknownBlocks> {
        match text {
            "told" => Ok(Self::Told),
            "hidden" => Ok(Self::Hidden),
            _ => Err(UnknownBlocks(text.to_owned())),
        }
    }
}

/// The lists of `actor` and `peer`, in this order, after `action`.
///
/// A list that the action leaves alone is the one given, with its version; one
/// that it changes has the next version. Repeating an action that was done
/// changes nothing and is no error, except for [`FriendAction::Decline`].
///
/// A pair is in one of these states, apart from the blocked marks: strangers;
/// `Requested` and `Invited`; two times `Friend`; `Requested` alone, which is
/// what a request becomes that a hidden block keeps away from the peer.
///
/// # Errors
/// For the client to act on: [`Code::OwnSelf`], [`Code::NoRequest`],
/// [`Code::Blocked`] (only where blocks are told), [`Code::ListFull`].
pub fn apply(
    actor_list: &Arc<FriendList>,
    peer_list: &Arc<FriendList>,
    actor: &UserId,
    peer: &UserId,
    action: FriendAction,
    blocks: Blocks,
) -> Result<(Arc<FriendList>, Arc<FriendList>), Code> {
    if actor == peer {
        return Err(Code::OwnSelf);
    }
    let own = entry(actor_list, peer);
    let other = entry(peer_list, actor);
    let (own, other) = match action {
        FriendAction::Request => request(own, other, blocks)?,
        FriendAction::Accept => accept(own, other)?,
        FriendAction::Decline => decline(own, other)?,
        FriendAction::Remove => remove(own, other),
        FriendAction::Block => (blocked(own, true), other),
        FriendAction::Unblock => (blocked(own, false), other),
    };
    Ok((replaced(actor_list, own)?, replaced(peer_list, other)?))
}

/// What the actor's list says of the peer, and the peer's of the actor.
type Pair = (FriendEntry, FriendEntry);

fn request(own: FriendEntry, other: FriendEntry, blocks: Blocks) -> Result<Pair, Code> {
    match (own.relation, other.relation) {
        (Relation::Friend, _) | (Relation::Requested, Relation::Invited) => Ok((own, other)),
        // The second shape is a request that a hidden block had kept away.
        (Relation::Invited, _) | (_, Relation::Requested) => {
            Ok(related(own, other, Relation::Friend, Relation::Friend))
        }
        _ if !other.blocked => Ok(related(own, other, Relation::Requested, Relation::Invited)),
        _ => match blocks {
            Blocks::Told => Err(Code::Blocked),
            Blocks::Hidden => {
                let theirs = other.relation;
                Ok(related(own, other, Relation::Requested, theirs))
            }
        },
    }
}

fn accept(own: FriendEntry, other: FriendEntry) -> Result<Pair, Code> {
    match own.relation {
        Relation::Friend => Ok((own, other)),
        Relation::Invited => Ok(related(own, other, Relation::Friend, Relation::Friend)),
        Relation::None | Relation::Requested => Err(Code::NoRequest),
    }
}

fn decline(own: FriendEntry, other: FriendEntry) -> Result<Pair, Code> {
    match own.relation {
        Relation::Invited => Ok(related(own, other, Relation::None, Relation::None)),
        Relation::None | Relation::Requested | Relation::Friend => Err(Code::NoRequest),
    }
}

fn remove(own: FriendEntry, other: FriendEntry) -> Pair {
    match own.relation {
        Relation::Friend | Relation::Requested => {
            related(own, other, Relation::None, Relation::None)
        }
        Relation::None | Relation::Invited => (own, other),
    }
}

fn related(own: FriendEntry, other: FriendEntry, mine: Relation, theirs: Relation) -> Pair {
    let with = |entry, relation| FriendEntry { relation, ..entry };
    (with(own, mine), with(other, theirs))
}

fn blocked(own: FriendEntry, blocked: bool) -> FriendEntry {
    FriendEntry { blocked, ..own }
}

/// What the list says of `user`, also if that is nothing.
fn entry(list: &FriendList, user: &UserId) -> FriendEntry {
    list.find(user).cloned().unwrap_or_else(|| FriendEntry {
        user: user.clone(),
        relation: Relation::None,
        blocked: false,
    })
}

fn replaced(list: &Arc<FriendList>, new: FriendEntry) -> Result<Arc<FriendList>, Code> {
    if entry(list, &new.user) == new {
        return Ok(Arc::clone(list));
    }
    // A list that was sound has no user twice, so it can only be full.
    list.with(new).map(Arc::new).map_err(|_| Code::ListFull)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proto::friends::{FRIENDS_MAX, ListVersion};

    use super::*;

    const ACTIONS: [FriendAction; 6] = [
        FriendAction::Request,
        FriendAction::Accept,
        FriendAction::Decline,
        FriendAction::Remove,
        FriendAction::Block,
        FriendAction::Unblock,
    ];

    #[test]
    fn a_request_is_accepted() {
        let mut pair = Two::strangers(Blocks::Told);
        pair.ann(FriendAction::Request).unwrap();
        assert_eq!(pair.shown(), "Requested Invited");
        pair.ben(FriendAction::Accept).unwrap();
        assert_eq!(pair.shown(), "Friend Friend");
        assert_eq!(pair.versions(), (2, 2));
    }

    #[test]
    fn a_request_to_who_asked_accepts() {
        let mut pair = Two::strangers(Blocks::Told);
        pair.ann(FriendAction::Request).unwrap();
        pair.ben(FriendAction::Request).unwrap();
        assert_eq!(pair.shown(), "Friend Friend");
    }

    #[test]
    fn a_request_is_declined_or_taken_back() {
        let mut pair = Two::strangers(Blocks::Told);
        pair.ann(FriendAction::Request).unwrap();
        pair.ben(FriendAction::Decline).unwrap();
        assert_eq!(pair.shown(), "None None");
        assert_eq!(pair.ben(FriendAction::Decline), Err(Code::NoRequest));
        pair.ann(FriendAction::Request).unwrap();
        pair.ann(FriendAction::Remove).unwrap();
        assert_eq!(pair.shown(), "None None");
        assert_eq!(pair.ben(FriendAction::Accept), Err(Code::NoRequest));
    }

    #[test]
    fn either_ends_a_friendship() {
        let mut pair = Two::strangers(Blocks::Told);
        pair.ann(FriendAction::Request).unwrap();
        pair.ben(FriendAction::Accept).unwrap();
        pair.ben(FriendAction::Remove).unwrap();
        assert_eq!(pair.shown(), "None None");
    }

    #[test]
    fn a_block_keeps_the_friendship_and_the_peer_s_list() {
        let mut pair = Two::strangers(Blocks::Told);
        pair.ann(FriendAction::Request).unwrap();
        pair.ben(FriendAction::Accept).unwrap();
        pair.ben(FriendAction::Block).unwrap();
        assert_eq!(pair.shown(), "Friend Friend+blocked");
        assert_eq!(pair.versions(), (2, 3));
        pair.ben(FriendAction::Unblock).unwrap();
        assert_eq!(pair.shown(), "Friend Friend");
    }

    #[test]
    fn a_told_block_refuses_a_request() {
        let mut pair = Two::strangers(Blocks::Told);
        pair.ben(FriendAction::Block).unwrap();
        assert_eq!(pair.ann(FriendAction::Request), Err(Code::Blocked));
        assert_eq!(pair.shown(), "None None+blocked");
    }

    #[test]
    fn a_hidden_block_swallows_a_request_until_it_ends() {
        let mut pair = Two::strangers(Blocks::Hidden);
        pair.ben(FriendAction::Block).unwrap();
        pair.ann(FriendAction::Request).unwrap();
        assert_eq!(pair.shown(), "Requested None+blocked");
        assert_eq!(pair.versions(), (1, 1));
        assert_eq!(pair.ben(FriendAction::Accept), Err(Code::NoRequest));
        pair.ben(FriendAction::Unblock).unwrap();
        assert_eq!(pair.shown(), "Requested None");
        pair.ann(FriendAction::Request).unwrap();
        assert_eq!(pair.shown(), "Requested Invited");
    }

    #[test]
    fn a_request_to_who_asked_behind_a_hidden_block_accepts() {
        let mut pair = Two::strangers(Blocks::Hidden);
        pair.ben(FriendAction::Block).unwrap();
        pair.ann(FriendAction::Request).unwrap();
        pair.ben(FriendAction::Request).unwrap();
        assert_eq!(pair.shown(), "Friend Friend+blocked");
    }

    #[test]
    fn nobody_is_their_own_friend() {
        let list = Arc::new(FriendList::empty());
        let ann = user("ann");
        for action in ACTIONS {
            let refused = apply(&list, &list, &ann, &ann, action, Blocks::Told);
            assert_eq!(refused, Err(Code::OwnSelf));
        }
    }

    #[test]
    fn a_full_list_takes_no_entry_on_either_side() {
        for (mut pair, action) in [
            (Two::with_ann_full(), FriendAction::Request),
            (Two::with_ann_full(), FriendAction::Block),
            (Two::with_ann_full().turned(), FriendAction::Request),
        ] {
            let before = pair.clone();
            assert_eq!(pair.ann(action), Err(Code::ListFull), "{action:?}");
            assert_eq!(pair, before);
        }
        let mut pair = Two::with_ann_full().turned();
        pair.ann(FriendAction::Block).unwrap();
    }

    /// From strangers on, by every action of both: what a pair can be, and
    /// that doing it again changes nothing.
    #[test]
    fn pairs_reach_only_the_states_that_are_named() {
        for (blocks, states) in [(Blocks::Told, 4), (Blocks::Hidden, 6)] {
            let mut relations = BTreeSet::new();
            let mut seen = BTreeSet::new();
            let mut open = vec![Two::strangers(blocks)];
            while let Some(pair) = open.pop() {
                if !seen.insert(pair.shown()) {
                    continue;
                }
                relations.insert(pair.shown().replace("+blocked", ""));
                for action in ACTIONS {
                    for next in [pair.clone(), pair.clone().turned()] {
                        open.extend(stepped(next, action));
                    }
                }
            }
            assert_eq!(relations.len(), states, "{blocks:?}: {relations:?}");
            // Each with every combination of the two marks.
            assert_eq!(seen.len(), 4 * states, "{blocks:?}: {seen:?}");
        }
    }

    fn stepped(mut pair: Two, action: FriendAction) -> Option<Two> {
        pair.ann(action).ok()?;
        let mut again = pair.clone();
        let repeated = again.ann(action);
        if action == FriendAction::Decline {
            assert_eq!(repeated, Err(Code::NoRequest));
        } else {
            assert_eq!(repeated, Ok(()));
        }
        assert_eq!(again, pair, "{action:?}");
        Some(pair)
    }

    /// The lists of ann and ben.
    #[derive(Debug, Clone, PartialEq)]
    struct Two {
        ann: Arc<FriendList>,
        ben: Arc<FriendList>,
        blocks: Blocks,
    }

    impl Two {
        fn strangers(blocks: Blocks) -> Self {
            let empty = Arc::new(FriendList::empty());
            Self {
                ann: Arc::clone(&empty),
                ben: empty,
                blocks,
            }
        }

        fn with_ann_full() -> Self {
            let entries = (0..FRIENDS_MAX).map(|at| FriendEntry {
                user: user(&format!("friend-{at}")),
                relation: Relation::Friend,
                blocked: false,
            });
            let full = FriendList::new(ListVersion(7), entries.collect()).unwrap();
            Self {
                ann: Arc::new(full),
                ..Self::strangers(Blocks::Told)
            }
        }

        /// Who was ann is ben. For lists that name neither, or that are only
        /// looked at through `shown`.
        fn turned(self) -> Self {
            let rename = |list: &FriendList, from: &str, to: &str| {
                let entries = list.entries().iter().cloned().map(|mut entry| {
                    if entry.user == user(from) {
                        entry.user = user(to);
                    }
                    entry
                });
                Arc::new(FriendList::new(list.version(), entries.collect()).unwrap())
            };
            Self {
                ann: rename(&self.ben, "ann", "ben"),
                ben: rename(&self.ann, "ben", "ann"),
                blocks: self.blocks,
            }
        }

        fn ann(&mut self, action: FriendAction) -> Result<(), Code> {
            let (ann, ben) = (user("ann"), user("ben"));
            (self.ann, self.ben) = apply(&self.ann, &self.ben, &ann, &ben, action, self.blocks)?;
            Ok(())
        }

        fn ben(&mut self, action: FriendAction) -> Result<(), Code> {
            let (ann, ben) = (user("ann"), user("ben"));
            (self.ben, self.ann) = apply(&self.ben, &self.ann, &ben, &ann, action, self.blocks)?;
            Ok(())
        }

        fn versions(&self) -> (u64, u64) {
            (self.ann.version().0, self.ben.version().0)
        }

        fn shown(&self) -> String {
            let side = |list: &FriendList, of: &str| {
                let entry = entry(list, &user(of));
                let mark = if entry.blocked { "+blocked" } else { "" };
                format!("{:?}{mark}", entry.relation)
            };
            format!("{} {}", side(&self.ann, "ben"), side(&self.ben, "ann"))
        }
    }

    fn user(id: &str) -> UserId {
        UserId::new(id).unwrap()
    }
}
