//! What is known of others' statuses.
//!
//! Owns which of two statuses is newer and what a snapshot leaves out. Must not
//! know who is a friend.

use std::collections::HashMap;

use proto::friends::FRIENDS_MAX;
use proto::ids::UserId;
use proto::status::{PeerStatus, Status, StatusVersion};

/// One user as this client sees them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    status: PeerStatus,
    /// None once a snapshot left the user out: any word is newer then.
    version: Option<StatusVersion>,
    /// Heard of since the log-in.
    fresh: bool,
}

/// The statuses of at most [`FRIENDS_MAX`] users; nobody has more friends, and
/// what a server sends beyond is dropped.
#[derive(Debug, Default)]
pub(super) struct Presence {
    known: HashMap<UserId, Known>,
}

impl Presence {
    /// A new connection: what was heard before may be out of date.
    pub(super) fn connected(&mut self) {
        for known in self.known.values_mut() {
            known.fresh = false;
        }
    }

    /// Takes what is newer; `changed` gets each user who looks different now.
    pub(super) fn heard(
        &mut self,
        peers: Vec<PeerStatus>,
        snapshot: bool,
        changed: &mut Vec<UserId>,
    ) {
        for peer in peers {
            self.update(peer, changed);
        }
        if snapshot {
            self.leave_out(changed);
        }
    }

    fn update(&mut self, peer: PeerStatus, changed: &mut Vec<UserId>) {
        let version = Some(peer.version);
        let room = self.known.len() < FRIENDS_MAX;
        let Some(known) = self.known.get_mut(&peer.user) else {
            if room {
                changed.push(peer.user.clone());
                self.enter(peer);
            }
            return;
        };
        known.fresh = true;
        if known.version >= version {
            return;
        }
        known.version = version;
        let looks = |peer: &PeerStatus| (peer.status.clone(), peer.last_seen);
        if looks(&known.status) != looks(&peer) {
            changed.push(peer.user.clone());
        }
        known.status = peer;
    }

    fn enter(&mut self, status: PeerStatus) {
        let known = Known {
            version: Some(status.version),
            fresh: true,
            status,
        };
        self.known.insert(known.status.user.clone(), known);
    }

    /// Whom a snapshot does not name is offline, unless heard of since.
    fn leave_out(&mut self, changed: &mut Vec<UserId>) {
        for (user, known) in &mut self.known {
            if known.fresh {
                continue;
            }
            known.version = None;
            let offline = Status::offline();
            if known.status.status.availability != offline.availability {
                known.status.status = offline;
                changed.push(user.clone());
            }
        }
        changed.sort_unstable();
    }

    /// No longer a friend: nothing more is heard of them.
    pub(super) fn forget(&mut self, user: &UserId) {
        self.known.remove(user);
    }

    pub(super) fn of(&self, user: &UserId) -> Option<&PeerStatus> {
        self.known.get(user).map(|known| &known.status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::ids::Token;
    use proto::status::Availability;

    fn status(user: &str, availability: Availability, counter: u64) -> PeerStatus {
        PeerStatus {
            user: UserId::new(user).unwrap(),
            status: Status::plain(availability),
            version: StatusVersion {
                token: Token(1),
                counter,
            },
            last_seen: None,
        }
    }

    fn hear(presence: &mut Presence, peers: Vec<PeerStatus>, snapshot: bool) -> Vec<String> {
        let mut changed = Vec::new();
        presence.heard(peers, snapshot, &mut changed);
        changed.iter().map(UserId::to_string).collect()
    }

    fn shown(presence: &Presence, user: &str) -> Availability {
        let user = UserId::new(user).unwrap();
        presence.of(&user).unwrap().status.availability
    }

    #[test]
    fn an_older_status_covers_nothing() {
        let mut presence = Presence::default();
        let away = status("ben", Availability::Away, 5);
        assert_eq!(hear(&mut presence, vec![away], false), ["ben"]);
        let online = status("ben", Availability::Online, 4);
        assert!(hear(&mut presence, vec![online], false).is_empty());
        assert_eq!(shown(&presence, "ben"), Availability::Away);
        let online = status("ben", Availability::Online, 6);
        assert_eq!(hear(&mut presence, vec![online], false), ["ben"]);
    }

    #[test]
    fn a_snapshot_turns_the_unnamed_offline_but_not_who_was_heard_since() {
        let mut presence = Presence::default();
        let all = ["ann", "ben", "cat"].map(|user| status(user, Availability::Online, 1));
        hear(&mut presence, all.to_vec(), true);
        presence.connected();
        hear(
            &mut presence,
            vec![status("cat", Availability::Online, 1)],
            false,
        );
        let ann = status("ann", Availability::Online, 1);
        assert_eq!(hear(&mut presence, vec![ann], true), ["ben"]);
        assert_eq!(shown(&presence, "ben"), Availability::Offline);
        assert_eq!(shown(&presence, "cat"), Availability::Online);
    }

    #[test]
    fn who_was_left_out_may_come_later_with_the_old_version() {
        let mut presence = Presence::default();
        let ben = status("ben", Availability::Online, 9);
        hear(&mut presence, vec![ben.clone()], true);
        presence.connected();
        assert_eq!(hear(&mut presence, vec![], true), ["ben"]);
        assert_eq!(hear(&mut presence, vec![ben], false), ["ben"]);
        assert_eq!(shown(&presence, "ben"), Availability::Online);
    }
}
