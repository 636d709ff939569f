//! Groups that are asked for at random.

use std::collections::HashMap;

use bytes::Bytes;
use msgd_core::store::{
    Claim, GroupRecord, GroupWrite, KeptGroup, Known, MemberRow, Outcome, Request,
};
use proto::group::{Action, Belongs, Entrance, LogEntry, Logged, Range, ReadTo, Role, UserGroup};
use proto::ids::{GroupId, LogEpoch, MessageId, Stamp, UserId};
use proto::link::MembershipVersion;

use super::chance::Chance;

/// Some are called as users are, and have their slots.
const GROUPS: [&str; 4] = ["a", "ab", "team", "x"];
const MEMBERS: [&str; 5] = ["a", "ab", "b", "dora", "emil"];

/// Where a log ends.
#[derive(Debug, Clone, Copy)]
struct End {
    epoch: u64,
    seq: u64,
    messages: u64,
}

/// What has been written.
#[derive(Default)]
pub struct Written {
    ends: HashMap<GroupId, End>,
    /// Where the log asked for last ends if that is done.
    asked: Option<End>,
}

impl Written {
    pub fn learns(&mut self, outcome: &Outcome) {
        if let Outcome::GroupWritten {
            group, done: true, ..
        } = outcome
            && let Some(end) = self.asked.take()
        {
            self.ends.insert(group.clone(), end);
        }
    }

    /// Something about a group.
    pub fn request(
        &mut self,
        chance: &mut Chance,
        claim: Claim,
        group: GroupId,
        time: u64,
    ) -> Request {
        match chance.below(100) {
            0..50 => Request::WriteGroup {
                claim,
                write: Box::new(self.write(chance, &group, time)),
                group,
            },
            50..88 => Request::ReadLog {
                claim,
                reader: time,
                range: self.range(chance, &group, time),
                group,
                count_max: chance.below(30) as usize,
                bytes_max: chance.below(2_000) as usize,
            },
            88..98 => Request::OpenGroup {
                claim,
                group,
                since: Stamp(time - chance.below(1_000)),
            },
            _ => {
                self.ends.remove(&group);
                Request::EndGroup { claim, group }
            }
        }
    }

    fn range(&self, chance: &mut Chance, group: &GroupId, time: u64) -> Range {
        let last = self.ends.get(group).map_or(0, |end| end.seq);
        let seq = (last + 5).saturating_sub(chance.below(45));
        match chance.below(3) {
            0 => Range::After(seq),
            1 => Range::Before(seq),
            _ => Range::Since(Stamp(time - chance.below(1_500))),
        }
    }

    /// Mostly one that fits.
    fn write(&mut self, chance: &mut Chance, group: &GroupId, time: u64) -> GroupWrite {
        let known = self.ends.get(group).copied();
        let begins = known.is_none() || chance.one_in(15);
        let mut end = match known {
            Some(end) if !begins => end,
            _ => End {
                epoch: known.map_or(1, |end| end.epoch) + chance.below(3),
                seq: 0,
                messages: 0,
            },
        };
        if chance.one_in(15) {
            end.seq += chance.below(3);
        }
        let (epoch, after) = (LogEpoch(end.epoch), end.seq);
        let entries: Vec<_> = (0..chance.below(7))
            .map(|_| (entry(chance, &mut end, time), time))
            .collect();
        let members = (0..chance.below(3)).map(|_| (user(chance), member(chance)));
        let members = members.collect();
        self.asked = Some(end);
        GroupWrite {
            epoch,
            after,
            entries,
            record: (begins || chance.one_in(5)).then(|| GroupRecord {
                title: "title".repeat(chance.below(9) as usize).into(),
                entrance: Entrance::Approval,
                epoch,
                revision: chance.below(1_000),
                dissolved: chance.one_in(2),
            }),
            members,
        }
    }
}

pub fn group(chance: &mut Chance) -> GroupId {
    GroupId::new(GROUPS[chance.below(4) as usize]).unwrap()
}

/// What a user keeps of groups.
pub fn kept(chance: &mut Chance) -> Vec<KeptGroup> {
    let count = chance.below(5) as usize;
    let of = |group: &&str| UserGroup {
        group: GroupId::new(group).unwrap(),
        belongs: match chance.one_in(2) {
            true => Belongs::Member,
            false => Belongs::Invited { by: user(chance) },
        },
    };
    let groups: Vec<_> = GROUPS.iter().take(count).map(of).collect();
    let version = MembershipVersion {
        epoch: LogEpoch(chance.below(9)),
        revision: chance.below(9),
    };
    let with = |of| KeptGroup { of, version };
    groups.into_iter().map(with).collect()
}

fn user(chance: &mut Chance) -> UserId {
    UserId::new(MEMBERS[chance.below(5) as usize]).unwrap()
}

fn entry(chance: &mut Chance, end: &mut End, time: u64) -> LogEntry {
    let is_message = !chance.one_in(4);
    end.seq += 1;
    end.messages += u64::from(is_message);
    LogEntry {
        seq: end.seq,
        messages: end.messages,
        stamp: Stamp(time),
        from: user(chance),
        what: match is_message {
            true => Logged::Message {
                id: MessageId::mint(time, [end.seq as u8; 10]),
                body: Bytes::from(vec![7; chance.below(300) as usize]),
                mentions: (0..chance.below(3)).map(|_| user(chance)).collect(),
            },
            false => Logged::Change(Action::Kick(user(chance))),
        },
    }
}

fn member(chance: &mut Chance) -> Option<MemberRow> {
    let known = match chance.below(6) {
        0 => return None,
        1 => None,
        2 => Some(Known::Applied),
        3 => Some(Known::Invited { by: user(chance) }),
        _ => Some(Known::In {
            role: Role::Admin,
            read: ReadTo {
                seq: chance.below(100),
                messages: chance.below(100),
            },
            muted: chance.one_in(2).then(|| Stamp(chance.below(100))),
        }),
    };
    Some(MemberRow {
        known,
        revision: chance.below(1_000),
        untold: chance.one_in(2),
    })
}
