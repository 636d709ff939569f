//! Whom a client sees, and how.

use std::collections::BTreeMap;

use proto::ids::UserId;
use proto::status::{PeerStatus, Status, StatusVersion};

#[derive(Debug)]
struct Known {
    status: Status,
    /// None once a snapshot left the user out: any word is newer then.
    version: Option<StatusVersion>,
    /// Heard of since the log-in.
    fresh: bool,
}

/// The statuses of others.
#[derive(Debug, Default)]
pub struct Presence {
    known: BTreeMap<UserId, Known>,
}

impl Presence {
    pub(super) fn connected(&mut self) {
        for known in self.known.values_mut() {
            known.fresh = false;
        }
    }

    /// Takes what is newer; whom a snapshot does not name is offline.
    pub(super) fn heard(&mut self, peers: Vec<PeerStatus>, snapshot: bool) {
        for peer in peers {
            let known = self.known.entry(peer.user).or_insert_with(|| Known {
                status: Status::offline(),
                version: None,
                fresh: false,
            });
            known.fresh = true;
            if known.version < Some(peer.version) {
                known.version = Some(peer.version);
                known.status = peer.status;
            }
        }
        if snapshot {
            let left_out = self.known.values_mut().filter(|known| !known.fresh);
            for known in left_out {
                known.version = None;
                known.status = Status::offline();
            }
        }
    }

    pub(super) fn forget(&mut self, user: &UserId) {
        self.known.remove(user);
    }

    /// How it sees a user.
    pub fn of(&self, user: &UserId) -> Status {
        self.known
            .get(user)
            .map_or_else(Status::offline, |known| known.status.clone())
    }
}
