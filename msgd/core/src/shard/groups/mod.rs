//! Groups of the shard's slots.
//!
//! A group comes into memory: the store is asked what it is, and what came
//! meanwhile waits, in order. Groups without business leave again. Each file
//! beside this one is one thing that happens to a group.

mod asks;
mod catch_up;
mod change;
mod follow;
mod leaving;
mod memberships;
mod own;
mod post;
mod requests;
mod who;
mod written;

use proto::clock::{Moment, Now};
use proto::codes::Code;
use proto::group::Place;
use proto::ids::{GatewayId, GroupId, Identity, Stamp, UserId};
use proto::link::{Relay, Relayed, ReturnReason, ToGroup, Up};
use proto::server::{Outcome as Fate, ServerPacket};
use proto::slot::Slot;

use super::Shard;
use super::submit::AHEAD_MAX_MS;
use crate::effect::Effect;
use crate::group::log::{Log, Reply};
use crate::group::roll::Roll;
use crate::group::{Group, Known};
use crate::store::{Claim, Found, Remembered, Request, StoredGroup};
use crate::user::Phase;
use crate::waiting::Waiting;

pub(super) use catch_up::Reading;
pub(super) use change::cannot_answer;

impl Shard {
    /// Gives the envelope back if its group is known or not needed; else it
    /// waits, or is dropped where nobody in memory means nobody there.
    pub(super) fn with_group(
        &mut self,
        now: Now,
        waiting: Waiting,
        out: &mut Vec<Effect>,
    ) -> Option<Waiting> {
        let Some(name) = group_of(&waiting.envelope) else {
            return Some(waiting);
        };
        if let Some(group) = self.groups.get_mut(name) {
            group.touched = now.moment;
            return match group.phase {
                Phase::Open => Some(waiting),
                Phase::Opening if group.queue.len() < self.settings.deferred_max => {
                    group.queue.push_back(waiting);
                    None
                }
                Phase::Opening => {
                    self.send_back(waiting, ReturnReason::Busy, out);
                    None
                }
            };
        }
        if !opens(&waiting.envelope) {
            return None;
        }
        let name = name.clone();
        if !self.open_group(now, &name, out) {
            self.send_back(waiting, ReturnReason::Busy, out);
            return None;
        }
        if let Some(group) = self.groups.get_mut(&name) {
            group.queue.push_back(waiting);
        }
        None
    }

    /// Asks the store for a group that is not in memory. `false`: no room.
    fn open_group(&mut self, now: Now, name: &GroupId, out: &mut Vec<Effect>) -> bool {
        let Some(claim) = self.slots.claim(Slot::of_group(name)) else {
            return false;
        };
        while self.groups.len() >= self.settings.groups_max
            || self.group_rows >= self.settings.group_rows_max
        {
            if !self.evict_group() {
                return false;
            }
        }
        let group = Group::opening(name, now.moment);
        self.groups.insert(name.clone(), Box::new(group));
        self.ask_group(now, claim, name, out);
        true
    }

    fn ask_group(&self, now: Now, claim: Claim, name: &GroupId, out: &mut Vec<Effect>) {
        let window_us = self.settings.recent_window.as_micros();
        let window_us = u64::try_from(window_us).unwrap_or(u64::MAX);
        out.push(Effect::Store(Request::OpenGroup {
            claim,
            group: name.clone(),
            since: Stamp(now.wall.0.saturating_sub(window_us)),
        }));
    }

    pub(super) fn group_opened(
        &mut self,
        now: Now,
        claim: Claim,
        name: &GroupId,
        found: Found,
        out: &mut Vec<Effect>,
    ) {
        if !self.slots.serves(claim) {
            return;
        }
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        if group.phase == Phase::Open {
            return;
        }
        let stored = match found {
            Found::Failed => {
                self.counters.store_failures += 1;
                let group = self.groups.swap_remove(name);
                for waiting in group.into_iter().flat_map(|group| group.queue) {
                    self.send_back(waiting, ReturnReason::Busy, out);
                }
                return;
            }
            Found::Nothing => None,
            Found::Group(stored) => Some(stored),
        };
        group.phase = Phase::Open;
        let queue = std::mem::take(&mut group.queue);
        if let Some(stored) = stored {
            self.fill_group(now, name, *stored);
            self.end_if_told(name, out);
        }
        for waiting in queue {
            self.up(now, waiting, out);
        }
        self.note_group_idle(name);
    }

    fn fill_group(&mut self, now: Now, name: &GroupId, stored: StoredGroup) {
        let bounds = self.recent_bounds();
        // A clock that was set back while the shard was away.
        self.last_stamp = self.last_stamp.max(stored.newest);
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        self.group_rows += stored.members.len();
        let epoch = stored.record.epoch;
        // What is older may stand in another log of that name.
        group.known_since_ms = Stamp(epoch.0).as_ms();
        // Some were not read: for their number or age, or they are not kept any more.
        if !stored.whole {
            let oldest = stored.latest.first().map(|logged| logged.stamp);
            let since = oldest.unwrap_or(stored.newest).as_ms() + AHEAD_MAX_MS;
            group.known_since_ms = group.known_since_ms.max(since);
        }
        let answered = stored.latest.into_iter().map(|logged| {
            let seq = logged.seq;
            let place = Place { epoch, seq };
            Remembered {
                // The group's: nobody looks at it.
                to: logged.from.clone(),
                identity: Identity {
                    from: logged.from,
                    id: logged.id,
                },
                stamp: logged.stamp,
                fingerprint: logged.fingerprint,
                fate: Fate::Logged(place),
            }
        });
        if group.recent.restore(&bounds, answered.collect()) {
            group.known_since_ms = stored.newest.as_ms() + AHEAD_MAX_MS;
        }
        let untold = stored.members.iter().filter(|(_, row)| row.untold);
        let untold = untold.map(|(user, _)| user.clone()).collect();
        group.known = Some(Box::new(Known {
            durable: stored.record.revision,
            writing: stored.record.revision,
            log: Log::ends(stored.head, stored.newest),
            roll: Roll::restored(stored.record, stored.members),
            reads: Default::default(),
            untold,
        }));
        self.arm_group(now, name);
    }

    /// A group without business stays until there is no room for another.
    pub(super) fn note_group_idle(&mut self, name: &GroupId) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        if group.is_idle() && !group.in_idle_queue {
            group.in_idle_queue = true;
            self.idle_groups.push_back(name.clone());
        }
    }

    /// Drops the group that has been idle for the longest time.
    fn evict_group(&mut self) -> bool {
        while let Some(name) = self.idle_groups.pop_front() {
            let Some(group) = self.groups.get_mut(&name) else {
                continue;
            };
            group.in_idle_queue = false;
            if group.is_idle() {
                self.forget_group(&name);
                return true;
            }
        }
        false
    }

    /// Takes a group out of memory.
    pub(super) fn forget_group(&mut self, name: &GroupId) -> Option<Box<Group>> {
        let group = self.groups.swap_remove(name)?;
        self.group_rows -= group.known.as_ref().map_or(0, |known| known.roll.len());
        Some(group)
    }

    /// What a user of this shard asked of a group is answered by the user's shard.
    pub(super) fn reply(
        &mut self,
        now: Now,
        reply: &Reply,
        packet: ServerPacket,
        out: &mut Vec<Effect>,
    ) {
        let relay = Relay {
            slot: Slot::of(&reply.actor),
            relayed: Relayed::GroupAnswer {
                request: reply.number,
                actor: reply.actor.clone(),
                packet: Box::new(packet),
            },
        };
        self.relay(now, reply.gateway, relay, out);
    }

    pub(super) fn reply_code(
        &mut self,
        now: Now,
        reply: &Reply,
        code: Option<Code>,
        out: &mut Vec<Effect>,
    ) {
        let request = reply.request;
        self.reply(now, reply, ServerPacket::GroupResult { request, code }, out);
    }

    /// An envelope for a group.
    pub(super) fn serve_group(
        &mut self,
        now: Now,
        gateway: GatewayId,
        name: &GroupId,
        what: ToGroup,
        out: &mut Vec<Effect>,
    ) {
        match what {
            ToGroup::Follow(follow) => self.follow(now, gateway, name, follow, out),
            ToGroup::FollowAgain { after, users } => {
                self.follow_again(now, gateway, name, after, &users, out);
            }
            ToGroup::Unfollow => self.unfollow(now, gateway, name, out),
            ToGroup::Dropped { number } => self.dropped(now, gateway, name, number, out),
            ToGroup::Present {
                number,
                count,
                users,
            } => self.present(now, gateway, name, (number, count), users, out),
        }
    }
}

/// The group that an envelope is for.
pub(super) fn group_of(envelope: &Up) -> Option<&GroupId> {
    match envelope {
        Up::ToGroup { group, .. } => Some(group),
        Up::Relay(relay) => match &relay.relayed {
            Relayed::Post(post) => Some(&post.group),
            Relayed::GroupTransient(transient) => Some(&transient.group),
            Relayed::GroupRead { read, .. } => Some(&read.group),
            Relayed::GroupAsk(ask) => Some(ask.what.group()),
            Relayed::MembershipKept { group, .. } => Some(group),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an envelope brings its group into memory. The others are for one
/// whose followers are known, or for nobody.
fn opens(envelope: &Up) -> bool {
    match envelope {
        Up::ToGroup { what, .. } => {
            matches!(what, ToGroup::Follow(_) | ToGroup::FollowAgain { .. })
        }
        Up::Relay(relay) => matches!(relay.relayed, Relayed::Post(_) | Relayed::GroupAsk(_)),
        _ => false,
    }
}

/// Whether a moment lies so far back.
fn is_past(now: Now, since: Moment, by: std::time::Duration) -> bool {
    now.moment.since(since) >= by
}

/// Of a row that is to be written.
fn kept(known: &Known, user: &UserId) -> Option<crate::store::MemberRow> {
    known.roll.row(user).map(|row| row.kept.clone())
}
