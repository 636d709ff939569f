//! Groups on the stage.

use bytes::Bytes;
use msgd_core::store::{
    Claim, Found, GroupRecord, GroupWrite, KeptGroup, Known, LogPage, LoggedBefore, MemberRow,
    Outcome, Request, StoredGroup,
};
use proto::group::{Action, Belongs, Entrance, LogEntry, Logged, Range, ReadTo, Role, UserGroup};
use proto::ids::{GroupId, LogEpoch, MessageId, Stamp, UserId};
use proto::link::MembershipVersion;
use proto::slot::Slot;

use super::{Stage, second, user};
use crate::Carries;

/// Where scenes begin.
pub(crate) const EPOCH: u64 = 5;

pub(crate) fn group(name: &str) -> GroupId {
    GroupId::new(name).unwrap()
}

pub(crate) fn group_slot(name: &str) -> Slot {
    Slot::of_group(&group(name))
}

pub(crate) fn record(epoch: u64) -> GroupRecord {
    GroupRecord {
        title: "A team".into(),
        entrance: Entrance::Open,
        epoch: LogEpoch(epoch),
        revision: 1,
        dissolved: false,
    }
}

/// A message at a place of a log in which nothing else is. Its stamp is its
/// number, in seconds, and its body 6 to 9 bytes.
pub(crate) fn message(seq: u64) -> LogEntry {
    LogEntry {
        seq,
        messages: seq,
        stamp: second(seq),
        from: user("carl"),
        what: Logged::Message {
            id: MessageId::mint(seq, [9; 10]),
            body: Bytes::from(format!("text {seq}")),
            mentions: Vec::new(),
        },
    }
}

pub(crate) fn change(seq: u64, messages: u64, action: Action) -> LogEntry {
    LogEntry {
        messages,
        what: Logged::Change(action),
        ..message(seq)
    }
}

/// As what an entry is found again, if it is a message.
pub(crate) fn logged(entry: &LogEntry) -> LoggedBefore {
    let Logged::Message { id, .. } = &entry.what else {
        panic!("{entry:?} is no message");
    };
    LoggedBefore {
        seq: entry.seq,
        from: entry.from.clone(),
        id: *id,
        stamp: entry.stamp,
        fingerprint: entry.seq * 1_000,
    }
}

pub(crate) fn member(revision: u64, read: u64) -> MemberRow {
    MemberRow {
        known: Some(Known::In {
            role: Role::Member,
            read: ReadTo {
                seq: read,
                messages: read,
            },
            muted: None,
        }),
        revision,
        untold: false,
    }
}

/// A write to the log where scenes begin, of nothing but entries.
pub(crate) fn entries(after: u64, entries: Vec<LogEntry>) -> GroupWrite {
    let marked = |entry: LogEntry| {
        let fingerprint = match &entry.what {
            Logged::Message { .. } => entry.seq * 1_000,
            Logged::Change(_) => 0,
        };
        (entry, fingerprint)
    };
    GroupWrite {
        epoch: LogEpoch(EPOCH),
        after,
        entries: entries.into_iter().map(marked).collect(),
        record: None,
        members: Vec::new(),
    }
}

/// One that makes a group, of which a user is a member.
pub(crate) fn making(epoch: u64, messages: u64) -> GroupWrite {
    GroupWrite {
        epoch: LogEpoch(epoch),
        record: Some(record(epoch)),
        members: vec![(user("ann"), Some(member(1, 0)))],
        ..entries(0, (1..=messages).map(message).collect())
    }
}

pub(crate) fn kept(name: &str, revision: u64, by: Option<&str>) -> KeptGroup {
    KeptGroup {
        of: UserGroup {
            group: group(name),
            belongs: match by {
                Some(by) => Belongs::Invited { by: user(by) },
                None => Belongs::Member,
            },
        },
        version: MembershipVersion {
            epoch: LogEpoch(EPOCH),
            revision,
        },
    }
}

impl<S: Carries> Stage<S> {
    /// The claim of the slot of a group, granted to the shard of most scenes.
    pub(crate) fn serves_group(&mut self, name: &str) -> Claim {
        self.claims(super::ANN, group_slot(name)).0
    }

    /// Whether it was done.
    pub(crate) fn writes(&mut self, claim: Claim, name: &str, write: GroupWrite) -> bool {
        match self.only(write_group(claim, name, write)) {
            Outcome::GroupWritten {
                claim: told,
                group: of,
                done,
            } if told == claim && of == group(name) => done,
            other => panic!("written expected, not {other:?}"),
        }
    }

    /// Writes that are done, one for each message.
    pub(crate) fn writes_each(
        &mut self,
        claim: Claim,
        name: &str,
        seqs: impl IntoIterator<Item = u64>,
    ) {
        for seq in seqs {
            let write = entries(seq - 1, vec![message(seq)]);
            assert!(self.writes(claim, name, write), "{seq}");
        }
    }

    pub(crate) fn finds(&mut self, claim: Claim, name: &str, since: Stamp) -> Found {
        match self.only(open_group(claim, name, since)) {
            Outcome::GroupOpened {
                claim: told,
                group: of,
                found,
            } if told == claim && of == group(name) => found,
            other => panic!("opened expected, not {other:?}"),
        }
    }

    /// A group that is there, with all that is known of its log.
    pub(crate) fn opens_group(&mut self, claim: Claim, name: &str) -> StoredGroup {
        match self.finds(claim, name, Stamp(0)) {
            Found::Group(group) => *group,
            other => panic!("a group expected, not {other:?}"),
        }
    }

    pub(crate) fn ends(&mut self, claim: Claim, name: &str) {
        let group = group(name);
        let outcomes = self.store.carry_out(Request::EndGroup { claim, group });
        assert_eq!(outcomes, []);
    }

    /// A page, if there is such a group.
    pub(crate) fn looks_into(
        &mut self,
        claim: Claim,
        name: &str,
        range: Range,
        most: (usize, usize),
    ) -> Option<LogPage> {
        match self.only(read_log(claim, name, range, most)) {
            Outcome::LogRead {
                claim: told,
                group: of,
                reader: 98,
                page,
            } if told == claim && of == group(name) => page,
            other => panic!("a page expected, not {other:?}"),
        }
    }

    pub(crate) fn pages(
        &mut self,
        claim: Claim,
        name: &str,
        range: Range,
        most: (usize, usize),
    ) -> LogPage {
        let page = self.looks_into(claim, name, range, most);
        page.expect("there is such a group")
    }

    /// The first that is kept, and all from there on.
    pub(crate) fn whole_log(&mut self, claim: Claim, name: &str) -> LogPage {
        self.pages(claim, name, Range::After(0), (usize::MAX, usize::MAX))
    }

    pub(crate) fn keeps(&mut self, claim: Claim, name: &str, groups: &[KeptGroup]) {
        let kept = Outcome::GroupsKept {
            claim,
            user: user(name),
            done: true,
        };
        assert_eq!(self.only(keep_groups(claim, name, groups)), kept);
    }
}

/// Every request about a group, and what a user keeps of groups.
pub(super) fn all(claim: Claim, name: &str) -> [Request; 5] {
    [
        keep_groups(claim, name, &[kept("too-late", 9, None)]),
        open_group(claim, name, Stamp(0)),
        write_group(claim, name, making(EPOCH + 100, 1)),
        Request::EndGroup {
            claim,
            group: group(name),
        },
        read_log(claim, name, Range::After(0), (10, 1_000)),
    ]
}

fn keep_groups(claim: Claim, name: &str, groups: &[KeptGroup]) -> Request {
    Request::KeepGroups {
        claim,
        user: user(name),
        groups: groups.to_vec(),
    }
}

fn open_group(claim: Claim, name: &str, since: Stamp) -> Request {
    Request::OpenGroup {
        claim,
        group: group(name),
        since,
    }
}

fn write_group(claim: Claim, name: &str, write: GroupWrite) -> Request {
    Request::WriteGroup {
        claim,
        group: group(name),
        write: Box::new(write),
    }
}

fn read_log(
    claim: Claim,
    name: &str,
    range: Range,
    (count_max, bytes_max): (usize, usize),
) -> Request {
    Request::ReadLog {
        claim,
        group: group(name),
        reader: 98,
        range,
        count_max,
        bytes_max,
    }
}

/// A user whose id is as long as one can be.
pub(crate) fn longest() -> UserId {
    user(&"u".repeat(64))
}
