//! friendd, as far as a shard sees it: lists, and answers that may fail.
//!
//! Owns the lists. Whether a change is allowed is friendd's own core to say,
//! which has a target of its own: here each is, or is refused by chance.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use msgd_core::GraphTicket;
use proto::friends::{FriendAction, FriendEntry, FriendList, ListVersion, Relation};
use proto::graph::{Change, GraphAnswer, GraphRequest};
use proto::ids::UserId;

use crate::cast::{self, USERS};
use crate::script::Script;

/// The lists, and what is asked of them.
#[derive(Debug)]
pub struct Friends {
    lists: HashMap<UserId, Arc<FriendList>>,
    asked: VecDeque<(GraphTicket, GraphRequest)>,
}

impl Friends {
    /// Everybody is everybody's friend, or nobody.
    pub fn new(are_friends: bool) -> Self {
        let list = |user: &UserId| {
            let others = USERS.iter().filter(|other| are_friends && *other != user);
            let friend = |other: &UserId| FriendEntry {
                user: other.clone(),
                relation: Relation::Friend,
                blocked: false,
            };
            let version = ListVersion(are_friends.into());
            let entries = others.map(friend).collect();
            Arc::new(FriendList::new(version, entries).expect("a short list"))
        };
        Self {
            lists: USERS
                .iter()
                .map(|user| (user.clone(), list(user)))
                .collect(),
            asked: VecDeque::new(),
        }
    }

    /// Takes a question.
    pub fn ask(&mut self, ticket: GraphTicket, request: GraphRequest) {
        self.asked.push_back((ticket, request));
    }

    /// Who asked is gone.
    pub fn forget_questions(&mut self) {
        self.asked.clear();
    }

    /// Answers the oldest question; with an empty script as it should be.
    pub fn answer(&mut self, script: &mut Script<'_>) -> Option<(GraphTicket, GraphAnswer)> {
        let (ticket, request) = self.asked.pop_front()?;
        let is_lost = script.once_in(8);
        let answer = match request {
            GraphRequest::Get { user, if_hash } => {
                let list = self.lists[&user].clone();
                if if_hash == Some(list.hash()) {
                    let version = list.version();
                    GraphAnswer::NotModified { version }
                } else {
                    GraphAnswer::List(list)
                }
            }
            GraphRequest::Change(change) => self.change(script, &change),
        };
        let answer = if is_lost {
            GraphAnswer::Unavailable
        } else {
            answer
        };
        Some((ticket, answer))
    }

    fn change(&mut self, script: &mut Script<'_>, change: &Change) -> GraphAnswer {
        let lists = |friends: &Self| {
            let list = |user| friends.lists[user].clone();
            (list(&change.actor), list(&change.peer))
        };
        let (actor, peer) = lists(self);
        let both = change.action.changes_both();
        let is_old = actor.version() != change.actor_version
            || both && peer.version() != change.peer_version;
        if is_old || script.once_in(8) {
            return GraphAnswer::Conflict { actor, peer };
        }
        if script.once_in(8) {
            let code = cast::code(script);
            return GraphAnswer::Refused { code };
        }
        let (mine, theirs) = match change.action {
            FriendAction::Request => (Relation::Requested, Relation::Invited),
            FriendAction::Accept => (Relation::Friend, Relation::Friend),
            FriendAction::Decline | FriendAction::Remove => (Relation::None, Relation::None),
            FriendAction::Block | FriendAction::Unblock => (Relation::Friend, Relation::Friend),
        };
        let blocked = change.action == FriendAction::Block;
        self.write(&change.actor, &change.peer, mine, blocked);
        if both {
            self.write(&change.peer, &change.actor, theirs, false);
        }
        let (actor, peer) = lists(self);
        GraphAnswer::Changed { actor, peer }
    }

    fn write(&mut self, owner: &UserId, about: &UserId, relation: Relation, blocked: bool) {
        let user = about.clone();
        let entry = FriendEntry {
            user,
            relation,
            blocked,
        };
        let list = self.lists[owner].with(entry).expect("a short list");
        self.lists.insert(owner.clone(), Arc::new(list));
    }
}
