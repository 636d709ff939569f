//! Groups that end, begin anew, and move; and what users keep of them.

use msgd_core::store::{Found, GroupWrite};
use proto::group::Range;
use proto::ids::{LogEpoch, Stamp};

use crate::Carries;
use crate::stage::groups::{EPOCH, entries, group_slot, kept, making, member, message, record};
use crate::stage::{ANN, BEN, Stage, letter, second, slot_of, user};

const ALL: (usize, usize) = (usize::MAX, usize::MAX);

pub(crate) fn a_log_of_a_later_epoch_begins_empty<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    assert!(stage.writes(claim, "team", making(EPOCH, 5)));
    let anew = |epoch, messages| GroupWrite {
        members: vec![(user("ben"), Some(member(2, 0)))],
        ..making(epoch, messages)
    };
    assert!(stage.writes(claim, "team", anew(EPOCH + 2, 0)));
    let found = stage.opens_group(claim, "team");
    assert_eq!(found.record, record(EPOCH + 2));
    assert_eq!(found.head.place.epoch, LogEpoch(EPOCH + 2));
    assert_eq!((found.head.place.seq, found.head.messages), (0, 0));
    assert_eq!(found.newest, Stamp(0));
    assert_eq!(found.latest, []);
    // Whom it knows stays.
    let members = [(user("ann"), member(1, 0)), (user("ben"), member(2, 0))];
    assert_eq!(found.members, members);
    let page = stage.whole_log(claim, "team");
    assert_eq!((page.first, page.entries), (1, vec![]));

    // What was meant for the former one is not for this.
    assert!(!stage.writes(claim, "team", entries(5, vec![message(6)])));
    assert!(!stage.writes(claim, "team", entries(0, vec![message(1)])));
    assert!(stage.writes(claim, "team", anew(EPOCH + 3, 2)));
    let page = stage.whole_log(claim, "team");
    assert_eq!(
        (page.first, page.entries),
        (1, vec![message(1), message(2)])
    );
    let third = GroupWrite {
        epoch: LogEpoch(EPOCH + 3),
        ..entries(2, vec![message(3)])
    };
    assert!(stage.writes(claim, "team", third));
    assert_eq!(stage.whole_log(claim, "team").entries.len(), 3);
}

pub(crate) fn an_ended_group_is_gone_and_made_anew<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    // Whatever epochs follow each other.
    for epoch in [EPOCH, EPOCH, EPOCH - 1, EPOCH + 1] {
        let mut write = making(epoch, 4);
        write.members.push((user("ben"), Some(member(2, 0))));
        assert!(stage.writes(claim, "team", write), "{epoch}");
        assert_eq!(stage.opens_group(claim, "team").members.len(), 2);
        stage.ends(claim, "team");
        assert_eq!(stage.finds(claim, "team", Stamp(0)), Found::Nothing);
        assert_eq!(stage.looks_into(claim, "team", Range::Before(0), ALL), None);
        let late = GroupWrite {
            epoch: LogEpoch(epoch),
            ..entries(4, vec![message(5)])
        };
        assert!(!stage.writes(claim, "team", late));
        stage.ends(claim, "team");

        assert!(stage.writes(claim, "team", making(epoch, 1)));
        let found = stage.opens_group(claim, "team");
        assert_eq!(found.members, [(user("ann"), member(1, 0))]);
        assert_eq!(found.head.place.seq, 1);
        assert_eq!(stage.whole_log(claim, "team").entries, [message(1)]);
        stage.ends(claim, "team");
    }
}

/// Too much to go at once.
pub(crate) fn what_is_left_of_a_large_group_is_nobodys<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves_group("team");
    for epoch in [EPOCH, EPOCH + 1] {
        let mut write = making(epoch, 2_500);
        let row = |number| (user(&format!("user{number}")), Some(member(1, 0)));
        write.members.extend((0..1_200).map(row));
        assert!(stage.writes(claim, "team", write));
        stage.ends(claim, "team");
        assert_eq!(stage.finds(claim, "team", Stamp(0)), Found::Nothing);
        // The same log begins anew, and grows while the former one goes.
        assert!(stage.writes(claim, "team", making(EPOCH, 1)));
        for seq in 2..=100 {
            assert!(stage.writes(claim, "team", entries(seq - 1, vec![message(seq)])));
            if seq % 20 == 0 {
                stage.is_alive(ANN, second(seq));
                let found = stage.opens_group(claim, "team");
                assert_eq!(found.members, [(user("ann"), member(1, 0))]);
                assert_eq!(found.head.place.seq, seq);
                assert_eq!(stage.whole_log(claim, "team").entries.len() as u64, seq);
            }
        }
        // A log that begins leaves as much.
        assert!(stage.writes(claim, "team", making(EPOCH + 1, 2)));
        assert_eq!(stage.whole_log(claim, "team").entries.len(), 2);
        stage.ends(claim, "team");
    }
}

pub(crate) fn groups_are_apart<S: Carries>(stage: &mut Stage<S>) {
    // Ids that are each other's beginnings, whatever slots they have.
    let names = ["d", "do", "dor", "dora", "dora.", "dora-1"];
    let claims = names.map(|name| stage.claims(ANN, group_slot(name)).0);
    for (number, (name, claim)) in (1..).zip(names.iter().zip(claims)) {
        assert!(stage.writes(claim, name, making(EPOCH, number)));
    }
    // A user may have the same name.
    stage.appends(claims[3], "dora", &[letter("dora", 1, "hello")]);
    stage.ends(claims[2], names[2]);
    for (number, (name, claim)) in (1..).zip(names.iter().zip(claims)) {
        let page = stage.looks_into(claim, name, Range::After(0), ALL);
        let length = page.map(|page| page.entries.len() as u64);
        assert_eq!(length, (number != 3).then_some(number), "{name}");
    }
    assert_eq!(stage.reads_all(claims[3], "dora").len(), 1);
    stage.ends(claims[3], "dora");
    assert_eq!(stage.reads_all(claims[3], "dora").len(), 1);
}

pub(crate) fn a_group_goes_with_its_slot<S: Carries>(stage: &mut Stage<S>) {
    let slot = group_slot("team");
    let (former, _) = stage.claims(ANN, slot);
    assert!(stage.writes(former, "team", making(EPOCH, 3)));
    stage.keeps(former, "team", &[kept("a", 1, None)]);
    let before = stage.opens_group(former, "team");
    stage.releases(former, &[]);
    let (claim, _) = stage.claims(BEN, slot);
    stage.is_refused(former, "team");
    assert_eq!(stage.opens_group(claim, "team"), before);
    assert_eq!(stage.opens(claim, "team").groups, [kept("a", 1, None)]);
    stage.writes_each(claim, "team", 4..=5);
    stage.releases(claim, &[]);
    // Who had it before knows less than there is.
    let (claim, _) = stage.claims(ANN, slot);
    assert_eq!(stage.opens_group(claim, "team").head.place.seq, 5);
    stage.writes_each(claim, "team", 6..=7);
    assert_eq!(stage.whole_log(claim, "team").entries.len(), 7);
}

pub(crate) fn the_groups_of_a_user_are_what_was_said_last<S: Carries>(stage: &mut Stage<S>) {
    let claim = stage.serves("dora");
    assert_eq!(stage.opens(claim, "dora").groups, []);
    let some = [kept("a", 1, None), kept("b", u64::MAX, Some("carl"))];
    stage.keeps(claim, "dora", &some);
    assert_eq!(stage.opens(claim, "dora").groups, some);
    // Other things change, and these stay.
    stage.appends(claim, "dora", &[letter("dora", 1, "hello")]);
    stage.advances(claim, "dora", 2);
    assert_eq!(stage.opens(claim, "dora").groups, some);
    let long = "g".repeat(64);
    let others: Vec<_> = (0..1_000)
        .map(|number| kept(&format!("{number:04}{}", &long[4..]), number, Some(&long)))
        .collect();
    stage.keeps(claim, "dora", &others);
    let mailbox = stage.opens(claim, "dora");
    assert_eq!(mailbox.groups, others);
    assert_eq!((mailbox.cursor.0, mailbox.end.0), (2, 2));
    stage.keeps(claim, "dora", &[]);
    stage.keeps(claim, "dora", &[]);
    assert_eq!(stage.opens(claim, "dora").groups, []);

    // Those of others are theirs.
    let other = stage.claims(ANN, slot_of("dor")).0;
    stage.keeps(other, "dor", &some);
    assert_eq!(stage.opens(claim, "dora").groups, []);
    assert_eq!(stage.opens(other, "dor").groups, some);
}
