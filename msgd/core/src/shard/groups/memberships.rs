//! The shards of members are told as what these belong to the group, again and
//! again until they keep it; and how far members have read is kept.

use std::time::Duration;

use proto::client::GroupRead;
use proto::clock::Now;
use proto::ids::{GatewayId, GroupId, UserId};
use proto::link::{Membership, MembershipVersion, Relay, Relayed};
use proto::slot::Slot;

use crate::effect::Effect;
use crate::group::roll::{Row, belongs};
use crate::shard::Shard;
use crate::store::{Known, Request};
use crate::timers::Timer;

/// How often a group is looked at that has something to tell or to keep.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

/// Members whose shards are told at one look.
const TOLD_AT_ONCE: usize = 64;

impl Shard {
    /// Something about these members changed.
    pub(super) fn tell_members(
        &mut self,
        now: Now,
        name: &GroupId,
        gateway: GatewayId,
        users: &[UserId],
        out: &mut Vec<Effect>,
    ) {
        for user in users.iter().take(TOLD_AT_ONCE) {
            self.tell_member(now, name, gateway, user, out);
        }
        let known = self
            .groups
            .get_mut(name)
            .and_then(|group| group.known.as_mut());
        if let Some(known) = known {
            let is_untold = |user: &&UserId| {
                let row = known.roll.row(user);
                row.is_some_and(|row| row.kept.untold)
            };
            known.untold.extend(users.iter().filter(is_untold).cloned());
        }
        self.arm_group(now, name);
    }

    fn tell_member(
        &mut self,
        now: Now,
        name: &GroupId,
        gateway: GatewayId,
        user: &UserId,
        out: &mut Vec<Effect>,
    ) {
        let known = self.groups.get(name).and_then(|group| group.known.as_ref());
        let Some(known) = known else {
            return;
        };
        // What is told is durable, or it might not come about.
        let is_due = |row: &&Row| row.kept.untold && row.kept.revision <= known.durable;
        let Some(row) = known.roll.row(user).filter(is_due) else {
            return;
        };
        let relay = Relay {
            slot: Slot::of(user),
            relayed: Relayed::Membership(Box::new(Membership {
                group: name.clone(),
                user: user.clone(),
                belongs: belongs(row.kept.known.as_ref()),
                version: MembershipVersion {
                    epoch: known.roll.record.epoch,
                    revision: row.kept.revision,
                },
            })),
        };
        self.relay(now, gateway, relay, out);
    }

    /// As what someone belongs to the group, whoever knows it already.
    pub(super) fn say_as_it_is(
        &mut self,
        now: Now,
        name: &GroupId,
        gateway: GatewayId,
        user: &UserId,
        out: &mut Vec<Effect>,
    ) {
        let known = self.groups.get(name).and_then(|group| group.known.as_ref());
        let Some(known) = known else {
            return;
        };
        let row = known.roll.row(user);
        let revision = row.map_or(known.roll.record.revision, |row| row.kept.revision);
        if revision > known.durable {
            return;
        }
        let membership = Membership {
            group: name.clone(),
            user: user.clone(),
            belongs: row.and_then(|row| belongs(row.kept.known.as_ref())),
            version: MembershipVersion {
                epoch: known.roll.record.epoch,
                revision,
            },
        };
        let relay = Relay {
            slot: Slot::of(user),
            relayed: Relayed::Membership(Box::new(membership)),
        };
        self.relay(now, gateway, relay, out);
    }

    /// A member is told so once more, by a newer word.
    pub(super) fn say_again(
        &mut self,
        now: Now,
        name: &GroupId,
        gateway: GatewayId,
        user: &UserId,
        out: &mut Vec<Effect>,
    ) {
        let known = self
            .groups
            .get_mut(name)
            .and_then(|group| group.known.as_mut());
        let Some(known) = known.filter(|known| known.roll.role(user).is_some()) else {
            return;
        };
        known.roll.say_again(user);
        known.log.rows.insert(user.clone());
        known.log.record = true;
        self.tell_members(now, name, gateway, std::slice::from_ref(user), out);
        self.write_group(name, out);
    }

    /// A member's shard keeps what it was told.
    pub(in crate::shard) fn membership_kept(
        &mut self,
        name: &GroupId,
        user: &UserId,
        version: MembershipVersion,
        out: &mut Vec<Effect>,
    ) {
        let known = self
            .groups
            .get_mut(name)
            .and_then(|group| group.known.as_mut());
        let Some(known) = known else {
            return;
        };
        let before = known.roll.len();
        let is_newest =
            known.roll.record.epoch == version.epoch && known.roll.told(user, version.revision);
        if !is_newest {
            return;
        }
        self.group_rows = self.group_rows + known.roll.len() - before;
        known.untold.swap_remove(user);
        known.log.rows.insert(user.clone());
        self.write_group(name, out);
        self.end_if_told(name, out);
    }

    /// Of a group that has ended nothing is kept when all its members know it, nor
    /// is it in memory: if the store fails now, who asks for it next finds it as it
    /// is there, and it ends then.
    pub(super) fn end_if_told(&mut self, name: &GroupId, out: &mut Vec<Effect>) {
        let Some(group) = self.groups.get(name) else {
            return;
        };
        let Some(claim) = self.slots.claim(group.slot) else {
            return;
        };
        let has_ended = group.known.as_ref().is_some_and(|known| {
            known.roll.record.dissolved && known.untold.is_empty() && known.log.is_idle()
        });
        if has_ended && group.removals.is_empty() {
            self.forget_group(name);
            let group = name.clone();
            out.push(Effect::Store(Request::EndGroup { claim, group }));
        }
    }

    /// A member has read up to here.
    pub(in crate::shard) fn group_read(&mut self, now: Now, user: &UserId, read: &GroupRead) {
        let known = self
            .groups
            .get_mut(&read.group)
            .and_then(|group| group.known.as_mut());
        let Some(known) = known.filter(|known| known.roll.record.epoch == read.epoch) else {
            return;
        };
        let head = known.log.head;
        let row = known.roll.row_mut(user);
        let Some(Known::In { read: kept, .. }) = row.and_then(|row| row.kept.known.as_mut()) else {
            return;
        };
        let is_further = read.read.seq > kept.seq && read.read.seq <= head.place.seq;
        if is_further {
            kept.seq = read.read.seq;
            // The client's own count; a wrong one is its own loss.
            kept.messages = read.read.messages.min(head.messages).max(kept.messages);
            known.reads.insert(user.clone());
            self.arm_group(now, &read.group);
        }
    }

    /// A group that has something to tell or to keep is looked at before long.
    pub(super) fn arm_group(&mut self, now: Now, name: &GroupId) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        let known = group.known.as_ref();
        let has_business = group.who.is_some()
            || known.is_some_and(|known| !known.untold.is_empty() || !known.reads.is_empty());
        if has_business && group.due_at.is_none() {
            let at = now.moment + LOOK_PAUSE;
            group.due_at = Some(at);
            self.timers.arm(at, Timer::Group(name.clone()));
        }
        if !group.recent.is_empty() && group.forget_at.is_none() {
            let at = now.moment + self.settings.recent_window / 2;
            group.forget_at = Some(at);
            self.timers.arm(at, Timer::Posts(name.clone()));
        }
    }

    /// Old answers are forgotten.
    pub(in crate::shard) fn posts_due(&mut self, now: Now, name: &GroupId) {
        let bounds = self.recent_bounds();
        let (earliest, _) = self.span.look(now);
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        if group.forget_at.is_none_or(|due| due > now.moment) {
            return;
        }
        group.forget_at = None;
        group.recent.forget(&bounds, earliest);
        self.arm_group(now, name);
    }

    pub(in crate::shard) fn group_due(&mut self, now: Now, name: &GroupId, out: &mut Vec<Effect>) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        // It may be of a group that came anew.
        if group.due_at.is_none_or(|due| due > now.moment) {
            return;
        }
        group.due_at = None;
        let gateway = self.gateways.first().copied();
        let mut untold = Vec::new();
        if let Some(known) = &mut group.known {
            known.log.rows.extend(std::mem::take(&mut known.reads));
            untold.extend(known.untold.iter().take(TOLD_AT_ONCE).cloned());
            // Each has its turn: one whose shard is away stays the others' delay
            // no longer than this.
            for user in &untold {
                known.untold.shift_remove(user);
                known.untold.insert(user.clone());
            }
        }
        self.who_due(now, name, out);
        self.write_group(name, out);
        if let Some(gateway) = gateway {
            for user in untold {
                self.tell_member(now, name, gateway, &user, out);
            }
        }
        self.arm_group(now, name);
        self.note_group_idle(name);
    }
}
