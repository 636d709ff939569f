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
    /// Rises with each change; 0 is older than any change.
    pub counter: u64,
    /// When a user without a session is offline.
    pub linger_until: Option<Moment>,
    /// When an offline user was last there.
    pub last_seen: Option<Stamp>,
    /// The store knows that the user is there.
    pub marked: bool,
    /// Statuses gathered for a log-in.
    pub snapshot: Option<Box<Snapshot>>,
    /// The log-in waits for the friend list before anyone is told.
    pub untold: bool,
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

impl Default for Presence {
    fn default() -> Self {
        Self {
            status: Status::offline(),
            counter: 1,
            linger_until: None,
            last_seen: None,
            marked: false,
            snapshot: None,
            untold: false,
        }
    }
}

impl Presence {
    /// Whether others may see the user as there.
    pub fn is_shown(&self) -> bool {
        self.status.availability != Availability::Offline
    }

    /// Sets another status; `true` if others see a difference.
    pub fn set(&mut self, status: Status) -> bool {
        let changed = self.visible() != visible(&status);
        self.status = status;
        if changed {
            self.counter += 1;
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

    /// What those are told who may not see the status: older than anything
    /// that they may.
    pub fn hidden(user: &UserId, token: Token) -> PeerStatus {
        PeerStatus {
            user: user.clone(),
            status: Status::offline(),
            version: StatusVersion { token, counter: 0 },
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
        let mut presence = Presence::default();
        assert!(presence.set(Status::online()));
        let shown = presence.counter;
        assert!(presence.set(Status::plain(Availability::Invisible)));
        assert_eq!(presence.visible(), Status::offline());
        assert!(presence.counter > shown);
        let user = UserId::new("ann").unwrap();
        presence.last_seen = Some(Stamp(5));
        assert_eq!(presence.told(&user, Token(3)).last_seen, None);
        assert!(!presence.set(Status::offline()));
    }
}
