//! What an operator asks that changes nothing.

use proto::ids::{MessageId, ShardId, UserId};
use proto::link::Recipient;

use super::Gateway;
use crate::operator::{Connected, Stand};
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

    /// Where a message waits: every session is looked at.
    pub fn stands(&self, id: MessageId) -> Vec<Stand> {
        let mut stands = Vec::new();
        for entry in self.sessions.values() {
            let State::Live(live) = &entry.state else {
                continue;
            };
            let sent = live.sends.iter().filter(|message| message.id == id);
            stands.extend(sent.map(|message| Stand {
                from: live.user.clone(),
                to: message.to.clone(),
                device: live.device.clone(),
                written: false,
            }));
            let written = live.deliveries.find(id);
            stands.extend(written.map(|identity| Stand {
                from: identity.from.clone(),
                to: Recipient::User(live.user.clone()),
                device: live.device.clone(),
                written: true,
            }));
        }
        stands
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
