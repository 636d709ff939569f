//! Messages to a group: when 'Sent' is said, in which order, and of what once.

use std::time::Duration;

use msgd_core::Settings;
use proto::codes::Code;
use proto::group::{Action, Entrance, Logged};
use proto::ids::Generation;
use proto::link::{Answer, Attempt, FromGroup};

use crate::hall::{Hall, OTHER, logged, open, room};
use crate::stage::{GATEWAY, user};

#[test]
fn sent_is_said_when_it_is_durable_and_not_before() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.follows(OTHER, "ben");
    hall.heard(OTHER);
    hall.holds_writes = true;
    hall.posts("ben", 1);
    assert_eq!(hall.fates(1), []);
    assert_eq!(hall.entries(OTHER), []);
    hall.lets_write(true);
    assert_eq!(logged(&hall.fates(1)), [3]);
    assert_eq!(hall.entries(OTHER), [3]);
}

#[test]
fn posts_and_changes_stand_in_the_order_in_which_they_came() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.follows(GATEWAY, "ben");
    hall.heard(GATEWAY);
    hall.holds_writes = true;
    hall.posts("ben", 1);
    let rename = Action::Rename {
        title: "Den".into(),
    };
    hall.posts("ann", 2);
    let request = hall.asks("ann", rename.clone());
    hall.posts("ben", 3);
    assert_eq!(hall.held(), 1, "one write at a time");
    hall.lets_write(true);
    assert_eq!(hall.result(request), None);
    assert_eq!(hall.entries(GATEWAY), [3]);
    assert_eq!(hall.held(), 1, "the rest in one");
    hall.lets_write(true);
    assert_eq!(hall.result(request), Some(Ok(())));
    assert_eq!(hall.entries(GATEWAY), [4, 5, 6]);
    assert_eq!(logged(&hall.fates(3)), [6]);
    let log = hall.log();
    assert_eq!(log[4], Logged::Change(rename));
    let messages: Vec<u64> = hall.stored[&room()]
        .log
        .iter()
        .map(|(e, _)| e.messages)
        .collect();
    assert_eq!(messages, [0, 0, 1, 2, 2, 3]);
}

#[test]
fn a_repeat_joins_the_one_under_way_or_gets_its_answer() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.holds_writes = true;
    hall.posts("ben", 1);
    hall.posts_as("ben", 1, Attempt::Resent, b"hello");
    hall.posts_as("ben", 1, Attempt::Resent, b"another");
    assert_eq!(hall.fates(1), [reused()]);
    hall.lets_write(true);
    assert_eq!(logged(&hall.fates(1)), [3], "told once to a session");
    hall.posts_as("ben", 1, Attempt::Resent, b"hello");
    assert_eq!(logged(&hall.fates(1)), [3]);
    hall.posts_as("ben", 1, Attempt::Resent, b"another");
    assert_eq!(hall.fates(1), [reused()]);
    assert_eq!(hall.held(), 0);
    assert_eq!(hall.log().len(), 3);
}

fn reused() -> Answer {
    refused(Code::IdReused)
}

fn refused(code: Code) -> Answer {
    Answer::Rejected {
        code,
        text: "".into(),
        generation: Generation(1),
    }
}

#[test]
fn who_may_not_write_is_told_why() {
    let mut hall = Hall::room(Entrance::Open, &["ben", "cat"]);
    hall.enters("eve");
    hall.posts("eve", 1);
    assert_eq!(hall.fates(1), [refused(Code::NotMember)]);
    let mute = Action::Mute {
        user: user("ben"),
        seconds: 60,
    };
    assert_eq!(hall.does("ann", mute), Ok(()));
    hall.posts("ben", 2);
    assert_eq!(hall.fates(2), [refused(Code::Muted)]);
    let now = &mut hall.stage.now;
    now.wall = proto::ids::Stamp(now.wall.0 + 61_000_000);
    hall.posts("ben", 3);
    assert_eq!(hall.fates(3).len(), 1);
    assert_eq!(hall.does("ann", Action::Ban(user("cat"))), Ok(()));
    hall.posts("cat", 4);
    assert_eq!(hall.fates(4), [refused(Code::NotMember)]);
    assert_eq!(hall.does("ann", Action::Dissolve), Ok(()));
    hall.posts("ann", 5);
    assert_eq!(hall.fates(5), [refused(Code::NoGroup)]);
}

#[test]
fn rates_hold_for_each_member_and_for_all() {
    let settings = Settings {
        member_messages_per_second: 1,
        ..open()
    };
    let mut hall = Hall::with(settings, &[]);
    hall.create(Entrance::Open, &["ben"]);
    for number in 1..=4 {
        hall.posts("ben", number);
        assert!(
            matches!(hall.fates(number)[..], [Answer::Sent(_)]),
            "four at once"
        );
    }
    hall.posts("ben", 5);
    assert_eq!(hall.fates(5), [refused(Code::RateExceeded)]);
    // Who says that everything was sent before is under the same rate.
    hall.posts_as("ben", 6, Attempt::Repeated, b"hello");
    assert_eq!(
        hall.fates(6),
        [Answer::Unknown {
            code: Code::TooMany
        }]
    );
    hall.posts("ann", 7);
    assert!(matches!(hall.fates(7)[..], [Answer::Sent(_)]));
}

#[test]
fn a_write_that_failed_is_unknown_and_what_was_refused_since_is_too() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.follows(OTHER, "ben");
    hall.heard(OTHER);
    hall.holds_writes = true;
    hall.posts("ben", 1);
    hall.posts("ben", 2);
    let request = hall.asks("ann", Action::Kick(user("ben")));
    hall.lets_write(false);
    let unknown = || Answer::Unknown {
        code: Code::StoreUnavailable,
    };
    assert_eq!(
        (hall.fates(1), hall.fates(2)),
        (vec![unknown()], vec![unknown()])
    );
    assert_eq!(hall.result(request), Some(Err(Code::StoreUnavailable)));
    assert!(matches!(hall.heard(OTHER)[..], [FromGroup::Busy { .. }]));
    // It was read again: ben is in it.
    hall.holds_writes = false;
    hall.posts_as("ben", 1, Attempt::Resent, b"hello");
    assert_eq!(logged(&hall.fates(1)), [3]);
    assert_eq!(hall.does("ann", Action::Kick(user("ben"))), Ok(()));
    hall.posts_as("ben", 2, Attempt::Resent, b"hello");
    assert_eq!(hall.fates(2), [Answer::Unknown { code: Code::TooOld }]);
}

#[test]
fn what_was_accepted_before_a_slot_was_lost_is_found_by_who_has_it_next() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.follows(OTHER, "ben");
    hall.heard(OTHER);
    hall.holds_writes = true;
    hall.posts("ben", 1);
    hall.posts("ben", 2);
    let request = hall.asks("ann", Action::SetEntrance(Entrance::Approval));
    // The first one becomes durable, and nobody hears of it.
    hall.loses_slot();
    assert!(hall.returned(1) && hall.returned(2));
    assert!(matches!(hall.heard(OTHER)[..], [FromGroup::Busy { .. }]));
    assert_eq!(hall.result(request), Some(Err(Code::FateUnknown)));
    hall.said();
    hall.lets_write(true);
    assert_eq!(hall.fates(1), [], "the slot was another's");
    hall.holds_writes = false;
    hall.enters("ben");
    resent(&mut hall, 1);
    resent(&mut hall, 2);
    assert_eq!(logged(&hall.fates(1)), [3]);
    assert_eq!(logged(&hall.fates(2)), [4]);
    assert_eq!(hall.log().len(), 4);
}

/// Its window comes again, under the next generation.
fn resent(hall: &mut Hall, number: u8) {
    use proto::link::{Recipient, Submit, Up};
    let submit = Submit {
        session: hall.session("ben"),
        generation: Generation(2),
        attempt: Attempt::Resent,
        from: user("ben"),
        id: hall.id(number),
        to: Recipient::Group {
            group: room(),
            mentions: Vec::new(),
        },
        friends_hash: None,
        body: bytes::Bytes::from_static(b"hello"),
    };
    hall.comes(GATEWAY, Up::Submit(submit));
}

#[test]
fn more_than_may_wait_goes_back() {
    let settings = Settings {
        pending_max: 2,
        ..open()
    };
    let mut hall = Hall::with(settings, &[]);
    hall.create(Entrance::Open, &["ben"]);
    hall.holds_writes = true;
    for number in 1..=3 {
        hall.posts("ben", number);
    }
    assert!(hall.returned(3) && !hall.returned(2));
    let request = hall.asks(
        "ann",
        Action::Mute {
            user: user("ben"),
            seconds: 0,
        },
    );
    assert_eq!(hall.result(request), Some(Err(Code::Busy)));
    hall.lets_write(true);
    hall.lets_write(true);
    assert_eq!(logged(&hall.fates(2)), [4]);
    hall.pass(Duration::from_secs(1));
}

/// A message of ben's is durable, and then more than a store names.
fn long_ago() -> Hall {
    let others = ["cat", "dan", "eve", "fay", "guy"];
    let mut members = vec!["ben"];
    members.extend(others);
    let mut hall = Hall::room(Entrance::Open, &members);
    hall.posts("ben", 1);
    let now = &mut hall.stage.now;
    now.wall = proto::ids::Stamp(now.wall.0 + 10_000_000);
    for number in 2..=230 {
        for name in others {
            hall.posts(name, number);
        }
    }
    hall.said();
    hall
}

#[test]
fn what_is_older_than_what_the_store_names_is_neither_taken_twice_nor_called_undelivered() {
    let unknown = [Answer::Unknown { code: Code::TooOld }];
    let mut hall = long_ago();
    let before = hall.log().len();
    hall.loses_slot();
    hall.enters("ben");
    hall.posts_as("ben", 1, Attempt::Repeated, b"hello");
    assert_eq!(hall.fates(1), unknown);
    assert_eq!(hall.log().len(), before);
    // Nor is it when its sender is out by then.
    assert_eq!(hall.does("ann", Action::Kick(user("ben"))), Ok(()));
    hall.posts_as("ben", 1, Attempt::Repeated, b"hello");
    assert_eq!(hall.fates(1), unknown);
}
