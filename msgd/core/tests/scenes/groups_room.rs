//! What members want to know of a group, how far they have read it, and how many
//! groups there is room for.

use std::time::Duration;

use msgd_core::{Event, Settings};
use proto::client::{GetHistory, GetMembers, GroupRead};
use proto::codes::Code;
use proto::group::{Action, Conversation, Entrance, Place, Range, ReadTo, Which};
use proto::ids::{GatewayId, GroupId};
use proto::link::{FromGroup, Request, ToGroup};
use proto::server::{History, Members};

use crate::hall::{Hall, OTHER, open, room};
use crate::stage::{GATEWAY, user};

fn asks_who(hall: &mut Hall, name: &str, request: u32, which: Which) {
    let get = GetMembers {
        request,
        group: room(),
        which,
        after: None,
    };
    hall.wishes(name, Request::GetMembers(get));
}

/// The numbers of the questions that a gateway was asked.
fn asked(hall: &mut Hall, gateway: GatewayId) -> Vec<u64> {
    let heard = hall.heard(gateway).into_iter();
    let number = |from| match from {
        FromGroup::Who { number, .. } => Some(number),
        _ => None,
    };
    heard.filter_map(number).collect()
}

fn present(hall: &mut Hall, gateway: GatewayId, number: u64, names: &[&str], count: u32) {
    let users = names.iter().map(|name| user(name)).collect();
    let what = ToGroup::Present {
        number,
        count,
        users,
    };
    hall.for_room(gateway, what);
}

fn names(members: &Members) -> Vec<&str> {
    members.members.iter().map(|of| of.user.as_str()).collect()
}

#[test]
fn who_is_there_is_what_all_gateways_say() {
    let mut hall = Hall::room(Entrance::Open, &["ben", "cat"]);
    for (gateway, name) in [(GATEWAY, "ben"), (OTHER, "cat")] {
        hall.follows(gateway, name);
        hall.heard(gateway);
    }
    asks_who(&mut hall, "ann", 1, Which::Online);
    asks_who(&mut hall, "ben", 2, Which::Online);
    let (here, there) = (asked(&mut hall, GATEWAY), asked(&mut hall, OTHER));
    assert_eq!((here.len(), &here), (1, &there), "one question for both");
    present(&mut hall, GATEWAY, here[0], &["ben", "eve"], 2);
    present(&mut hall, GATEWAY, here[0], &["ben"], 1);
    assert!(hall.members(1).is_none());
    // It does not name all.
    present(&mut hall, OTHER, here[0], &["cat"], 3);
    for request in [1, 2] {
        let members = hall.members(request).unwrap();
        assert_eq!((names(&members), members.total), (vec!["ben", "cat"], 4));
    }
    // For a moment the answer holds.
    asks_who(&mut hall, "ann", 3, Which::Online);
    assert!(hall.members(3).is_some());
    hall.pass(Duration::from_secs(2));
    asks_who(&mut hall, "ann", 4, Which::Online);
    assert_eq!(asked(&mut hall, OTHER).len(), 1);
    assert!(hall.members(4).is_none());
}

#[test]
fn a_gateway_that_says_nothing_is_waited_for_a_moment() {
    let mut hall = Hall::room(Entrance::Open, &["ben", "cat"]);
    for (gateway, name) in [(GATEWAY, "ben"), (OTHER, "cat")] {
        hall.follows(gateway, name);
        hall.heard(gateway);
    }
    asks_who(&mut hall, "ann", 1, Which::Online);
    let number = asked(&mut hall, OTHER)[0];
    present(&mut hall, OTHER, number, &["cat"], 1);
    hall.pass(Duration::from_millis(2_100));
    assert_eq!(names(&hall.members(1).unwrap()), ["cat"]);
    asks_who(&mut hall, "ann", 2, Which::Online);
    let number = asked(&mut hall, OTHER)[0];
    present(&mut hall, OTHER, number, &["cat"], 1);
    hall.for_room(GATEWAY, ToGroup::Unfollow);
    assert_eq!(names(&hall.members(2).unwrap()), ["cat"]);
}

#[test]
fn a_gateway_that_catches_up_is_asked_too() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.holds_reads = true;
    let after = Place {
        epoch: hall.stored[&room()].record.epoch,
        seq: 1,
    };
    let users = vec![user("ben")];
    hall.for_room(OTHER, ToGroup::FollowAgain { after, users });
    asks_who(&mut hall, "ann", 1, Which::Online);
    let number = asked(&mut hall, OTHER);
    assert_eq!(number.len(), 1);
    present(&mut hall, OTHER, number[0], &["ben"], 1);
    assert_eq!(names(&hall.members(1).unwrap()), ["ben"]);
}

#[test]
fn who_asked_hears_it_when_the_group_is_read_again() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.follows(OTHER, "ben");
    asks_who(&mut hall, "ann", 77, Which::Online);
    hall.holds_writes = true;
    hall.posts("ann", 1);
    hall.lets_write(false);
    assert_eq!(hall.result(77), Some(Err(Code::StoreUnavailable)));
}

#[test]
fn members_are_shown_to_members_and_the_rest_to_admins() {
    let mut hall = Hall::room(Entrance::Approval, &["ben"]);
    hall.enters("cat");
    assert_eq!(hall.does("cat", Action::Join), Err(Code::Applied));
    assert_eq!(hall.does("ann", Action::Ban(user("dan"))), Ok(()));
    let lists = [
        (Which::Members, vec!["ann", "ben"]),
        (Which::Waiting, vec!["cat"]),
        (Which::Banned, vec!["dan"]),
    ];
    for (request, (which, expected)) in (100..).zip(lists) {
        asks_who(&mut hall, "ann", request, which);
        let members = hall.members(request).unwrap();
        assert_eq!(names(&members), expected);
        assert_eq!(members.total as usize, expected.len());
        asks_who(&mut hall, "cat", request + 10, which);
        assert_eq!(hall.result(request + 10), Some(Err(Code::NotMember)));
        asks_who(&mut hall, "ben", request + 20, which);
        let refused = hall.result(request + 20);
        let is_shown = which == Which::Members;
        assert_eq!(refused, (!is_shown).then_some(Err(Code::NotAllowed)));
    }
}

fn asks_history(hall: &mut Hall, name: &str, request: u32, range: Range) -> Option<History> {
    let get = GetHistory {
        request,
        of: Conversation::Group(room()),
        range,
        count: 2,
    };
    hall.wishes(name, Request::GetHistory(get));
    hall.history(request)
}

#[test]
fn history_is_read_in_parts_by_members() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    for number in 1..=3 {
        hall.posts("ben", number);
    }
    let ranges = [
        (Range::After(0), [1, 2]),
        (Range::After(2), [3, 4]),
        (Range::Before(0), [4, 5]),
        (Range::Before(4), [2, 3]),
    ];
    for (request, (range, expected)) in (200..).zip(ranges) {
        let history = asks_history(&mut hall, "ben", request, range).unwrap();
        let seqs: Vec<u64> = history.entries.iter().map(|entry| entry.seq).collect();
        assert_eq!(seqs, expected);
        assert_eq!((history.first, history.last), (1, 5));
    }
    hall.enters("eve");
    assert!(asks_history(&mut hall, "eve", 300, Range::After(0)).is_none());
    assert_eq!(hall.result(300), Some(Err(Code::NotMember)));
    hall.no_pages = true;
    assert!(asks_history(&mut hall, "ben", 301, Range::After(0)).is_none());
    assert_eq!(hall.result(301), Some(Err(Code::StoreUnavailable)));
    let get = GetHistory {
        request: 302,
        of: Conversation::Peer(user("ann")),
        range: Range::After(0),
        count: 2,
    };
    hall.wishes("ben", Request::GetHistory(get));
    assert_eq!(hall.result(302), Some(Err(Code::NoHistory)));
}

#[test]
fn who_was_put_out_while_it_was_read_sees_none_of_it() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.holds_reads = true;
    asks_history(&mut hall, "ben", 200, Range::After(0));
    assert_eq!(hall.does("ann", Action::Kick(user("ben"))), Ok(()));
    hall.lets_read();
    assert_eq!(hall.result(200), Some(Err(Code::NotMember)));
}

#[test]
fn a_reading_of_a_slot_that_was_lost_takes_no_room() {
    let settings = Settings {
        acts_max: 1,
        ..open()
    };
    let mut hall = Hall::with(settings, &[]);
    hall.create(Entrance::Open, &["ben"]);
    hall.holds_reads = true;
    asks_history(&mut hall, "ben", 200, Range::After(0));
    hall.loses_slot();
    hall.held.clear();
    assert_eq!(hall.result(200), Some(Err(Code::Busy)));
    hall.holds_reads = false;
    assert!(asks_history(&mut hall, "ben", 201, Range::After(0)).is_some());
}

fn reads(hall: &mut Hall, seq: u64, messages: u64) {
    let read = GroupRead {
        group: room(),
        epoch: hall.stored[&room()].record.epoch,
        read: ReadTo { seq, messages },
    };
    hall.wishes("ben", Request::GroupRead(read));
}

fn read(hall: &mut Hall) -> ReadTo {
    hall.heard(OTHER);
    hall.follows(OTHER, "ben");
    match hall.heard(OTHER).pop() {
        Some(FromGroup::Followed { state, .. }) => state.read,
        other => panic!("{other:?}"),
    }
}

#[test]
fn how_far_one_has_read_is_kept_once_a_second_and_when_the_slot_goes() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    for number in 1..=9 {
        hall.posts("ann", number);
    }
    let writes = hall.writes.len();
    for seq in 3..=8 {
        reads(&mut hall, seq, seq - 2);
    }
    // Neither back, nor beyond the end, nor more messages than there are.
    reads(&mut hall, 5, 3);
    reads(&mut hall, 12, 3);
    assert_eq!(hall.writes.len(), writes);
    hall.pass(Duration::from_millis(3_500));
    assert_eq!(hall.writes.len(), writes + 1);
    let to = |seq, messages| ReadTo { seq, messages };
    assert_eq!(read(&mut hall), to(8, 6));
    reads(&mut hall, 9, 400);
    assert_eq!(read(&mut hall), to(9, 9));
    hall.stage.ring_of(&["m2"]);
    hall.settle();
    assert_eq!(hall.writes.len(), writes + 2);
    hall.stage.ring_of(&["m1"]);
    assert_eq!(read(&mut hall), to(9, 9));
}

#[test]
fn read_marks_are_kept_though_the_group_is_being_written_to() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.posts("ann", 1);
    reads(&mut hall, 3, 1);
    hall.holds_writes = true;
    hall.posts("ann", 2);
    hall.stage.ring_of(&["m2"]);
    hall.settle();
    while hall.held() > 0 {
        hall.lets_write(true);
    }
    hall.stage.ring_of(&["m1"]);
    assert_eq!(read(&mut hall).seq, 3);
}

#[test]
fn what_is_given_back_is_not_kept_with_a_read_mark() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    reads(&mut hall, 2, 0);
    hall.holds_writes = true;
    hall.posts("ann", 1);
    hall.asks("ann", Action::Kick(user("ben")));
    hall.stage.ring_of(&["m2"]);
    hall.settle();
    while hall.held() > 0 {
        hall.lets_write(true);
    }
    assert_eq!(hall.log().len(), 3, "it was not written");
    hall.stage.ring_of(&["m1"]);
    // And ben is a member.
    read(&mut hall);
}

#[test]
fn groups_that_nobody_follows_make_room() {
    let settings = Settings {
        groups_max: 2,
        ..open()
    };
    let mut hall = Hall::with(settings, &[]);
    hall.create(Entrance::Open, &["ben"]);
    let [second, third] = ["second", "third"].map(|name| GroupId::new(name).unwrap());
    hall.follows(GATEWAY, "ben");
    assert_eq!(hall.does_to(&second, "ann", create()), Ok(()));
    assert_eq!(hall.does_to(&third, "ann", create()), Ok(()));
    hall.heard(GATEWAY);
    hall.posts("ann", 1);
    assert_eq!(hall.entries(GATEWAY), [3], "it was not the one to go");
    let what = ToGroup::Follow(proto::link::Follow {
        session: hall.session("ann"),
        user: user("ann"),
    });
    let group = third.clone();
    hall.comes(GATEWAY, proto::link::Up::ToGroup { group, what });
    // Both are followed now.
    assert_eq!(hall.does_to(&second, "ann", Action::Join), Err(Code::Busy));
    hall.stage.handle(Event::GatewayLost { gateway: GATEWAY });
    hall.stage.handle(Event::GatewayUp { gateway: GATEWAY });
    hall.enters("ann");
    assert_eq!(hall.does_to(&second, "ann", Action::Join), Ok(()));
}

#[test]
fn whom_groups_know_together_is_bounded() {
    let settings = Settings {
        group_rows_max: 3,
        ..open()
    };
    let mut hall = Hall::with(settings, &[]);
    hall.create(Entrance::Open, &["ben", "cat"]);
    hall.follows(GATEWAY, "ben");
    let other = GroupId::new("other").unwrap();
    assert_eq!(hall.does_to(&other, "ann", create()), Err(Code::Busy));
    hall.for_room(GATEWAY, ToGroup::Unfollow);
    assert_eq!(hall.does_to(&other, "ann", create()), Ok(()));
    hall.posts("ben", 1);
    assert_eq!(hall.fates(1).len(), 1, "it is read again");
}

fn create() -> Action {
    Action::Create {
        title: "Room".into(),
        entrance: Entrance::Open,
    }
}
