//! What one user sees of their friends.
//!
//! Owns which of two statuses holds. Must not know who sends them, or sockets.

use std::collections::HashMap;

use proto::ids::UserId;
use proto::status::{Availability, PeerStatus, StatusVersion};

/// A server told what it must not tell. Whoever works on the server must act.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// A status of who is no friend.
    #[error("the status of {0}, who is no friend, was told")]
    Stranger(UserId),
    /// More than one snapshot after a log-in.
    #[error("a second snapshot was told")]
    SecondSnapshot,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    version: Option<StatusVersion>,
    online: bool,
}

/// The statuses of a user's friends since the log-in.
#[derive(Debug, Default)]
pub struct View {
    friends: HashMap<UserId, Seen>,
    snapshot: bool,
    online: usize,
}

/// What statuses brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Friends who were not seen online, and are now.
    pub came_online: u64,
    /// Statuses that told nothing new.
    pub repeated: u64,
}

impl View {
    /// Before a log-in: nothing is known of these friends.
    pub fn new(friends: impl IntoIterator<Item = UserId>) -> Self {
        let friends = friends.into_iter().map(|user| (user, Seen::default()));
        Self {
            friends: friends.collect(),
            ..Self::default()
        }
    }

    /// Another log-in: what was known holds no more.
    pub fn forget(&mut self) {
        self.snapshot = false;
        self.online = 0;
        for seen in self.friends.values_mut() {
            *seen = Seen::default();
        }
    }

    /// Takes one packet.
    pub fn take(&mut self, peers: Vec<PeerStatus>, snapshot: bool) -> Result<News, ViewError> {
        if snapshot && std::mem::replace(&mut self.snapshot, true) {
            return Err(ViewError::SecondSnapshot);
        }
        let mut news = News::default();
        for peer in peers {
            let online = peer.status.availability == Availability::Online;
            let Some(seen) = self.friends.get_mut(&peer.user) else {
                return Err(ViewError::Stranger(peer.user));
            };
            if seen.version.is_some_and(|version| version >= peer.version) {
                news.repeated += 1;
                continue;
            }
            seen.version = Some(peer.version);
            match (seen.online, online) {
                (false, true) => {
                    self.online += 1;
                    news.came_online += 1;
                }
                (true, false) => self.online -= 1,
                _ => news.repeated += 1,
            }
            seen.online = online;
        }
        Ok(news)
    }

    /// Whether the snapshot has come.
    pub fn is_whole(&self) -> bool {
        self.snapshot
    }

    /// How many friends are seen online.
    pub fn online(&self) -> usize {
        self.online
    }

    /// Whether all friends are seen online.
    pub fn all_online(&self) -> bool {
        self.online == self.friends.len()
    }

    /// Whether this friend is seen online.
    pub fn sees(&self, friend: &UserId) -> bool {
        self.friends.get(friend).is_some_and(|seen| seen.online)
    }
}

#[cfg(test)]
mod tests {
    use proto::ids::Token;
    use proto::status::Status;

    use super::*;

    fn user(name: &str) -> UserId {
        UserId::new(name).unwrap()
    }

    fn status(name: &str, counter: u64, availability: Availability) -> PeerStatus {
        PeerStatus {
            user: user(name),
            status: Status::plain(availability),
            version: StatusVersion {
                token: Token(1),
                counter,
            },
            last_seen: None,
        }
    }

    fn view() -> View {
        View::new([user("ann"), user("ben")])
    }

    #[test]
    fn the_newest_version_holds_in_whatever_order_it_comes() {
        let mut view = view();
        let first = vec![status("ann", 2, Availability::Online)];
        assert_eq!(view.take(first, false).unwrap().came_online, 1);
        assert!(!view.is_whole());
        let old = status("ann", 1, Availability::Offline);
        let ben = status("ben", 1, Availability::Online);
        let expected = News {
            came_online: 1,
            repeated: 1,
        };
        assert_eq!(view.take(vec![old, ben], true), Ok(expected));
        assert!(view.is_whole() && view.all_online());
        view.take(vec![status("ann", 3, Availability::Offline)], false)
            .unwrap();
        assert!(view.online() == 1 && !view.sees(&user("ann")) && view.sees(&user("ben")));
    }

    #[test]
    fn what_was_seen_twice_counts_once() {
        let mut view = view();
        let online = |counter| vec![status("ann", counter, Availability::Online)];
        view.take(online(1), true).unwrap();
        for counter in [1, 2] {
            let news = view.take(online(counter), false).unwrap();
            assert_eq!((news.came_online, news.repeated), (0, 1));
        }
        view.forget();
        assert_eq!(view.take(online(1), true).unwrap().came_online, 1);
    }

    #[test]
    fn strangers_and_a_second_snapshot_are_errors() {
        let mut view = view();
        let eve = status("eve", 1, Availability::Online);
        let stranger = ViewError::Stranger(user("eve"));
        assert_eq!(view.take(vec![eve], false), Err(stranger));
        view.take(Vec::new(), true).unwrap();
        assert_eq!(view.take(Vec::new(), true), Err(ViewError::SecondSnapshot));
    }
}
