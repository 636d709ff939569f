//! Links and rings come and go: rules 7 and 8.

use std::sync::Arc;

use proto::clock::Now;
use proto::ids::{SessionId, ShardId};
use proto::link::{Request, ToGroup, Up};
use proto::ring::Ring;

use super::packets::unanswerable;
use super::{Gateway, forward};
use crate::effect::Effect;
use crate::router::LinkId;
use crate::session::State;

impl Gateway {
    /// Every session is announced: those of the shard's users because it may
    /// not know them, the others so that their shards ask it again for the
    /// statuses of its users (rule 14). Then the windows of those that it
    /// concerns are sent again.
    pub(super) fn link_up(&mut self, now: Now, shard: &ShardId, out: &mut Vec<Effect>) {
        let link = self.router.link(shard);
        self.router.set_up(link, true);
        for session in self.live_sessions() {
            let Some((own, other)) = self.concerned(session, link) else {
                continue;
            };
            self.announce(session, out);
            if own || other {
                self.resend(now, session, out);
            }
        }
        self.follow_all_again(Some(link), out);
    }

    /// What was under way on the link is lost: its sessions have no shard until
    /// it is up again.
    pub(super) fn link_down(&mut self, now: Now, shard: &ShardId) {
        let link = self.router.link(shard);
        self.router.set_up(link, false);
        for session in self.live_sessions() {
            let Some((own, other)) = self.concerned(session, link) else {
                continue;
            };
            if own && let Some(live) = self.live(session) {
                live.token = None;
            }
            if own || other {
                self.stall(now, session);
            }
        }
    }

    /// Rule 7: all are announced, not only the moved. Former owners are told
    /// that these are gone: one that misses an epoch or two never loses the
    /// slot, and would keep a session that ends elsewhere meanwhile.
    pub(super) fn ring_changed(&mut self, now: Now, ring: Arc<Ring>, out: &mut Vec<Effect>) {
        if ring.epoch() <= self.router.epoch() {
            return;
        }
        let sessions = self.live_sessions();
        let owners: Vec<_> = sessions.iter().map(|s| self.owner(*s)).collect();
        let followed = self.followed_at();
        self.router.set_ring(ring);
        for (session, former) in sessions.into_iter().zip(owners) {
            if let Some(former) = former.filter(|link| self.owner(session) != Some(*link)) {
                self.leave(session, former, out);
            }
            self.announce(session, out);
            self.resend(now, session, out);
        }
        self.unfollow_former(followed, out);
        self.follow_all_again(None, out);
    }

    /// A link's queue is full. A message goes back to its window; without any
    /// other envelope the shard would not know what it must.
    pub(super) fn link_full(&mut self, now: Now, envelope: Up, out: &mut Vec<Effect>) {
        match envelope {
            Up::Submit(submit) => self.returned(now, submit.session, submit.generation),
            Up::Relay(relay) => self.relay_lost(now, relay),
            Up::Announce(announce) => self.stall(now, announce.session),
            // The session starts anew at its shard, and is offered again what
            // it has not acknowledged.
            Up::Acknowledge { session, .. }
            | Up::Request {
                session,
                request: Request::SetStatus { .. },
                ..
            } => self.announce(session, out),
            // Its session may have ended since.
            Up::Request {
                session, request, ..
            } if self.live(session).is_some() => unanswerable(session, &request, out),
            Up::Request { .. } => {}
            // Of the answers to a group's shard only who is there may be missed,
            // and what else there is finds room.
            Up::ToGroup {
                group,
                what: ToGroup::Follow(_) | ToGroup::FollowAgain { .. },
            } => self.follow_later(now, &group),
            Up::ToGroup { .. } => {}
            // It comes back only from a link that is ending, and with that the
            // shard forgets its sessions.
            Up::Gone { .. } => {}
        }
    }

    /// The link of the session's own shard.
    fn owner(&self, session: SessionId) -> Option<LinkId> {
        match &self.sessions.get(&session)?.state {
            State::Live(live) => Some(self.router.owner(live.slot)),
            State::Offered | State::Checking(_) => None,
        }
    }

    fn leave(&mut self, session: SessionId, link: LinkId, out: &mut Vec<Effect>) {
        let is_up = self.router.is_up(link);
        if let Some(live) = self.live(session).filter(|_| is_up) {
            let gone = Up::Gone {
                session,
                user: live.user.clone(),
                lost: true,
            };
            forward(link, self.router.epoch(), gone, out);
        }
    }

    fn live_sessions(&self) -> Vec<SessionId> {
        let live = |(id, entry): (&SessionId, &crate::session::Session)| match entry.state {
            State::Live(_) => Some(*id),
            State::Offered | State::Checking(_) => None,
        };
        self.sessions.iter().filter_map(live).collect()
    }

    /// Whether the link is that of the session's own shard, and whether its
    /// window holds a message for a user of the link's shard.
    fn concerned(&self, session: SessionId, link: LinkId) -> Option<(bool, bool)> {
        let State::Live(live) = &self.sessions.get(&session)?.state else {
            return None;
        };
        let own = self.router.owner(live.slot) == link;
        let to_link = |slot| self.router.owner(slot) == link;
        let other = live.sends.iter().any(|sent| to_link(sent.to.slot()));
        Some((own, other))
    }
}
