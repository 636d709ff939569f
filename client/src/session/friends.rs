//! This user's friend list: what is held, and when it is asked for.
//!
//! Owns the list and the asking. Must not know what the application does with
//! it.

use std::sync::Arc;
use std::time::Duration;

use proto::clock::Moment;
use proto::friends::{FriendList, ListHash, ListVersion, Relation};
use proto::ids::UserId;

/// After this long without a list it is asked for again.
const PATIENCE: Duration = Duration::from_secs(5);

/// The pause before asking again when the answer was older than announced.
const PAUSE: Duration = Duration::from_secs(1);

/// The list, and whether a newer one is wanted.
#[derive(Debug, Default)]
pub(super) struct Friends {
    list: Option<Arc<FriendList>>,
    /// A list was taken on this connection: older ones come no more.
    current: bool,
    /// The newest version that was announced.
    announced: ListVersion,
    /// The list is asked for at this moment.
    ask_at: Option<Moment>,
}

impl Friends {
    /// A new connection. Without a list one is asked for; a list that is held
    /// was named in the log-in, and the server says when it is stale.
    pub(super) fn connected(&mut self, now: Moment) {
        let list = self.list.take();
        let ask_at = list.is_none().then_some(now);
        *self = Self {
            list,
            ask_at,
            ..Self::default()
        };
    }

    /// The connection is gone: what was asked is not answered.
    pub(super) fn lost(&mut self) {
        self.ask_at = None;
    }

    /// The server named the newest list.
    pub(super) fn announced(&mut self, now: Moment, version: ListVersion, hash: ListHash) {
        if self.hash() == Some(hash) {
            return;
        }
        self.announced = self.announced.max(version);
        self.ask_at = Some(now);
    }

    /// Whether the list is to be asked for now; the question then counts as
    /// asked.
    pub(super) fn ask(&mut self, now: Moment) -> bool {
        let due = self.ask_at.is_some_and(|at| at <= now);
        if due {
            self.ask_at = Some(now + PATIENCE);
        }
        due
    }

    /// When the list is asked for again.
    pub(super) fn deadline(&self) -> Option<Moment> {
        self.ask_at
    }

    /// Takes a list unless it is older than one of this connection. Returns
    /// who is a friend no more, or `None` when nothing changed.
    pub(super) fn take(&mut self, now: Moment, list: Arc<FriendList>) -> Option<Vec<UserId>> {
        let held = self.list.as_ref();
        if self.current && held.is_some_and(|held| list.version() < held.version()) {
            return None;
        }
        self.current = true;
        let behind = list.version() < self.announced;
        self.ask_at = behind.then_some(now + PAUSE);
        let Some(former) = self.list.replace(Arc::clone(&list)) else {
            return Some(Vec::new());
        };
        if former.hash() == list.hash() {
            return None;
        }
        let gone = friends_of(&former).filter(|user| !is_friend(&list, user));
        Some(gone.cloned().collect())
    }

    pub(super) fn list(&self) -> Option<&Arc<FriendList>> {
        self.list.as_ref()
    }

    pub(super) fn hash(&self) -> Option<ListHash> {
        self.list.as_ref().map(|list| list.hash())
    }
}

fn friends_of(list: &FriendList) -> impl Iterator<Item = &UserId> {
    let friends = list.entries().iter();
    let friends = friends.filter(|entry| entry.relation == Relation::Friend);
    friends.map(|entry| &entry.user)
}

fn is_friend(list: &FriendList, user: &UserId) -> bool {
    let entry = list.find(user);
    entry.is_some_and(|entry| entry.relation == Relation::Friend)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::friends::FriendEntry;

    const START: Moment = Moment(1_000_000);

    fn list(version: u64, friends: &[&str]) -> Arc<FriendList> {
        let entry = |user: &&str| FriendEntry {
            user: UserId::new(user).unwrap(),
            relation: Relation::Friend,
            blocked: false,
        };
        let entries = friends.iter().map(entry).collect();
        Arc::new(FriendList::new(ListVersion(version), entries).unwrap())
    }

    #[test]
    fn without_a_list_one_is_asked_for_until_it_comes() {
        let mut friends = Friends::default();
        friends.connected(START);
        assert!(friends.ask(START));
        assert!(!friends.ask(START));
        assert!(friends.ask(START + PATIENCE));
        assert_eq!(friends.take(START, list(1, &["ann"])), Some(vec![]));
        assert_eq!(friends.deadline(), None);
        friends.connected(START);
        assert!(!friends.ask(START));
    }

    #[test]
    fn a_list_is_asked_for_when_another_hash_is_announced() {
        let mut friends = Friends::default();
        friends.take(START, list(3, &["ann", "ben"]));
        let newer = list(4, &["ben"]);
        friends.announced(START, ListVersion(3), friends.hash().unwrap());
        assert!(!friends.ask(START));
        friends.announced(START, newer.version(), newer.hash());
        assert!(friends.ask(START));
        let gone = vec![UserId::new("ann").unwrap()];
        assert_eq!(friends.take(START, newer), Some(gone));
        assert_eq!(friends.deadline(), None);
    }

    #[test]
    fn lists_go_forward_within_a_connection() {
        let mut friends = Friends::default();
        friends.connected(START);
        friends.take(START, list(4, &["ben"]));
        assert_eq!(friends.take(START, list(3, &["ann"])), None);
        assert_eq!(friends.list().unwrap().version(), ListVersion(4));
        friends.connected(START);
        assert!(friends.take(START, list(1, &["ann"])).is_some());
    }

    #[test]
    fn an_answer_older_than_announced_is_asked_for_again_after_a_pause() {
        let mut friends = Friends::default();
        let newer = list(5, &["ann"]);
        friends.announced(START, newer.version(), newer.hash());
        assert!(friends.ask(START));
        friends.take(START, list(4, &[]));
        assert!(!friends.ask(START));
        assert!(friends.ask(START + PAUSE));
    }
}
