//! What an operator asks that changes nothing.

use proto::ids::{Epoch, GatewayId, Incarnation, MessageId, ShardId, UserId};
use proto::slot::Slot;

use super::Shard;
use crate::event::OPERATOR;
use crate::operator::{Held, Known, Session, Stand, Whereabouts};
use crate::user::Phase;

impl Shard {
    /// Where a user is; none: they are another shard's.
    pub fn whereabouts(&self, name: &UserId) -> Option<Whereabouts> {
        let slot = Slot::of(name);
        if !self.owns(slot) {
            return None;
        }
        let known = self.users.get(name).map(|user| {
            let session = |session: &crate::user::Session| Session {
                at: session.at,
                device: session.device.clone(),
                since: session.since,
            };
            Known {
                shown: user.presence.status.availability,
                sessions: user.sessions.iter().map(session).collect(),
            }
        });
        Some(Whereabouts { slot, known })
    }

    /// What waits for a user; none: it is not known, and any request for the
    /// user by [`OPERATOR`] makes it so.
    pub fn held(&self, name: &UserId) -> Option<Held> {
        let user = self.users.get(name)?;
        if user.phase != Phase::Open {
            return None;
        }
        let (cursor, end) = user.inbox.extent();
        let (pending, pending_bytes) = user.inbox.pending();
        Some(Held {
            cursor,
            end,
            pending,
            pending_bytes,
            last_seen: user.presence.last_seen,
        })
    }

    /// What is known of a message: on its way to a user of this shard, or
    /// answered lately. Every user in memory is looked at.
    pub fn stands(&self, id: MessageId) -> Vec<Stand> {
        let mut stands = Vec::new();
        for (to, user) in &self.users {
            stands.extend(user.inbox.on_its_way(id).map(|message| Stand {
                from: message.from.clone(),
                to: to.clone(),
                stamp: message.stamp,
                outcome: None,
            }));
            let answered = user.recent.iter().filter(|(_, other, ..)| *other == id);
            stands.extend(answered.map(|(from, _, _, sent)| Stand {
                from: from.clone(),
                to: to.clone(),
                stamp: sent.stamp,
                outcome: Some(sent.outcome.clone()),
            }));
        }
        stands
    }

    /// Its place on the ring.
    pub fn name(&self) -> &ShardId {
        &self.name
    }

    /// This start of it.
    pub fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// The ring that it knows.
    pub fn epoch(&self) -> Epoch {
        self.ring.epoch()
    }

    /// How many gateways have a link.
    pub fn gateways(&self) -> usize {
        self.gateways.len()
    }

    /// The gateway by which an envelope goes to another shard that one has
    /// brought: the same, or any for what an operator has asked.
    pub(super) fn way_by(&self, gateway: GatewayId) -> Option<GatewayId> {
        if gateway == OPERATOR {
            return self.gateways.first().copied();
        }
        Some(gateway)
    }
}
