//! What groups are, whom they know, and what is written to them.

use bytes::Bytes;
use msgd_core::store::{Found, GroupRecord, GroupWrite, Known, MemberRow, OPEN_IDENTITIES_MAX};
use proto::group::{Action, Entrance, FOR_EVER, LogEntry, Logged, Range, ReadTo, Role};
use proto::ids::{LogEpoch, MessageId, Stamp, UserId};

use crate::Carries;
use crate::stage::groups::{
    EPOCH, change, entries, logged, longest, making, member, message, record,
};
use crate::stage::{Stage, second, user};

const ALL: (usize, usize) = (usize::MAX, usize::MAX);

pub(crate) fn an_unknown_group_is_nothing<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    assert_eq!(stage.finds(claim, "team", Stamp(0)), Found::Nothing);
    for range in [Range::After(0), Range::Before(0), Range::Since(Stamp(0))] {
        assert_eq!(stage.looks_into(claim, "team", range, ALL), None);
    }
    stage.ends(claim, "team");
    // What makes no group goes nowhere.
    assert!(!stage.writes(claim, "team", entries(0, vec![message(1)])));
    let later = GroupWrite {
        entries: entries(3, vec![message(4)]).entries,
        after: 3,
        ..making(EPOCH, 0)
    };
    assert!(!stage.writes(claim, "team", later));
    assert_eq!(stage.finds(claim, "team", Stamp(0)), Found::Nothing);
}

pub(crate) fn a_group_is_made_and_written_to<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    assert!(stage.writes(claim, "team", making(EPOCH, 0)));
    let found = stage.opens_group(claim, "team");
    assert_eq!(found.record, record(EPOCH));
    assert_eq!(found.head.place.epoch, LogEpoch(EPOCH));
    assert_eq!((found.head.place.seq, found.head.messages), (0, 0));
    assert_eq!(found.newest, Stamp(0));
    assert_eq!(found.members, [(user("ann"), member(1, 0))]);
    assert_eq!(found.latest, []);
    let page = stage.whole_log(claim, "team");
    assert_eq!((page.first, page.entries), (1, vec![]));

    // Messages, something done, messages.
    let renamed = change(3, 2, rename("The team"));
    let last = LogEntry {
        messages: 3,
        ..message(4)
    };
    let written = vec![message(1), message(2), renamed, last];
    assert!(stage.writes(claim, "team", entries(0, written[..2].to_vec())));
    let with_record = GroupWrite {
        record: Some(GroupRecord {
            title: "The team".into(),
            ..record(EPOCH)
        }),
        members: vec![(user("ben"), Some(member(2, 2)))],
        ..entries(2, written[2..].to_vec())
    };
    assert!(stage.writes(claim, "team", with_record));
    let found = stage.opens_group(claim, "team");
    assert_eq!(found.record.title, "The team");
    assert_eq!((found.head.place.seq, found.head.messages), (4, 3));
    assert_eq!(found.newest, second(4));
    let members = [(user("ann"), member(1, 0)), (user("ben"), member(2, 2))];
    assert_eq!(found.members, members);
    let messages = [0, 1, 3].map(|at: usize| logged(&written[at]));
    assert_eq!(found.latest, messages);
    let page = stage.whole_log(claim, "team");
    assert_eq!((page.first, page.entries), (1, written));
}

fn rename(title: &str) -> Action {
    let title = title.into();
    Action::Rename { title }
}

pub(crate) fn members_come_back_whole<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    let known = |role, read, messages, muted| {
        let read = ReadTo {
            seq: read,
            messages,
        };
        Some(Known::In { role, read, muted })
    };
    let all = [
        None,
        known(Role::Member, 0, 0, None),
        known(Role::Admin, u64::MAX, u64::MAX - 1, Some(FOR_EVER)),
        known(Role::Owner, 9, 8, Some(Stamp(7))),
        Some(Known::Invited { by: longest() }),
        Some(Known::Invited { by: user("a") }),
        Some(Known::Applied),
        Some(Known::Banned),
    ];
    // Names that are each other's beginnings, in their order.
    let rows: Vec<(UserId, MemberRow)> = (1..)
        .zip(all)
        .map(|(number, known)| {
            let name = "u".repeat(number * 8);
            let row = MemberRow {
                known,
                revision: u64::MAX - number as u64,
                untold: number % 2 == 0,
            };
            (user(&name), row)
        })
        .collect();
    let mut write = making(EPOCH, 0);
    // Asked in another order.
    let some = |(user, row): &(UserId, MemberRow)| (user.clone(), Some(row.clone()));
    write.members = rows.iter().rev().map(some).collect();
    assert!(stage.writes(claim, "team", write));
    assert_eq!(stage.opens_group(claim, "team").members, rows);

    // Some change, some go, others come.
    let mut write = entries(0, Vec::new());
    write.members = vec![
        (rows[1].0.clone(), None),
        (rows[2].0.clone(), Some(rows[0].1.clone())),
        (rows[7].0.clone(), None),
        (user("nobody"), None),
        (user("a"), Some(member(3, 3))),
    ];
    assert!(stage.writes(claim, "team", write));
    let mut left = rows.clone();
    left[2].1 = rows[0].1.clone();
    left.remove(7);
    left.remove(1);
    left.insert(0, (user("a"), member(3, 3)));
    assert_eq!(stage.opens_group(claim, "team").members, left);
}

pub(crate) fn records_and_entries_come_back_whole<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    assert!(stage.writes(claim, "team", making(EPOCH, 0)));
    for (title, entrance, dissolved) in [
        (String::new(), Entrance::Open, true),
        ("ß".repeat(128), Entrance::Invitation, false),
        ("Tisch 4 \u{1f37b}\0\n".to_owned(), Entrance::Approval, true),
    ] {
        let record = GroupRecord {
            title: title.into(),
            entrance,
            epoch: LogEpoch(EPOCH),
            revision: u64::MAX,
            dissolved,
        };
        let mut write = entries(0, Vec::new());
        write.record = Some(record.clone());
        assert!(stage.writes(claim, "team", write));
        assert_eq!(stage.opens_group(claim, "team").record, record);
    }
    let message = |seq, body: Bytes, mentions| LogEntry {
        what: Logged::Message {
            id: MessageId::from_bytes([seq as u8; 16]),
            body,
            mentions,
        },
        ..message(seq)
    };
    let mut all = vec![
        message(1, (0..=255).collect(), vec![user("ann"); 32]),
        message(2, Bytes::new(), vec![longest()]),
        message(3, Bytes::from(vec![0xff; 64 * 1024]), Vec::new()),
    ];
    all[1].from = longest();
    all[2].stamp = Stamp(u64::MAX / 2);
    for action in [
        Action::Join,
        Action::Ban(longest()),
        Action::Create {
            title: "ß".repeat(128).into(),
            entrance: Entrance::Approval,
        },
        Action::SetRole {
            user: user("a"),
            role: Role::Admin,
        },
        Action::Mute {
            user: user("a"),
            seconds: u32::MAX,
        },
    ] {
        all.push(LogEntry {
            stamp: Stamp(u64::MAX / 2),
            ..change(all.len() as u64 + 1, 3, action)
        });
    }
    assert!(stage.writes(claim, "team", entries(0, all.clone())));
    assert_eq!(stage.whole_log(claim, "team").entries, all);
}

/// Nothing of it is there.
pub(crate) fn a_write_is_done_whole_or_not_at_all<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    assert!(stage.writes(claim, "team", making(EPOCH, 3)));
    let before = stage.opens_group(claim, "team");
    let whole = |epoch, after, seqs: &[u64], of| GroupWrite {
        epoch: LogEpoch(epoch),
        record: Some(GroupRecord {
            title: "Another".into(),
            ..record(of)
        }),
        members: vec![(user("ann"), None), (user("ben"), Some(member(9, 9)))],
        ..entries(after, seqs.iter().copied().map(message).collect())
    };
    let without_record = GroupWrite {
        record: None,
        ..whole(EPOCH + 1, 0, &[1], EPOCH + 1)
    };
    let wrong = [
        // The log ends elsewhere.
        whole(EPOCH, 2, &[3], EPOCH),
        whole(EPOCH, 4, &[5], EPOCH),
        whole(EPOCH, 0, &[1], EPOCH),
        whole(EPOCH, 2, &[], EPOCH),
        // It is another's.
        whole(EPOCH - 1, 3, &[4], EPOCH - 1),
        whole(EPOCH - 1, 0, &[1], EPOCH - 1),
        // It begins, and not at the beginning.
        whole(EPOCH + 1, 3, &[4], EPOCH + 1),
        without_record,
        // It does not fit itself.
        whole(EPOCH, 3, &[4], EPOCH + 1),
        whole(EPOCH + 1, 0, &[1], EPOCH),
        whole(EPOCH, 3, &[5], EPOCH),
        whole(EPOCH, 3, &[4, 6], EPOCH),
        whole(EPOCH, 3, &[4, 4], EPOCH),
        whole(EPOCH, 3, &[3, 4], EPOCH),
    ];
    for write in wrong {
        assert!(!stage.writes(claim, "team", write.clone()), "{write:?}");
        assert_eq!(stage.opens_group(claim, "team"), before, "{write:?}");
        assert_eq!(stage.whole_log(claim, "team").entries.len(), 3);
    }
    assert!(stage.writes(claim, "team", whole(EPOCH, 3, &[4, 5], EPOCH)));
    let after = stage.opens_group(claim, "team");
    assert_eq!(after.record.title, "Another");
    assert_eq!(after.head.place.seq, 5);
    assert_eq!(after.members, [(user("ben"), member(9, 9))]);
    // The same again would be twice.
    assert!(!stage.writes(claim, "team", whole(EPOCH, 3, &[4, 5], EPOCH)));
}

pub(crate) fn opening_tells_the_messages_since_a_stamp<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    let mut all: Vec<LogEntry> = (1..=6).map(message).collect();
    // Some of the same time, and some that are no messages.
    all[3].stamp = all[2].stamp;
    all[4] = change(5, 4, Action::Join);
    assert!(stage.writes(claim, "team", making(EPOCH, 0)));
    assert!(stage.writes(claim, "team", entries(0, all.clone())));
    for (since, seqs) in [
        (0, vec![1, 2, 3, 4, 6]),
        (1, vec![1, 2, 3, 4, 6]),
        (2, vec![2, 3, 4, 6]),
        (3, vec![3, 4, 6]),
        (4, vec![6]),
        (6, vec![6]),
        (7, vec![]),
    ] {
        let Found::Group(found) = stage.finds(claim, "team", second(since)) else {
            panic!("there is a group");
        };
        let expected: Vec<_> = seqs.iter().map(|seq| logged(&all[seq - 1])).collect();
        assert_eq!(found.latest, expected, "since {since}");
        assert!(found.whole, "since {since}");
    }
}

pub(crate) fn opening_tells_the_newest_messages<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    let most = OPEN_IDENTITIES_MAX as u64;
    assert!(stage.writes(claim, "team", making(EPOCH, most)));
    let found = stage.opens_group(claim, "team");
    assert_eq!((found.latest.len() as u64, found.whole), (most, true));
    stage.writes_each(claim, "team", [most + 1]);
    for (since, whole) in [(1, false), (2, true), (3, true)] {
        let Found::Group(found) = stage.finds(claim, "team", second(since)) else {
            panic!("there is a group");
        };
        let first = since.max(2);
        assert_eq!(found.latest[0].seq, first, "since {since}");
        assert_eq!(found.whole, whole, "since {since}");
    }
    stage.writes_each(claim, "team", most + 2..=most + 5);
    let found = stage.opens_group(claim, "team");
    assert!(!found.whole);
    let latest = found.latest;
    let expected: Vec<_> = (6..=most + 5).map(|seq| logged(&message(seq))).collect();
    assert_eq!(latest, expected);
}
