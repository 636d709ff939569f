//! Groups of the tests that kill something, move something, or come back.

use std::ops::Range;

use bytes::Bytes;
use msgd_core::store::{
    Claim, Found, GroupRecord, GroupWrite, KeptGroup, Known, LogPage, MemberRow, Outcome, Request,
    StoredGroup,
};
use proto::group::{self, Belongs, Entrance, LogEntry, Logged, ReadTo, Role, UserGroup};
use proto::ids::{GroupId, Incarnation, LogEpoch, MessageId, Stamp};
use proto::link::MembershipVersion;
use proto::slot::Slot;
use store_suite::Carries;

use super::letters::user;

/// Of all their logs.
pub const EPOCH: LogEpoch = LogEpoch(3);

pub fn group(name: &str) -> GroupId {
    GroupId::new(name).unwrap()
}

/// The message of a number in a log in which nothing else is.
pub fn entry(seq: u64) -> LogEntry {
    LogEntry {
        seq,
        messages: seq,
        stamp: Stamp(seq),
        from: user("dora"),
        what: Logged::Message {
            id: MessageId::mint(seq, [4; 10]),
            body: Bytes::from(format!("text {seq} ").repeat(10)),
            mentions: vec![user("ann")],
        },
    }
}

/// Someone who has read to this number.
pub fn member(read: u64) -> MemberRow {
    MemberRow {
        known: Some(Known::In {
            role: Role::Member,
            read: ReadTo {
                seq: read,
                messages: read,
            },
            muted: None,
        }),
        revision: read,
        untold: true,
    }
}

/// Messages of some numbers, and that somebody has read to the last of them.
pub fn write(seqs: Range<u64>) -> GroupWrite {
    let last = seqs.end - 1;
    GroupWrite {
        epoch: EPOCH,
        after: seqs.start - 1,
        entries: seqs.map(|seq| (entry(seq), seq)).collect(),
        record: None,
        members: vec![(user("ann"), Some(member(last)))],
    }
}

/// What a member keeps of a group.
pub fn kept(name: &str) -> KeptGroup {
    KeptGroup {
        of: UserGroup {
            group: group(name),
            belongs: Belongs::Member,
        },
        version: MembershipVersion {
            epoch: EPOCH,
            revision: 7,
        },
    }
}

/// What makes a group.
pub fn make() -> GroupWrite {
    GroupWrite {
        record: Some(GroupRecord {
            title: "A team".into(),
            entrance: Entrance::Invitation,
            epoch: EPOCH,
            revision: 7,
            dissolved: false,
        }),
        ..write(1..1)
    }
}

pub fn writing(claim: Claim, name: &str, write: GroupWrite) -> Request {
    Request::WriteGroup {
        claim,
        group: group(name),
        write: Box::new(write),
    }
}

/// Whether it was done.
pub fn writes(store: &mut impl Carries, claim: Claim, name: &str, write: GroupWrite) -> bool {
    match store.carry_out(writing(claim, name, write))[..] {
        [Outcome::GroupWritten { done, .. }] => done,
        _ => false,
    }
}

pub fn claims_group(store: &mut impl Carries, shard: Incarnation, name: &str) -> Claim {
    let slots = vec![Slot::of_group(&group(name))];
    match store.carry_out(Request::Claim { slots, shard })[..] {
        [Outcome::Claimed { claim, .. }] => claim,
        ref other => panic!("claimed expected, not {other:?}"),
    }
}

/// The group and its log, if it is there.
pub fn finds_group(
    store: &mut impl Carries,
    claim: Claim,
    name: &str,
) -> Option<(StoredGroup, LogPage)> {
    let opened = store.carry_out(Request::OpenGroup {
        claim,
        group: group(name),
        since: Stamp(0),
    });
    let read = store.carry_out(Request::ReadLog {
        claim,
        group: group(name),
        reader: 0,
        range: group::Range::After(0),
        count_max: usize::MAX,
        bytes_max: usize::MAX,
    });
    match (&opened[..], &read[..]) {
        (
            [
                Outcome::GroupOpened {
                    found: Found::Group(group),
                    ..
                },
            ],
            [
                Outcome::LogRead {
                    page: Some(page), ..
                },
            ],
        ) => Some((StoredGroup::clone(group), page.clone())),
        (
            [
                Outcome::GroupOpened {
                    found: Found::Nothing,
                    ..
                },
            ],
            [Outcome::LogRead { page: None, .. }],
        ) => None,
        other => panic!("a group expected, or none, not {other:?}"),
    }
}
