//! What was shown of friends, so that only changes are news.

use std::collections::HashMap;
use std::sync::Arc;

use client::{Availability, FriendEntry, FriendList, PeerStatus, Relation, UserId};

use crate::notice::Notice;

/// The list and the statuses shown last. Bounded as the friend list is.
#[derive(Debug, Default)]
pub struct Roster {
    list: Option<Arc<FriendList>>,
    shown: HashMap<UserId, Availability>,
}

impl Roster {
    /// Another list: what changed.
    pub fn list(&mut self, list: Arc<FriendList>) -> Vec<Notice> {
        let first = self.list.is_none();
        let before = self.list.replace(Arc::clone(&list));
        let before = before.unwrap_or_else(|| Arc::new(FriendList::empty()));
        let changed = list.entries().iter();
        let changed = changed.filter(|entry| before.find(&entry.user) != Some(entry));
        let changed = changed.cloned();
        let gone = before.entries().iter();
        let gone = gone.filter(|entry| list.find(&entry.user).is_none());
        let gone = gone.map(|entry| FriendEntry {
            user: entry.user.clone(),
            relation: Relation::None,
            blocked: false,
        });
        let entries = changed.chain(gone);
        let notices = entries.map(|entry| Notice::Relation { entry, first });
        let notices = notices.collect();
        self.shown.retain(|user, _| list.find(user).is_some());
        notices
    }

    /// A friend looks different.
    pub fn status(&mut self, peer: PeerStatus) -> Notice {
        let now = peer.status.availability;
        let before = self.shown.insert(peer.user.clone(), now);
        let before = before.unwrap_or(Availability::Offline);
        Notice::Presence { peer, before }
    }

    /// Whether `user` stands in the list.
    pub fn knows(&self, user: &UserId) -> bool {
        let list = self.list.as_ref();
        list.is_some_and(|list| list.find(user).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::ListVersion;

    fn list(version: u64, entries: &[(&str, Relation)]) -> Arc<FriendList> {
        let entry = |(user, relation): &(&str, Relation)| FriendEntry {
            user: user.parse().unwrap(),
            relation: *relation,
            blocked: false,
        };
        let entries = entries.iter().map(entry).collect();
        Arc::new(FriendList::new(ListVersion(version), entries).unwrap())
    }

    fn changes(notices: Vec<Notice>) -> Vec<(String, Relation)> {
        let change = |notice| match notice {
            Notice::Relation { entry, .. } => (entry.user.to_string(), entry.relation),
            other => panic!("a relation, not {other:?}"),
        };
        notices.into_iter().map(change).collect()
    }

    #[test]
    fn only_changes_are_news() {
        let (friend, invited) = (Relation::Friend, Relation::Invited);
        let mut roster = Roster::default();
        let first = roster.list(list(1, &[("ann", friend), ("ben", invited)]));
        assert_eq!(first.len(), 2);
        let next = roster.list(list(2, &[("ben", friend), ("cat", invited)]));
        let ann_gone = ("ann".to_owned(), Relation::None);
        let ben = ("ben".to_owned(), friend);
        let cat = ("cat".to_owned(), invited);
        assert_eq!(changes(next), [ben, cat, ann_gone]);
        assert!(roster.knows(&"cat".parse().unwrap()));
        assert!(!roster.knows(&"ann".parse().unwrap()));
    }
}
