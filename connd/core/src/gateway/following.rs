//! The gateway follows the groups of its sessions, and follows them again when a
//! link or the ring changes (rule 15).

use std::time::Duration;

use proto::clock::Now;
use proto::group::{GroupState, Head};
use proto::ids::{GroupId, SessionId, UserId};
use proto::limits::FOLLOWERS_MAX;
use proto::link::{Follow, MembershipVersion, ToGroup};
use proto::server::ServerPacket;
use proto::slot::Slot;

use super::{Gateway, write};
use crate::effect::Effect;
use crate::router::LinkId;

/// Before a group is followed again whose shard had no time for it.
const FOLLOW_PAUSE: Duration = Duration::from_millis(100);

impl Gateway {
    /// A session's user is a member: it gets what comes from now on.
    pub(super) fn followed(
        &mut self,
        now: Now,
        session: SessionId,
        state: GroupState,
        out: &mut Vec<Effect>,
    ) {
        let group = state.group.clone();
        let Some(local) = self.groups.get(&group) else {
            return;
        };
        let is_first = local.sessions.is_empty();
        let is_new = local.let_in(session);
        if is_first && is_new {
            local.head = Some(state.head);
        }
        if local.seen().is_some_and(|seen| seen < state.head.place) {
            // Who is here has missed something.
            self.follow_later(now, &group);
        }
        if is_new {
            write(session, ServerPacket::GroupState(Box::new(state)), out);
        }
    }

    /// A group is followed again in a moment.
    pub(super) fn follow_later(&mut self, now: Now, group: &GroupId) {
        self.groups.follow_later(group, now.moment + FOLLOW_PAUSE);
    }

    /// Rule 15: with the last entry that was seen.
    pub(super) fn follow_again(&mut self, group: &GroupId, out: &mut Vec<Effect>) {
        let Some(local) = self.groups.get(group) else {
            return;
        };
        let seen = local.seen();
        let (sessions, asked) = (local.sessions.clone(), local.asked.clone());
        if let Some(after) = seen.filter(|_| !sessions.is_empty()) {
            let mut users: Vec<UserId> = self.users_of(&sessions);
            users.sort_unstable();
            users.dedup();
            for users in users.chunks(FOLLOWERS_MAX) {
                let users = users.to_vec();
                self.to_group(group, ToGroup::FollowAgain { after, users }, out);
            }
        }
        for session in asked {
            if let Some(user) = self.live(session).map(|live| live.user.clone()) {
                self.to_group(group, ToGroup::Follow(Follow { session, user }), out);
            }
        }
    }

    /// Those of the groups of a link's shard, or all of them.
    pub(super) fn follow_all_again(&mut self, link: Option<LinkId>, out: &mut Vec<Effect>) {
        let of_link = |slot| link.is_none_or(|link| self.router.owner(slot) == link);
        let groups = self.groups.iter();
        let groups = groups.filter(|(_, local)| of_link(local.slot));
        let groups: Vec<GroupId> = groups.map(|(group, _)| group.clone()).collect();
        for group in groups {
            self.follow_again(&group, out);
        }
    }

    /// By which link each group is followed.
    pub(super) fn followed_at(&self) -> Vec<(GroupId, LinkId)> {
        let groups = self.groups.iter();
        let at = groups.map(|(group, local)| (group.clone(), self.router.owner(local.slot)));
        at.collect()
    }

    /// Former owners that live on need not send any more.
    pub(super) fn unfollow_former(
        &mut self,
        followed: Vec<(GroupId, LinkId)>,
        out: &mut Vec<Effect>,
    ) {
        for (group, former) in followed {
            let is_former = self.router.owner(Slot::of_group(&group)) != former;
            if is_former && self.router.is_up(former) {
                self.tell_group(former, &group, ToGroup::Unfollow, out);
            }
        }
    }

    pub(super) fn groups_due(&mut self, now: Now, out: &mut Vec<Effect>) {
        for group in self.groups.due(now.moment) {
            self.follow_again(&group, out);
        }
    }

    pub(super) fn followed_again(
        &mut self,
        group: &GroupId,
        head: Head,
        (gone, version): (&[UserId], MembershipVersion),
        out: &mut Vec<Effect>,
    ) {
        for session in self.sessions_in(group, |user| gone.contains(user)) {
            self.not_member(session, group, version, out);
        }
        let Some(local) = self.groups.get(group) else {
            return;
        };
        if local.seen().is_some_and(|seen| seen < head.place) {
            // It was too much to be sent: clients ask for it.
            local.head = Some(head);
            let sessions = local.sessions.clone();
            let group = group.clone();
            let packet = ServerPacket::GroupHead { group, head };
            out.push(Effect::Spread { sessions, packet });
        }
    }
}
