//! Groups leave the shard with their slots, and gateways that followed them are
//! gone.

use std::collections::HashMap;

use proto::clock::Now;
use proto::codes::Code;
use proto::ids::{GatewayId, GroupId, UserId};
use proto::link::{Down, FromGroup, ReturnReason};
use proto::slot::Slot;

use super::kept;
use crate::effect::Effect;
use crate::group::Group;
use crate::group::log::{Pending, Then, id};
use crate::shard::{Shard, send};
use crate::store::{Claim, GroupWrite, Request};

impl Shard {
    /// Rule 3, for the groups of a slot: what is not durable goes back to where
    /// it came from, how far members have read is kept. Who has the slot next
    /// finds in the log what became durable.
    pub(in crate::shard) fn give_up_groups(
        &mut self,
        now: Now,
        claims: &[Claim],
        out: &mut Vec<Effect>,
    ) {
        let claims: HashMap<Slot, Claim> =
            claims.iter().map(|claim| (claim.slot, *claim)).collect();
        let claim_of = |slot: Slot| claims.get(&slot).copied();
        let going = self.groups.iter();
        let going = going.filter_map(|(name, group)| Some((name.clone(), claim_of(group.slot)?)));
        let going: Vec<(GroupId, Claim)> = going.collect();
        for (name, claim) in going {
            let Some(group) = self.forget_group(&name) else {
                continue;
            };
            keep_reads(claim, &name, &group, out);
            self.give_back_group(now, &name, *group, out);
        }
        self.leave_readings(now, |slot| claim_of(slot).is_some(), out);
    }

    /// The store gives these slots to nobody or another: nothing can be written.
    pub(in crate::shard) fn refuse_groups(
        &mut self,
        now: Now,
        leaves: impl Fn(Slot) -> bool,
        out: &mut Vec<Effect>,
    ) {
        let going = self.groups.iter().filter(|(_, group)| leaves(group.slot));
        let going: Vec<GroupId> = going.map(|(name, _)| name.clone()).collect();
        for name in going {
            if let Some(group) = self.forget_group(&name) {
                self.give_back_group(now, &name, *group, out);
            }
        }
        self.leave_readings(now, leaves, out);
    }

    fn give_back_group(
        &mut self,
        now: Now,
        name: &GroupId,
        mut group: Group,
        out: &mut Vec<Effect>,
    ) {
        for waiting in std::mem::take(&mut group.queue) {
            self.send_back(waiting, ReturnReason::NotOwner, out);
        }
        let pending = group.known.as_mut().map(|known| known.log.give_up());
        let (flying, waiting) = pending.unwrap_or_default();
        for pending in flying.into_iter().chain(waiting) {
            self.give_back_pending(now, pending, out);
        }
        for removal in group.removals.into_values() {
            self.reply_code(now, &removal.reply, Some(Code::FateUnknown), out);
        }
        let who = group.who.into_iter().flat_map(|who| who.replies);
        for (reply, _) in who.collect::<Vec<_>>() {
            self.reply_code(now, &reply, Some(Code::Busy), out);
        }
        for (gateway, _) in group.followers {
            let group = name.clone();
            send(gateway, Down::FromGroup(FromGroup::Busy { group }), out);
        }
    }

    fn give_back_pending(&mut self, now: Now, pending: Pending, out: &mut Vec<Effect>) {
        match pending.then {
            Then::Sent(askers) => {
                let Some(id) = pending.entry.as_ref().and_then(|(entry, _)| id(entry)) else {
                    return;
                };
                for asker in askers {
                    let (gateway, session) = (asker.gateway, asker.session);
                    let reason = ReturnReason::NotOwner;
                    self.return_message(gateway, session, id, asker.generation, reason, out);
                }
            }
            Then::Acted(acted) => {
                self.reply_code(now, &acted.reply, Some(Code::FateUnknown), out);
            }
        }
    }

    /// What must hold between two events.
    pub(in crate::shard) fn check_groups(&self) {
        let mut rows = 0;
        for (name, group) in &self.groups {
            assert!(self.slots.claim(group.slot).is_some(), "{name} is not ours");
            assert!(group.queue.len() <= self.settings.deferred_max);
            for gateway in group.followers.keys() {
                assert!(
                    self.gateways.contains(gateway),
                    "{name} has a lost follower"
                );
            }
            rows += group.known.as_ref().map_or(0, |known| known.roll.len());
        }
        assert_eq!(rows, self.group_rows);
        assert!(self.groups.len() <= self.settings.groups_max);
    }

    /// A gateway is gone, and follows nothing.
    pub(in crate::shard) fn follower_lost(
        &mut self,
        now: Now,
        gateway: GatewayId,
        out: &mut Vec<Effect>,
    ) {
        let mut followed = Vec::new();
        for (name, group) in &mut self.groups {
            group.queue.retain(|waiting| waiting.gateway != gateway);
            if group.followers.shift_remove(&gateway).is_some() {
                followed.push(name.clone());
            }
        }
        for name in followed {
            self.forgets_follower(now, gateway, &name, out);
            self.note_group_idle(&name);
        }
    }
}

/// How far members have read, behind what is being written.
fn keep_reads(claim: Claim, name: &GroupId, group: &Group, out: &mut Vec<Effect>) {
    let Some(known) = &group.known else {
        return;
    };
    // A row is written as a whole, and what is not durable is given back.
    let is_settled = |user: &&UserId| !known.log.changes(user);
    let members: Vec<_> = known
        .reads
        .iter()
        .filter(is_settled)
        .map(|user| (user.clone(), kept(known, user)))
        .collect();
    if members.is_empty() {
        return;
    }
    let write = GroupWrite {
        epoch: known.roll.record.epoch,
        after: known.log.asked_end(),
        entries: Vec::new(),
        record: None,
        members,
    };
    out.push(Effect::Store(Request::WriteGroup {
        claim,
        group: name.clone(),
        write: Box::new(write),
    }));
}
