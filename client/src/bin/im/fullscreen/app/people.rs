//! Friends, invitations, and who else there is a conversation with.
//!
//! Owns what is known of each. Must not know how they are shown.

use std::collections::HashMap;
use std::sync::Arc;

use client::{Availability, FriendEntry, FriendList, PeerStatus, Relation, UserId};

use super::talks::Talks;
use crate::whom::Whom;

/// What is known of others. Bounded as the friend list is.
#[derive(Debug, Default)]
pub struct People {
    list: Option<Arc<FriendList>>,
    statuses: HashMap<UserId, PeerStatus>,
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub entry: FriendEntry,
    pub status: Option<PeerStatus>,
    pub unread: usize,
}

impl Person {
    pub fn availability(&self) -> Availability {
        let status = self.status.as_ref();
        status.map_or(Availability::Offline, |peer| peer.status.availability)
    }

    /// The smaller, the further up: unread, invitations, who is there, friends,
    /// then all others.
    pub fn rank(&self) -> u8 {
        if self.unread > 0 {
            return 0;
        }
        match self.entry.relation {
            Relation::Invited => 1,
            Relation::Friend if self.entry.blocked => 5,
            Relation::Friend if self.availability() != Availability::Offline => 2,
            Relation::Friend => 3,
            Relation::Requested => 4,
            Relation::None => 5,
        }
    }
}

impl People {
    pub fn listed(&mut self, list: Arc<FriendList>) {
        self.statuses.retain(|user, _| list.find(user).is_some());
        self.list = Some(list);
    }

    pub fn seen(&mut self, peer: PeerStatus) {
        self.statuses.insert(peer.user.clone(), peer);
    }

    /// What the list says of a user.
    pub fn entry(&self, user: &UserId) -> Option<&FriendEntry> {
        self.list.as_ref().and_then(|list| list.find(user))
    }

    /// One user, listed or not.
    pub fn person(&self, user: &UserId, unread: usize) -> Person {
        let entry = self.entry(user).cloned();
        Person {
            entry: entry.unwrap_or_else(|| stranger(user)),
            status: self.statuses.get(user).cloned(),
            unread,
        }
    }

    /// Everybody.
    pub fn all(&self, talks: &Talks) -> Vec<Person> {
        let listed = self.list.iter().flat_map(|list| list.entries());
        let listed = listed.map(|entry| &entry.user);
        let others = talks.peers().filter_map(Whom::user);
        let others = others.filter(|peer| self.entry(peer).is_none());
        let unread = |user: &UserId| {
            let talk = talks.get(&Whom::User(user.clone()));
            talk.map_or(0, |talk| talk.unread)
        };
        let people = listed.chain(others);
        people.map(|user| self.person(user, unread(user))).collect()
    }

    /// Whether the list has come.
    pub fn is_known(&self) -> bool {
        self.list.is_some()
    }
}

fn stranger(user: &UserId) -> FriendEntry {
    FriendEntry {
        user: user.clone(),
        relation: Relation::None,
        blocked: false,
    }
}
