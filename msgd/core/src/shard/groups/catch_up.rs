//! Parts of a group's log are read: for gateways that missed something, and for
//! who asks for history.

use proto::clock::Now;
use proto::codes::Code;
use proto::group::{Conversation, Head, Place, Range};
use proto::ids::{GatewayId, GroupId};
use proto::limits::{PAGE_BYTES_MAX, PAGE_MAX};
use proto::link::{Down, FromGroup};
use proto::server::{GroupDeliver, History, ServerPacket};
use proto::slot::Slot;

use crate::effect::Effect;
use crate::group::Follower;
use crate::group::log::Reply;
use crate::shard::{Shard, send};
use crate::store::{Claim, Known, LogPage, Request};

/// For whom a part of a log is read.
#[derive(Debug)]
pub(in crate::shard) enum Reading {
    /// A gateway that missed something.
    Follower(GatewayId),
    /// Who asked for history.
    Asker(Reply),
}

impl Shard {
    /// Reads what a follower has missed.
    pub(super) fn catch_up(&mut self, gateway: GatewayId, name: &GroupId, out: &mut Vec<Effect>) {
        let group = self.groups.get(name);
        let follower = group.and_then(|group| group.followers.get(&gateway));
        let Some(Follower::Behind { after, reading }) = follower.copied() else {
            return;
        };
        let range = Range::After(after);
        let reading = (reading, Reading::Follower(gateway));
        self.read_log(name, range, PAGE_MAX, reading, out);
    }

    /// Reads a part of a group's log.
    pub(super) fn read_log(
        &mut self,
        name: &GroupId,
        range: Range,
        count_max: usize,
        (number, reading): (u64, Reading),
        out: &mut Vec<Effect>,
    ) {
        let Some(group) = self.groups.get(name) else {
            return;
        };
        let Some(claim) = self.slots.claim(group.slot) else {
            return;
        };
        self.readings.insert(number, (group.slot, reading));
        out.push(Effect::Store(Request::ReadLog {
            claim,
            group: name.clone(),
            reader: number,
            range,
            count_max,
            bytes_max: PAGE_BYTES_MAX,
        }));
    }

    /// The store has read a part of a log.
    pub(in crate::shard) fn log_read(
        &mut self,
        now: Now,
        claim: Claim,
        name: &GroupId,
        reader: u64,
        page: Option<LogPage>,
        out: &mut Vec<Effect>,
    ) {
        let Some((_, reading)) = self.readings.swap_remove(&reader) else {
            return;
        };
        self.counters.store_failures += u64::from(page.is_none());
        match reading {
            Reading::Asker(reply) if !self.slots.serves(claim) => {
                self.reply_code(now, &reply, Some(Code::Busy), out);
            }
            Reading::Asker(reply) => self.history_read(now, name, &reply, page, out),
            Reading::Follower(_) if !self.slots.serves(claim) => {}
            Reading::Follower(gateway) => self.caught_up(now, (gateway, reader), name, page, out),
        }
    }

    /// What a follower missed is sent; what came meanwhile is read too, until
    /// nothing has.
    fn caught_up(
        &mut self,
        now: Now,
        (gateway, reader): (GatewayId, u64),
        name: &GroupId,
        page: Option<LogPage>,
        out: &mut Vec<Effect>,
    ) {
        let number = self.number();
        let version = self.membership_version(now, name);
        let Some(group) = self.groups.get_mut(name) else {
            return;
        };
        let Some(known) = &group.known else {
            return;
        };
        let Some(follower) = group.followers.get_mut(&gateway) else {
            return;
        };
        let after = match *follower {
            Follower::Behind { after, reading } if reading == reader => after,
            Follower::Behind { .. } | Follower::Live => return,
        };
        let (head, epoch) = (known.log.head, known.roll.record.epoch);
        let entries = page.map(|page| page.entries).unwrap_or_default();
        // Gone for its age, or unreadable: clients ask for it themselves.
        if entries.first().is_none_or(|entry| entry.seq > after + 1) {
            *follower = Follower::Live;
            let again = FromGroup::FollowedAgain {
                group: name.clone(),
                head,
                gone: Vec::new(),
                version,
            };
            return send(gateway, Down::FromGroup(again), out);
        }
        let last = entries.last().map_or(after, |entry| entry.seq);
        for entry in entries {
            // What is being written is told when it is durable for the shard too.
            if entry.seq <= head.place.seq {
                let deliver = GroupDeliver {
                    group: name.clone(),
                    epoch,
                    entry,
                };
                send(gateway, Down::FromGroup(FromGroup::Entry(deliver)), out);
            }
        }
        if last >= head.place.seq {
            *follower = Follower::Live;
        } else {
            *follower = Follower::Behind {
                after: last,
                reading: number,
            };
            self.catch_up(gateway, name, out);
        }
    }

    /// What was read of slots that are the shard's no more comes to nobody.
    pub(super) fn leave_readings(
        &mut self,
        now: Now,
        leaves: impl Fn(Slot) -> bool,
        out: &mut Vec<Effect>,
    ) {
        let leaving = self.readings.iter().filter(|(_, (slot, _))| leaves(*slot));
        let leaving: Vec<u64> = leaving.map(|(number, _)| *number).collect();
        for number in leaving {
            if let Some((_, Reading::Asker(reply))) = self.readings.swap_remove(&number) {
                self.reply_code(now, &reply, Some(Code::Busy), out);
            }
        }
    }

    fn history_read(
        &mut self,
        now: Now,
        name: &GroupId,
        reply: &Reply,
        page: Option<LogPage>,
        out: &mut Vec<Effect>,
    ) {
        let known = self.groups.get(name).and_then(|group| group.known.as_ref());
        let Some((known, page)) = known.zip(page) else {
            let code = Some(Code::StoreUnavailable);
            return self.reply_code(now, reply, code, out);
        };
        let row = known.roll.row(&reply.actor);
        let Some(Known::In { read, .. }) = row.and_then(|row| row.kept.known.as_ref()) else {
            return self.reply_code(now, reply, Some(Code::NotMember), out);
        };
        let Head {
            place: Place { epoch, seq: last },
            ..
        } = known.log.head;
        let mut entries = page.entries;
        entries.retain(|entry| entry.seq <= last);
        let history = History {
            request: reply.request,
            of: Conversation::Group(name.clone()),
            epoch,
            first: page.first,
            last,
            read: *read,
            entries,
        };
        self.reply(now, reply, ServerPacket::History(Box::new(history)), out);
    }
}
