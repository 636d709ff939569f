//! Gateways follow a group as long as they have sessions of its members.

use proto::clock::Now;
use proto::group::{GroupState, Head, Place};
use proto::ids::{GatewayId, GroupId, LogEpoch, UserId};
use proto::link::{Down, Follow, FromGroup, MembershipVersion};

use crate::effect::Effect;
use crate::group::Follower;
use crate::group::log::Log;
use crate::shard::{Shard, send};
use crate::store::Known;

/// So many entries are sent to a gateway that missed them; of more its clients
/// hear only, and ask.
const MISSED_MAX: u64 = 256;

impl Shard {
    /// A session of a member is there: it hears of the group, and its gateway
    /// gets what comes.
    pub(super) fn follow(
        &mut self,
        now: Now,
        gateway: GatewayId,
        name: &GroupId,
        follow: Follow,
        out: &mut Vec<Effect>,
    ) {
        let Follow { session, user } = follow;
        let known = self.groups.get(name).and_then(|group| group.known.as_ref());
        if known.is_some_and(|known| known.is_going(&user)) {
            // They may stay: what is being written may be lost.
            let group = name.clone();
            return send(gateway, Down::FromGroup(FromGroup::Busy { group }), out);
        }
        let Some(state) = self.group_state(name, &user) else {
            let not = FromGroup::NotMember {
                session,
                group: name.clone(),
                version: self.membership_version(now, name),
            };
            send(gateway, Down::FromGroup(not), out);
            return self.note_group_idle(name);
        };
        if let Some(group) = self.groups.get_mut(name) {
            group.followers.entry(gateway).or_insert(Follower::Live);
        }
        let state = Box::new(state);
        let followed = FromGroup::Followed { session, state };
        send(gateway, Down::FromGroup(followed), out);
    }

    /// Later than any word about who is a member that was told before: of what is
    /// durable.
    pub(super) fn membership_version(&mut self, now: Now, name: &GroupId) -> MembershipVersion {
        let known = self.groups.get(name).and_then(|group| group.known.as_ref());
        match known {
            Some(known) => MembershipVersion {
                epoch: known.roll.record.epoch,
                revision: known.durable,
            },
            // A group of this name that comes later has a later log.
            None => MembershipVersion {
                epoch: LogEpoch(self.stamp(now).0),
                revision: 0,
            },
        }
    }

    /// What a member is told of a group; none: they are none.
    fn group_state(&self, name: &GroupId, user: &UserId) -> Option<GroupState> {
        let known = self.groups.get(name)?.known.as_ref()?;
        let Some(Known::In { role, read, muted }) = known.roll.row(user)?.kept.known else {
            return None;
        };
        Some(GroupState {
            group: name.clone(),
            title: known.roll.record.title.clone(),
            entrance: known.roll.record.entrance,
            role,
            members: known.roll.members() as u32,
            head: known.log.head,
            read,
            muted,
        })
    }

    /// Rule 15: what was missed is sent, unless it is too much.
    pub(super) fn follow_again(
        &mut self,
        now: Now,
        gateway: GatewayId,
        name: &GroupId,
        after: Place,
        users: &[UserId],
        out: &mut Vec<Effect>,
    ) {
        if self.lacks(name, after) {
            return self.begin_anew(now, gateway, name, out);
        }
        let version = self.membership_version(now, name);
        let number = self.number();
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        let known = group.known.as_ref();
        // Who is going is dropped when that is durable.
        let is_member = |user: &&UserId| {
            known.is_some_and(|known| known.roll.role(user).is_some() || known.is_going(user))
        };
        let gone: Vec<UserId> = users
            .iter()
            .filter(|user| !is_member(user))
            .cloned()
            .collect();
        let end = known.map(|known| known.log.head);
        let mut head = end.unwrap_or(Head {
            place: after,
            messages: 0,
        });
        if gone.len() < users.len() {
            let missed = head.place.seq.saturating_sub(after.seq);
            let is_same = head.place.epoch == after.epoch;
            let follower = group.followers.entry(gateway).or_insert(Follower::Live);
            if is_same && (1..=MISSED_MAX).contains(&missed) {
                // Told of its end only what it has seen: the rest comes.
                head.place = after;
                if *follower == Follower::Live {
                    *follower = Follower::Behind {
                        after: after.seq,
                        reading: number,
                    };
                    self.catch_up(gateway, name, out);
                }
            }
        }
        let again = FromGroup::FollowedAgain {
            group: name.clone(),
            head,
            gone,
            version,
        };
        send(gateway, Down::FromGroup(again), out);
        self.note_group_idle(name);
    }

    /// Whether an entry was seen that the log does not have: the store has lost
    /// its end.
    fn lacks(&self, name: &GroupId, after: Place) -> bool {
        let known = self.groups.get(name).and_then(|group| group.known.as_ref());
        known.is_some_and(|known| {
            let Place { epoch, seq } = known.log.head.place;
            epoch == after.epoch && seq < after.seq
        })
    }

    /// A log that lost its end begins anew: numbers that were given are not given
    /// to other entries. Who follows hears of it when it follows again.
    fn begin_anew(&mut self, now: Now, gateway: GatewayId, name: &GroupId, out: &mut Vec<Effect>) {
        let epoch = LogEpoch(self.stamp(now).0);
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        // And who says so hears of it.
        group.followers.insert(gateway, Follower::Live);
        if group
            .known
            .as_ref()
            .is_some_and(|known| !known.log.is_idle())
        {
            // What is being written is given up; it says so again.
            return self.write_failed(now, name, out);
        }
        if let Some(known) = &mut group.known {
            let rows = known.roll.begin_anew(epoch);
            known.log = Log::empty(epoch);
            known.log.rows.extend(rows);
            known.log.record = true;
        }
        for (gateway, _) in std::mem::take(&mut group.followers) {
            let group = name.clone();
            send(gateway, Down::FromGroup(FromGroup::Busy { group }), out);
        }
        self.write_group(name, out);
    }

    /// A gateway has no session of a member any more.
    pub(super) fn unfollow(
        &mut self,
        now: Now,
        gateway: GatewayId,
        name: &GroupId,
        out: &mut Vec<Effect>,
    ) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        group.followers.shift_remove(&gateway);
        self.forgets_follower(now, gateway, name, out);
        self.note_group_idle(name);
    }

    /// A gateway has put out whom it was told to.
    pub(super) fn dropped(
        &mut self,
        now: Now,
        gateway: GatewayId,
        name: &GroupId,
        number: u64,
        out: &mut Vec<Effect>,
    ) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        let Some(removal) = group.removals.get_mut(&number) else {
            return;
        };
        removal.waiting.swap_remove(&gateway);
        if !removal.waiting.is_empty() {
            return;
        }
        let Some(removal) = group.removals.swap_remove(&number) else {
            return;
        };
        self.reply_code(now, &removal.reply, None, out);
        // Who came in again meanwhile may have been put out after that.
        if let Some(user) = &removal.user {
            self.say_again(now, name, removal.reply.gateway, user, out);
        }
        self.end_if_told(name, out);
    }

    /// Nobody waits for a gateway that does not follow any more.
    pub(super) fn forgets_follower(
        &mut self,
        now: Now,
        gateway: GatewayId,
        name: &GroupId,
        out: &mut Vec<Effect>,
    ) {
        let Some(group) = self.groups.get(name) else {
            return;
        };
        let waits = |numbers: &u64| group.removals[numbers].waiting.contains(&gateway);
        let numbers: Vec<u64> = group.removals.keys().copied().filter(waits).collect();
        for number in numbers {
            self.dropped(now, gateway, name, number, out);
        }
        self.who_without(now, gateway, name, out);
    }
}
