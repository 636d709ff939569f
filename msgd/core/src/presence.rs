//! What is shown of one user, and what the user is being shown.
//!
//! Owns the user's status, its count of changes, the linger, and the snapshot
//! that is being gathered. Must not know who is told.

use proto::clock::Moment;
use proto::ids::{Stamp, Token, UserId};
use proto::status::{Availability, PeerStatus, Status, StatusVersion};
use smol_str::SmolStr;

/// One user's presence.
#[derive(Debug)]
pub struct Presence {
    /// What the user set; offline while there is no session and no linger.
    pub status: Status,
    /// When it was set, by the gateway of the session that did.
    pub since: Stamp,
    /// The shard's number of the last change; 0 is older than any change.
    pub counter: u64,
    /// When a user without a session is offline.
    pub linger_until: Option<Moment>,
    /// When an offline user was last there.
    pub last_seen: Option<Stamp>,
    /// The store knows that the user is there.
    pub marked: bool,
    /// Statuses gathered for a log-in.
    pub snapshot: Option<Box<Snapshot>>,
    /// When friends were last told of a change that the client asked for.
    pub told_at: Moment,
    /// Friends are to be told, once the friend list is there.
    pub untold: bool,
    /// Friends are to be asked for theirs, once the friend list is there.
    pub unasked: bool,
}

/// Statuses that are gathered for a log-in.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Questions without an answer.
    pub requests: Vec<u64>,
    /// What came.
    pub peers: Vec<PeerStatus>,
    /// When it is sent in any case.
    pub until: Moment,
}

impl Presence {
    /// Of a user who has just come into memory; the number is the shard's
    /// newest.
    pub fn offline(counter: u64) -> Self {
        Self {
            status: Status::offline(),
            since: Stamp::default(),
            counter,
            linger_until: None,
            last_seen: None,
            marked: false,
            snapshot: None,
            told_at: Moment::default(),
            untold: false,
            unasked: false,
        }
    }

    /// Whether others may see the user as there.
    pub fn is_shown(&self) -> bool {
        self.status.availability != Availability::Offline
    }

    /// Takes what a session that has come shows, unless another one set
    /// something later; `true` if others see a difference.
    pub fn come(&mut self, status: Status, since: Stamp, counter: u64) -> bool {
        if self.is_shown() && since <= self.since {
            return false;
        }
        self.set(status, since, counter)
    }

    /// Sets another status; `true` if others see a difference. The counter is
    /// one of the shard's numbers, which outlive the user's stay in memory.
    pub fn set(&mut self, status: Status, since: Stamp, counter: u64) -> bool {
        self.since = since;
        let changed = self.visible() != visible(&status);
        self.status = status;
        if changed {
            self.counter = counter;
        }
        changed
    }

    /// What others see.
    pub fn visible(&self) -> Status {
        visible(&self.status)
    }

    /// What others are told.
    pub fn told(&self, user: &UserId, token: Token) -> PeerStatus {
        let status = self.visible();
        let offline = !self.is_shown();
        PeerStatus {
            user: user.clone(),
            last_seen: self.last_seen.filter(|_| offline),
            status,
            version: StatusVersion {
                token,
                counter: self.counter,
            },
        }
    }

    /// What those are told who may not see the status. Who never saw it gets
    /// the counter 0, which is older than anything that they may see.
    pub fn hidden(user: &UserId, token: Token, counter: u64) -> PeerStatus {
        PeerStatus {
            user: user.clone(),
            status: Status::offline(),
            version: StatusVersion { token, counter },
            last_seen: None,
        }
    }
}

fn visible(status: &Status) -> Status {
    match status.availability {
        Availability::Invisible | Availability::Offline => Status {
            availability: Availability::Offline,
            text: SmolStr::default(),
        },
        Availability::Online | Availability::Away | Availability::Busy => status.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn going_invisible_looks_like_going_offline() {
        let mut presence = Presence::offline(5);
        assert!(presence.set(Status::online(), Stamp(1), 7));
        let shown = presence.counter;
        assert!(presence.set(Status::plain(Availability::Invisible), Stamp(2), 9));
        assert_eq!(presence.visible(), Status::offline());
        assert!(presence.counter > shown);
        let user = UserId::new("ann").unwrap();
        presence.last_seen = Some(Stamp(5));
        assert_eq!(presence.told(&user, Token(3)).last_seen, None);
        assert!(!presence.set(Status::offline(), Stamp(3), 11));
    }

    #[test]
    fn of_several_sessions_the_latest_word_counts() {
        let mut presence = Presence::offline(5);
        assert!(presence.come(Status::plain(Availability::Busy), Stamp(7), 6));
        assert!(!presence.come(Status::plain(Availability::Away), Stamp(5), 7));
        assert_eq!(presence.status.availability, Availability::Busy);
        assert!(presence.come(Status::online(), Stamp(9), 8));
    }
}
