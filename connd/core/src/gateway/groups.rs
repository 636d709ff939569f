//! Sessions come to groups and leave them; what comes from a group goes to its
//! sessions here.
//!
//! A session's own shard says in which groups its user is; the group's shard is
//! followed, says whether that is so, and sends each entry once, however many
//! sessions there are.

use proto::clock::Now;
use proto::group::{Action, Belongs, Head, Place, UserGroup};
use proto::ids::{GroupId, SessionId, UserId};
use proto::limits::FOLLOWERS_MAX;
use proto::link::{Follow, FromGroup, MembershipVersion, Request, ToGroup, Up};
use proto::server::{GroupDeliver, GroupTransientFrom, ServerPacket};
use proto::slot::Slot;
use proto::status::Availability;

use super::{Gateway, forward, write};
use crate::effect::Effect;
use crate::router::{LinkId, Route};
use crate::session::State;

impl Gateway {
    /// The user's shard names the groups of a session, the first time or again.
    pub(super) fn groups_named(
        &mut self,
        session: SessionId,
        groups: &[UserGroup],
        out: &mut Vec<Effect>,
    ) {
        let member = |of: &&UserGroup| of.belongs == Belongs::Member;
        let wanted: Vec<&GroupId> = groups.iter().filter(member).map(|of| &of.group).collect();
        let Some(live) = self.live(session) else {
            return;
        };
        let left = live.groups.iter().filter(|group| !wanted.contains(group));
        let left: Vec<GroupId> = left.cloned().collect();
        for group in left {
            self.leave_group(session, &group, None, out);
        }
        for group in wanted {
            self.enter_group(session, group, out);
        }
    }

    /// The user of a session is a member, says the user's shard.
    pub(super) fn enter_group(
        &mut self,
        session: SessionId,
        group: &GroupId,
        out: &mut Vec<Effect>,
    ) {
        let Some(live) = self.live(session) else {
            return;
        };
        if live.groups.contains(group) {
            return;
        }
        // Mostly there are few.
        live.groups.reserve_exact(1);
        live.groups.push(group.clone());
        let user = live.user.clone();
        let local = self.groups.reach(group);
        local.asked.push(session);
        let what = ToGroup::Follow(Follow { session, user });
        self.to_group(group, what, out);
    }

    /// A session is in a group no more, and hears why if that is known.
    pub(super) fn leave_group(
        &mut self,
        session: SessionId,
        group: &GroupId,
        change: Option<(UserId, Action)>,
        out: &mut Vec<Effect>,
    ) {
        let Some(live) = self.live(session) else {
            return;
        };
        let Some(at) = live.groups.iter().position(|of| of == group) else {
            return;
        };
        live.groups.swap_remove(at);
        self.put_out(session, group, out);
        let group = group.clone();
        write(session, ServerPacket::GroupLeft { group, change }, out);
    }

    /// A session has ended.
    pub(super) fn leave_groups(
        &mut self,
        session: SessionId,
        groups: &[GroupId],
        out: &mut Vec<Effect>,
    ) {
        for group in groups {
            self.put_out(session, group, out);
        }
    }

    fn put_out(&mut self, session: SessionId, group: &GroupId, out: &mut Vec<Effect>) {
        if let Some(local) = self.groups.get(group) {
            local.put_out(session);
        }
        if let Some(slot) = self.groups.forget_empty(group) {
            self.unfollow(group, slot, out);
        }
    }

    fn unfollow(&self, group: &GroupId, slot: Slot, out: &mut Vec<Effect>) {
        if let Route::Link(link) = self.router.route(slot) {
            self.tell_group(link, group, ToGroup::Unfollow, out);
        }
    }

    pub(super) fn to_group(&self, group: &GroupId, what: ToGroup, out: &mut Vec<Effect>) {
        // Where there is no link now, all is followed again when there is one.
        if let Route::Link(link) = self.router.route(Slot::of_group(group)) {
            self.tell_group(link, group, what, out);
        }
    }

    pub(super) fn tell_group(
        &self,
        link: LinkId,
        group: &GroupId,
        what: ToGroup,
        out: &mut Vec<Effect>,
    ) {
        let group = group.clone();
        let envelope = Up::ToGroup { group, what };
        forward(link, self.router.epoch(), envelope, out);
    }

    /// Something came from a group's shard.
    pub(super) fn group_says(
        &mut self,
        now: Now,
        link: LinkId,
        from: FromGroup,
        out: &mut Vec<Effect>,
    ) {
        match from {
            FromGroup::Entry(deliver) => self.entry(link, deliver, out),
            FromGroup::Transient(transient) => self.group_transient(transient, out),
            FromGroup::Followed { session, state } => self.followed(now, session, *state, out),
            FromGroup::NotMember {
                session,
                group,
                version,
            } => self.not_member(session, &group, version, out),
            FromGroup::Busy { group } => self.follow_later(now, &group),
            FromGroup::FollowedAgain {
                group,
                head,
                gone,
                version,
            } => self.followed_again(&group, head, (&gone, version), out),
            FromGroup::Drop {
                group,
                number,
                user,
                actor,
                action,
            } => {
                self.drop_from_group(&group, user.as_ref(), &(actor, action), out);
                self.tell_group(link, &group, ToGroup::Dropped { number }, out);
            }
            FromGroup::Who { group, number } => self.who(link, &group, number, out),
        }
    }

    /// One encoding for all sessions.
    fn entry(&mut self, link: LinkId, deliver: GroupDeliver, out: &mut Vec<Effect>) {
        let Some(local) = self.groups.get(&deliver.group) else {
            // Its last session has left, or the shard would not send.
            return self.tell_group(link, &deliver.group, ToGroup::Unfollow, out);
        };
        let place = Place {
            epoch: deliver.epoch,
            seq: deliver.entry.seq,
        };
        let head = Head {
            place,
            messages: deliver.entry.messages,
        };
        if local.sessions.is_empty() || !local.see(head) {
            return;
        }
        let sessions = local.sessions.clone();
        let is_change = matches!(deliver.entry.what, proto::group::Logged::Change(_));
        self.counters.group_deliveries += sessions.len() as u64;
        let packet = ServerPacket::GroupDeliver(deliver);
        out.push(match is_change {
            // Who comes and goes, come and go in crowds.
            true => Effect::SpreadLater { sessions, packet },
            false => Effect::Spread { sessions, packet },
        });
    }

    fn group_transient(&mut self, transient: GroupTransientFrom, out: &mut Vec<Effect>) {
        if let Some(local) = self.groups.get(&transient.group) {
            let sessions = local.sessions.clone();
            let packet = ServerPacket::GroupTransient(transient);
            out.push(Effect::Spread { sessions, packet });
        }
    }

    /// The user's shard is wrong, and learns it.
    pub(super) fn not_member(
        &mut self,
        session: SessionId,
        group: &GroupId,
        version: MembershipVersion,
        out: &mut Vec<Effect>,
    ) {
        let is_in = self
            .live(session)
            .is_some_and(|live| live.groups.contains(group));
        if is_in {
            self.leave_group(session, group, None, out);
            let request = Request::NotMember(group.clone(), version);
            self.ask_shard(session, request, out);
        }
    }

    /// A user was put out, or the group has ended.
    fn drop_from_group(
        &mut self,
        group: &GroupId,
        user: Option<&UserId>,
        change: &(UserId, Action),
        out: &mut Vec<Effect>,
    ) {
        let dropped = self.sessions_in(group, |of| user.is_none_or(|user| user == of));
        for session in dropped {
            self.leave_group(session, group, Some(change.clone()), out);
        }
    }

    /// The sessions in a group, asked for or there, of these users.
    pub(super) fn sessions_in(
        &mut self,
        group: &GroupId,
        which: impl Fn(&UserId) -> bool,
    ) -> Vec<SessionId> {
        let Some(local) = self.groups.get(group) else {
            return Vec::new();
        };
        let (sessions, asked) = (local.sessions.clone(), local.asked.clone());
        let of = |session: &SessionId| match &self.sessions.get(session)?.state {
            State::Live(live) => which(&live.user).then_some(*session),
            State::Offered | State::Checking(_) => None,
        };
        sessions.iter().chain(&asked).filter_map(of).collect()
    }

    pub(super) fn users_of(&self, sessions: &[SessionId]) -> Vec<UserId> {
        let user = |session: &SessionId| match &self.sessions.get(session)?.state {
            State::Live(live) => Some(live.user.clone()),
            State::Offered | State::Checking(_) => None,
        };
        sessions.iter().filter_map(user).collect()
    }

    /// Who of a group's members is here, and does not hide.
    fn who(&mut self, link: LinkId, group: &GroupId, number: u64, out: &mut Vec<Effect>) {
        let sessions = self.groups.get(group).map(|local| local.sessions.clone());
        let shown = |session: &SessionId| match &self.sessions.get(session)?.state {
            State::Live(live) if live.status.availability != Availability::Invisible => {
                Some(live.user.clone())
            }
            State::Live(_) | State::Offered | State::Checking(_) => None,
        };
        let sessions = sessions.unwrap_or_default();
        let mut users: Vec<UserId> = sessions.iter().filter_map(shown).collect();
        users.sort_unstable();
        users.dedup();
        let count = users.len() as u32;
        users.truncate(FOLLOWERS_MAX);
        let present = ToGroup::Present {
            number,
            count,
            users,
        };
        self.tell_group(link, group, present, out);
    }

    /// A client reads again that left entries out: it hears where the logs of its
    /// groups end.
    pub(super) fn drained(&mut self, session: SessionId, out: &mut Vec<Effect>) {
        let Some(groups) = self.live(session).map(|live| live.groups.clone()) else {
            return;
        };
        for group in groups {
            let local = self.groups.get(&group).filter(|local| local.has(session));
            if let Some(head) = local.and_then(|local| local.head) {
                write(session, ServerPacket::GroupHead { group, head }, out);
            }
        }
    }

    pub(super) fn check_groups(&self) {
        for (group, local) in self.groups.iter() {
            assert!(local.sessions.is_sorted());
            assert!(!local.sessions.is_empty() || !local.asked.is_empty());
            for session in local.sessions.iter().chain(&local.asked) {
                let live = match self.sessions.get(session).map(|entry| &entry.state) {
                    Some(State::Live(live)) => live,
                    // An invariant: a bug of this crate.
                    _ => panic!("{session} is in {group} and gone"),
                };
                assert!(live.groups.contains(group), "{session} is not in {group}");
            }
        }
    }
}
