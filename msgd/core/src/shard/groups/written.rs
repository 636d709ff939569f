//! What is done to a group is written, and then it is told: the place where
//! 'Sent' is spoken of a message to a group.

use proto::clock::Now;
use proto::codes::Code;
use proto::group::{LogEntry, Place};
use proto::ids::{GatewayId, GroupId, SessionRef};
use proto::link::{Answer, Down, FromGroup, Relay, Relayed};
use proto::server::{GroupDeliver, Outcome as Fate, Sent};
use proto::slot::Slot;

use super::kept;
use crate::effect::Effect;
use crate::group::log::{Acted, Pending, Then, id};
use crate::group::roll::PutOut;
use crate::group::{Follower, Group, Removal};
use crate::inbox::Asker;
use crate::recent::Verdict;
use crate::shard::submit::AHEAD_MAX_MS;
use crate::shard::{Shard, send, tell_fate};
use crate::store::{Claim, GroupWrite, Request};

/// Admins who hear of one who asks to be admitted.
const TOLD_OF_APPLICANT_MAX: usize = 32;

impl Shard {
    /// Writes what waits, unless something is being written.
    pub(super) fn write_group(&mut self, name: &GroupId, out: &mut Vec<Effect>) {
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        let Some(claim) = self.slots.claim(group.slot) else {
            return;
        };
        let Some(known) = group.known.as_mut() else {
            return;
        };
        let after = known.log.head.place.seq;
        let Some(pending) = known.log.write() else {
            return;
        };
        let entries = pending.iter().filter_map(|pending| pending.entry.clone());
        let entries = entries.collect();
        let rows = std::mem::take(&mut known.log.rows);
        let members = rows.into_iter().map(|user| {
            let row = kept(known, &user);
            (user, row)
        });
        let members = members.collect();
        let is_changed = std::mem::take(&mut known.log.record);
        known.writing = known.roll.record.revision;
        let write = GroupWrite {
            epoch: known.roll.record.epoch,
            after,
            entries,
            record: is_changed.then(|| known.roll.record.clone()),
            members,
        };
        out.push(Effect::Store(Request::WriteGroup {
            claim,
            group: name.clone(),
            write: Box::new(write),
        }));
    }

    pub(in crate::shard) fn group_written(
        &mut self,
        now: Now,
        claim: Claim,
        name: &GroupId,
        done: bool,
        out: &mut Vec<Effect>,
    ) {
        if !self.slots.serves(claim) {
            return;
        }
        if !done {
            return self.write_failed(now, name, out);
        }
        let known = self
            .groups
            .get_mut(name)
            .and_then(|group| group.known.as_mut());
        let Some(known) = known else {
            return;
        };
        let epoch = known.roll.record.epoch;
        known.durable = known.writing;
        for Pending { entry, then } in known.log.written() {
            match then {
                Then::Sent(askers) => {
                    if let Some((entry, fingerprint)) = &entry {
                        let place = Place {
                            epoch,
                            seq: entry.seq,
                        };
                        self.logged(now, name, place, (entry, *fingerprint), &askers, out);
                    }
                }
                // Who is put out gets nothing of what comes after.
                Then::Acted(acted) => self.acted(now, name, *acted, out),
            }
            if let Some((entry, _)) = entry {
                self.fan_out(name, entry, out);
            }
        }
        self.write_group(name, out);
        self.end_if_told(name, out);
        self.arm_group(now, name);
        self.note_group_idle(name);
    }

    /// Says 'Sent' to everyone who waits for it, and remembers it.
    fn logged(
        &mut self,
        now: Now,
        name: &GroupId,
        place: Place,
        (entry, fingerprint): (&LogEntry, u64),
        askers: &[Asker],
        out: &mut Vec<Effect>,
    ) {
        let Some(id) = id(entry) else {
            return;
        };
        self.counters.logged += 1;
        let sent = Sent {
            stamp: entry.stamp,
            outcome: Fate::Logged(place),
        };
        for asker in askers {
            let at = SessionRef {
                gateway: asker.gateway,
                session: asker.session,
            };
            tell_fate(at, id, Answer::Sent(sent.clone()), out);
        }
        let bounds = self.recent_bounds();
        let (_, latest) = self.span.look(now);
        if let Some(group) = self.groups.get_mut(name) {
            let verdict = Verdict::Sent(sent);
            let recent = &mut group.recent;
            if recent.remember(&bounds, &entry.from, id, fingerprint, verdict) {
                // A log has nothing twice: what is sent again and is not known may
                // be of one who is forgotten.
                let newest_ms = entry.stamp.as_ms().max(latest.as_ms());
                group.known_since_ms = newest_ms + AHEAD_MAX_MS;
                self.slots.doubt(group.slot, now.moment);
            }
        }
    }

    /// An entry goes once to each gateway that follows.
    fn fan_out(&mut self, name: &GroupId, entry: LogEntry, out: &mut Vec<Effect>) {
        let Some(group) = self.groups.get(name) else {
            return;
        };
        let Some(known) = &group.known else {
            return;
        };
        let deliver = GroupDeliver {
            group: name.clone(),
            epoch: known.roll.record.epoch,
            entry,
        };
        for (gateway, follower) in &group.followers {
            if *follower == Follower::Live {
                let entry = FromGroup::Entry(deliver.clone());
                send(*gateway, Down::FromGroup(entry), out);
            }
        }
    }

    /// An action is durable.
    fn acted(&mut self, now: Now, name: &GroupId, acted: Acted, out: &mut Vec<Effect>) {
        let Acted {
            reply,
            change,
            rows,
            put_out,
            code,
        } = acted;
        let gateway = reply.gateway;
        if code == Some(Code::Applied) {
            self.tell_admins(now, name, gateway, &reply.actor, out);
        }
        match put_out {
            Some(whom) => self.put_out(now, name, whom, change, reply, out),
            None => self.reply_code(now, &reply, code, out),
        }
        self.tell_members(now, name, gateway, &rows, out);
    }

    /// Followers are told; who acted hears of it when they have done so.
    fn put_out(
        &mut self,
        now: Now,
        name: &GroupId,
        whom: PutOut,
        (actor, action): (proto::ids::UserId, proto::group::Action),
        reply: crate::group::log::Reply,
        out: &mut Vec<Effect>,
    ) {
        let number = self.number();
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        if group.followers.is_empty() {
            return self.reply_code(now, &reply, None, out);
        }
        let user = match whom {
            PutOut::User(user) => Some(user),
            PutOut::All => None,
        };
        for gateway in group.followers.keys() {
            let drop = FromGroup::Drop {
                group: name.clone(),
                number,
                user: user.clone(),
                actor: actor.clone(),
                action: action.clone(),
            };
            send(*gateway, Down::FromGroup(drop), out);
        }
        let waiting = group.followers.keys().copied().collect();
        let removal = Removal {
            waiting,
            reply,
            user,
        };
        group.removals.insert(number, removal);
    }

    /// Who may admit someone hears of it, if they are there.
    fn tell_admins(
        &mut self,
        now: Now,
        name: &GroupId,
        gateway: GatewayId,
        user: &proto::ids::UserId,
        out: &mut Vec<Effect>,
    ) {
        let known = self.groups.get(name).and_then(|group| group.known.as_ref());
        let Some(known) = known else {
            return;
        };
        let admins = known.roll.rows().map(|(user, _)| user);
        let is_admin =
            |user: &&proto::ids::UserId| known.roll.role(user) >= Some(proto::group::Role::Admin);
        let admins: Vec<_> = admins.filter(is_admin).cloned().collect();
        for to in admins.into_iter().take(TOLD_OF_APPLICANT_MAX) {
            let relay = Relay {
                slot: Slot::of(&to),
                relayed: Relayed::GroupApplied {
                    to,
                    group: name.clone(),
                    user: user.clone(),
                },
            };
            self.relay(now, gateway, relay, out);
        }
    }

    /// The store did not write, or it is not known: who waits is told, and the
    /// group is read again as it is there.
    pub(super) fn write_failed(&mut self, now: Now, name: &GroupId, out: &mut Vec<Effect>) {
        self.counters.store_failures += 1;
        let Some(mut group) = self.forget_group(name) else {
            return;
        };
        let pending = group.known.as_mut().map(|known| known.log.give_up());
        let (flying, waiting) = pending.unwrap_or_default();
        self.give_up_pending(now, flying.into_iter().chain(waiting), out);
        for (gateway, _) in &group.followers {
            let group = name.clone();
            send(*gateway, Down::FromGroup(FromGroup::Busy { group }), out);
        }
        let removals = std::mem::take(&mut group.removals).into_values();
        let removed = removals.map(|removal| removal.reply);
        let who = group.who.take().into_iter().flat_map(|who| who.replies);
        for reply in removed
            .chain(who.map(|(reply, _)| reply))
            .collect::<Vec<_>>()
        {
            self.reply_code(now, &reply, Some(Code::StoreUnavailable), out);
        }
        self.slots.doubt(group.slot, now.moment);
        let Some(claim) = self.slots.claim(group.slot) else {
            return;
        };
        let mut again = Group::opening(name, now.moment);
        again.due_at = group.due_at;
        again.forget_at = group.forget_at;
        again.queue = group.queue;
        self.groups.insert(name.clone(), Box::new(again));
        self.ask_group(now, claim, name, out);
    }

    /// Nobody knows what became of it.
    fn give_up_pending(
        &mut self,
        now: Now,
        pending: impl Iterator<Item = Pending>,
        out: &mut Vec<Effect>,
    ) {
        let code = Code::StoreUnavailable;
        for Pending { entry, then } in pending {
            match then {
                Then::Sent(askers) => {
                    let id = entry.as_ref().and_then(|(entry, _)| id(entry));
                    for (asker, id) in askers.iter().zip(id.into_iter().cycle()) {
                        self.counters.unknown += 1;
                        let at = SessionRef {
                            gateway: asker.gateway,
                            session: asker.session,
                        };
                        tell_fate(at, id, Answer::Unknown { code }, out);
                    }
                }
                Then::Acted(acted) => self.reply_code(now, &acted.reply, Some(code), out),
            }
        }
    }
}
