//! What is shown of one user, and what the user is being shown.
//!
//! Owns the user's status, its count of changes, the linger, and the snapshot
//! that is being gathered. Must not know who is told.

use proto::clock::Moment;
use proto::ids::{SessionRef, Stamp, Token, UserId};
use proto::status::{Availability, PeerStatus, Status, StatusVersion};
use smol_str::SmolStr;

/// One user's presence.
#[derive(Debug)]
pub struct Presence {
    /// What the user set; offline while there is no session and no linger.
    pub status: Status,
    /// The session whose word it is.
    by: Option<SessionRef>,
    /// When that was said, by that session's gateway.
    since: Stamp,
    /// The latest time that any session named.
    latest: Stamp,
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
            by: None,
            since: Stamp::default(),
            latest: Stamp::default(),
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

    /// Takes what a session that has come again shows if it is later than what
    /// is known; `true` if others see a difference. A session's own words are
    /// in order; those of others are compared by the clocks of their gateways.
    pub fn come(&mut self, by: SessionRef, status: Status, since: Stamp, counter: u64) -> bool {
        let known = if self.by == Some(by) {
            self.since
        } else {
            self.latest
        };
        if self.is_shown() && since <= known {
            return false;
        }
        self.say(by, status, since, counter)
    }

    /// A session's word counts; `true` if others see a difference.
    pub fn say(&mut self, by: SessionRef, status: Status, since: Stamp, counter: u64) -> bool {
        self.by = Some(by);
        self.since = since;
        self.latest = self.latest.max(since);
        self.set(status, counter)
    }

    /// Nobody is there any more; `true` if others see a difference.
    pub fn leave(&mut self, counter: u64) -> bool {
        self.by = None;
        self.latest = Stamp::default();
        self.set(Status::offline(), counter)
    }

    /// The counter is one of the shard's numbers, which outlive the user's stay
    /// in memory.
    fn set(&mut self, status: Status, counter: u64) -> bool {
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
    use proto::ids::{GatewayId, SessionId};

    use super::*;

    fn session(number: u64) -> SessionRef {
        SessionRef {
            gateway: GatewayId(900 + number),
            session: SessionId(4711),
        }
    }

    #[test]
    fn going_invisible_looks_like_going_offline() {
        let mut presence = Presence::offline(5);
        assert!(presence.say(session(1), Status::online(), Stamp(1), 7));
        let shown = presence.counter;
        let invisible = Status::plain(Availability::Invisible);
        assert!(presence.say(session(1), invisible, Stamp(2), 9));
        assert_eq!(presence.visible(), Status::offline());
        assert!(presence.counter > shown);
        let user = UserId::new("ann").unwrap();
        presence.last_seen = Some(Stamp(5));
        assert_eq!(presence.told(&user, Token(3)).last_seen, None);
        assert!(!presence.leave(11));
    }

    #[test]
    fn of_several_sessions_the_latest_word_counts() {
        let mut presence = Presence::offline(5);
        let (busy, away) = (
            Status::plain(Availability::Busy),
            Status::plain(Availability::Away),
        );
        assert!(presence.come(session(1), busy.clone(), Stamp(7), 6));
        assert!(!presence.come(session(2), away.clone(), Stamp(5), 7));
        assert_eq!(presence.status, busy);
        assert!(presence.come(session(2), Status::online(), Stamp(9), 8));
        // What is said counts, by whatever clock; and what the other showed
        // before does not come back with its announcement.
        assert!(presence.say(session(1), away.clone(), Stamp(4), 9));
        assert!(!presence.come(session(2), Status::online(), Stamp(9), 10));
        // The own later word does.
        assert!(presence.come(session(1), busy, Stamp(5), 11));
    }
}
