//! What an operator asks that changes nothing.

use proto::ids::{ShardId, UserId};

use super::Gateway;
use crate::operator::Connected;
use crate::session::State;

impl Gateway {
    /// The connections of a user: all are looked at.
    pub fn connected(&self, user: &UserId) -> Vec<Connected> {
        let connected = self.sessions.iter().filter_map(|(session, entry)| {
            let State::Live(live) = &entry.state else {
                return None;
            };
            (live.user == *user).then(|| Connected {
                session: *session,
                device: live.device.clone(),
                address: entry.address,
                unanswered: live.sends.iter().count(),
                unacknowledged: live.deliveries.len(),
            })
        });
        connected.collect()
    }

    /// The shards of the ring, and whether there is a link to each.
    pub fn links(&self) -> impl Iterator<Item = (&ShardId, bool)> {
        self.router.members()
    }

    /// Whether clients are asked to move.
    pub fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }
}
