//! Gateways follow a group: each entry comes once and in order, and whoever is
//! put out is out before what comes after.

use std::time::Duration;

use msgd_core::Event;
use proto::client::GroupRead;
use proto::codes::Code;
use proto::group::{Action, Entrance, Place, ReadTo, Role};
use proto::ids::{GatewayId, LogEpoch, SessionId};
use proto::link::{Follow, FromGroup, Request, ToGroup};

use crate::hall::{Hall, OTHER, room};
use crate::stage::{GATEWAY, user};

fn epoch(hall: &Hall) -> LogEpoch {
    hall.stored[&room()].record.epoch
}

/// A gateway follows again, for these users.
fn again(hall: &mut Hall, gateway: GatewayId, seq: u64, users: &[&str]) {
    let epoch = epoch(hall);
    let after = Place { epoch, seq };
    let users = users.iter().map(|name| user(name)).collect();
    hall.for_room(gateway, ToGroup::FollowAgain { after, users });
}

/// Of a gateway that follows again: where it is told that the log ends, and who
/// is gone.
fn told(heard: &[FromGroup]) -> Vec<(u64, usize)> {
    let told = heard.iter().filter_map(|from| match from {
        FromGroup::FollowedAgain { head, gone, .. } => Some((head.place.seq, gone.len())),
        _ => None,
    });
    told.collect()
}

fn entries(heard: &[FromGroup]) -> Vec<u64> {
    let entries = heard.iter().filter_map(|from| match from {
        FromGroup::Entry(deliver) => Some(deliver.entry.seq),
        _ => None,
    });
    entries.collect()
}

#[test]
fn a_member_hears_what_the_group_is_and_a_stranger_that_it_is_none() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.posts("ann", 1);
    hall.follows(OTHER, "ben");
    let heard = hall.heard(OTHER);
    let [FromGroup::Followed { session, state }] = &heard[..] else {
        panic!("{heard:?}");
    };
    assert_eq!(*session, hall.session("ben"));
    assert_eq!((state.role, state.members), (Role::Member, 2));
    assert_eq!((state.head.place.seq, state.head.messages), (3, 1));
    hall.follows(GATEWAY, "eve");
    assert!(matches!(
        hall.heard(GATEWAY)[..],
        [FromGroup::NotMember { .. }]
    ));
    hall.posts("ann", 2);
    assert_eq!(
        (hall.entries(OTHER), hall.entries(GATEWAY)),
        (vec![4], vec![])
    );
    // Two sessions of one gateway get one copy.
    hall.follows(OTHER, "ann");
    hall.posts("ann", 3);
    assert_eq!(hall.entries(OTHER), [5]);
    hall.for_room(OTHER, ToGroup::Unfollow);
    hall.posts("ann", 4);
    assert_eq!(hall.entries(OTHER), []);
}

#[test]
fn who_is_put_out_is_dropped_before_the_entry_and_the_actor_hears_when_all_have() {
    let mut hall = Hall::room(Entrance::Open, &["ben", "cat"]);
    for (gateway, name) in [(GATEWAY, "ben"), (OTHER, "cat")] {
        hall.follows(gateway, name);
        hall.heard(gateway);
    }
    hall.holds_writes = true;
    hall.posts("cat", 1);
    let kick = Action::Kick(user("ben"));
    let request = hall.asks("ann", kick.clone());
    hall.posts("cat", 2);
    hall.lets_write(true);
    hall.lets_write(true);
    let mut numbers = Vec::new();
    for gateway in [GATEWAY, OTHER] {
        let heard = hall.heard(gateway);
        let [
            FromGroup::Entry(before),
            FromGroup::Drop {
                number,
                user: whom,
                actor,
                action,
                ..
            },
            FromGroup::Entry(change),
            FromGroup::Entry(after),
        ] = &heard[..]
        else {
            panic!("{heard:?}");
        };
        assert_eq!((whom, actor), (&Some(user("ben")), &user("ann")));
        assert_eq!(*action, kick);
        let seqs = [before, change, after].map(|deliver| deliver.entry.seq);
        assert_eq!(seqs, [4, 5, 6]);
        numbers.push(*number);
    }
    let number = numbers[0];
    assert_eq!(hall.result(request), None);
    hall.for_room(GATEWAY, ToGroup::Dropped { number });
    hall.for_room(GATEWAY, ToGroup::Dropped { number });
    assert_eq!(hall.result(request), None, "the other has not");
    hall.for_room(OTHER, ToGroup::Dropped { number });
    assert_eq!(hall.result(request), Some(Ok(())));
}

#[test]
fn a_gateway_that_is_lost_or_follows_no_more_is_not_waited_for() {
    let mut hall = Hall::room(Entrance::Open, &["ben", "cat"]);
    hall.follows(OTHER, "ben");
    let request = hall.asks("ann", Action::Kick(user("ben")));
    assert_eq!(hall.result(request), None);
    hall.stage.handle(Event::GatewayLost { gateway: OTHER });
    hall.settle();
    assert_eq!(hall.result(request), Some(Ok(())));
    hall.stage.handle(Event::GatewayUp { gateway: OTHER });
    hall.follows(OTHER, "cat");
    let request = hall.asks("cat", Action::Leave);
    assert_eq!(hall.result(request), None);
    hall.for_room(OTHER, ToGroup::Unfollow);
    assert_eq!(hall.result(request), Some(Ok(())));
    hall.heard(OTHER);
    hall.posts("ann", 1);
    assert_eq!(hall.entries(OTHER), []);
}

#[test]
fn the_end_of_a_group_puts_all_out() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.follows(OTHER, "ben");
    hall.heard(OTHER);
    let request = hall.asks("ann", Action::Dissolve);
    let heard = hall.heard(OTHER);
    let [
        FromGroup::Drop {
            number, user: None, ..
        },
        FromGroup::Entry(_),
    ] = heard[..]
    else {
        panic!("{heard:?}");
    };
    assert_eq!(hall.result(request), None);
    hall.for_room(OTHER, ToGroup::Dropped { number });
    assert_eq!(hall.result(request), Some(Ok(())));
    assert_eq!((hall.listed("ann"), hall.listed("ben")), (None, None));
    hall.follows(OTHER, "ben");
    assert!(matches!(
        hall.heard(OTHER)[..],
        [FromGroup::NotMember { .. }]
    ));
}

#[test]
fn what_was_missed_is_sent_and_what_comes_meanwhile_after_it() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    for number in 1..=3 {
        hall.posts("ann", number);
    }
    hall.holds_reads = true;
    again(&mut hall, OTHER, 2, &["ben"]);
    // While it is read, another one becomes durable.
    hall.posts("ann", 4);
    let heard = hall.heard(OTHER);
    assert_eq!((told(&heard), entries(&heard)), (vec![(2, 0)], vec![]));
    hall.lets_read();
    assert_eq!(hall.entries(OTHER), [3, 4, 5, 6]);
    hall.posts("ann", 5);
    assert_eq!(hall.entries(OTHER), [7]);
    assert_eq!(hall.held(), 0);
}

#[test]
fn one_that_becomes_durable_after_the_page_was_read_comes_too() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.posts("ann", 1);
    hall.holds_reads = true;
    hall.page_max = 1;
    again(&mut hall, OTHER, 1, &["ben"]);
    hall.lets_read();
    assert_eq!(hall.entries(OTHER), [2]);
    hall.posts("ann", 2);
    hall.lets_read();
    assert_eq!(hall.entries(OTHER), [3]);
    hall.lets_read();
    assert_eq!(hall.entries(OTHER), [4]);
    assert_eq!(hall.held(), 0);
    hall.posts("ann", 3);
    assert_eq!(hall.entries(OTHER), [5]);
}

#[test]
fn many_users_are_named_in_parts_and_nothing_comes_twice() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    for number in 1..=4 {
        hall.posts("ann", number);
    }
    hall.holds_reads = true;
    hall.page_max = 2;
    for part in ["ann", "ben", "eve"] {
        again(&mut hall, OTHER, 2, &[part]);
    }
    assert_eq!(told(&hall.heard(OTHER)), [(2, 0), (2, 0), (6, 1)]);
    let mut all = Vec::new();
    while hall.held() > 0 {
        hall.lets_read();
        all.append(&mut hall.entries(OTHER));
    }
    assert_eq!(all, [3, 4, 5, 6]);
    // A reading for an earlier link of the gateway says nothing.
    again(&mut hall, OTHER, 2, &["ben"]);
    hall.stage.handle(Event::GatewayLost { gateway: OTHER });
    hall.stage.handle(Event::GatewayUp { gateway: OTHER });
    again(&mut hall, OTHER, 4, &["ben"]);
    hall.lets_read();
    assert_eq!(hall.entries(OTHER), []);
    hall.lets_read();
    assert_eq!(hall.entries(OTHER), [5, 6]);
}

#[test]
fn of_what_is_too_much_or_of_another_log_the_end_is_told() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    for number in 1..=255 {
        hall.posts("ann", number);
    }
    again(&mut hall, OTHER, 1, &["ben"]);
    let heard = hall.heard(OTHER);
    assert_eq!((told(&heard), entries(&heard).len()), (vec![(1, 0)], 256));
    hall.posts("ben", 1);
    hall.heard(OTHER);
    again(&mut hall, GATEWAY, 1, &["ben"]);
    let heard = hall.heard(GATEWAY);
    assert_eq!((told(&heard), entries(&heard).len()), (vec![(258, 0)], 0));
    hall.posts("ben", 2);
    assert_eq!(hall.entries(GATEWAY), [259], "and it gets what comes");
    // Another log's numbers say nothing.
    let after = Place {
        epoch: LogEpoch(7),
        seq: 250,
    };
    let users = vec![user("ben")];
    hall.for_room(OTHER, ToGroup::Unfollow);
    hall.for_room(OTHER, ToGroup::FollowAgain { after, users });
    assert_eq!(told(&hall.heard(OTHER)), [(259, 0)]);
}

#[test]
fn what_the_store_does_not_give_is_told_as_missing() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.posts("ann", 1);
    hall.no_pages = true;
    again(&mut hall, OTHER, 1, &["ben"]);
    let heard = hall.heard(OTHER);
    assert_eq!(
        (told(&heard), entries(&heard)),
        (vec![(1, 0), (3, 0)], vec![])
    );
    hall.posts("ann", 2);
    assert_eq!(hall.entries(OTHER), [4]);
}

#[test]
fn who_has_left_meanwhile_is_named_and_alone_follows_nothing() {
    let mut hall = Hall::room(Entrance::Open, &["ben", "cat"]);
    assert_eq!(hall.does("cat", Action::Leave), Ok(()));
    again(&mut hall, OTHER, 4, &["ben", "cat", "eve"]);
    assert_eq!(told(&hall.heard(OTHER)), [(4, 2)]);
    again(&mut hall, GATEWAY, 4, &["cat"]);
    assert_eq!(told(&hall.heard(GATEWAY)), [(4, 1)]);
    hall.posts("ann", 1);
    assert_eq!(
        (hall.entries(OTHER), hall.entries(GATEWAY)),
        (vec![5], vec![])
    );
    let none = proto::ids::GroupId::new("nothing").unwrap();
    let follow = Follow {
        session: SessionId(3),
        user: user("ben"),
    };
    let what = ToGroup::Follow(follow);
    hall.comes(OTHER, proto::link::Up::ToGroup { group: none, what });
    assert!(matches!(
        hall.heard(OTHER)[..],
        [FromGroup::NotMember { .. }]
    ));
}

#[test]
fn a_log_that_lost_its_end_begins_anew() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    let former = epoch(&hall);
    let read = ReadTo {
        seq: 2,
        messages: 0,
    };
    let read = GroupRead {
        group: room(),
        epoch: former,
        read,
    };
    hall.wishes("ben", Request::GroupRead(read));
    hall.pass(Duration::from_secs(2));
    // It saw entries that are not there.
    again(&mut hall, OTHER, 9, &["ben"]);
    assert!(matches!(hall.heard(OTHER)[..], [FromGroup::Busy { .. }]));
    let users = vec![user("ben")];
    let (epoch, seq) = (former, 9);
    let after = Place { epoch, seq };
    hall.for_room(OTHER, ToGroup::FollowAgain { after, users });
    let heard = hall.heard(OTHER);
    let [FromGroup::FollowedAgain { head, gone, .. }] = &heard[..] else {
        panic!("{heard:?}");
    };
    assert!(head.place > after && head.place.seq == 0 && gone.is_empty());
    hall.posts("ben", 1);
    assert_eq!(hall.entries(OTHER), [1]);
    hall.loses_slot();
    hall.follows(OTHER, "ben");
    let heard = hall.heard(OTHER);
    let Some(FromGroup::Followed { state, .. }) = heard.last() else {
        panic!("{heard:?}");
    };
    assert_eq!((state.head.place.seq, state.members), (1, 2));
    assert_eq!(state.read, ReadTo::default());
    assert!(state.head.place.epoch > former);
}

#[test]
fn who_came_in_again_while_it_was_put_out_is_told_once_more() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.follows(OTHER, "ben");
    hall.asks("ben", Action::Leave);
    let heard = hall.heard(OTHER);
    let number = heard.iter().find_map(|from| match from {
        FromGroup::Drop { number, .. } => Some(*number),
        _ => None,
    });
    let number = number.unwrap();
    assert_eq!(hall.does("ben", Action::Join), Ok(()));
    hall.said();
    hall.for_room(OTHER, ToGroup::Dropped { number });
    hall.pass(Duration::from_secs(2));
    let joined =
        |(_, down): &(_, proto::link::Down)| matches!(down, proto::link::Down::Joined { .. });
    assert!(hall.said().iter().any(joined));
}

#[test]
fn a_ring_without_the_shard_sends_all_back_and_the_next_goes_on() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.follows(OTHER, "ben");
    hall.heard(OTHER);
    hall.holds_writes = true;
    hall.posts("ben", 1);
    hall.posts("ben", 2);
    let request = hall.asks("ann", Action::Kick(user("ben")));
    hall.stage.ring_of(&["m2"]);
    hall.settle();
    assert!(hall.returned(1) && hall.returned(2));
    assert_eq!(hall.result(request), Some(Err(Code::FateUnknown)));
    assert!(matches!(hall.heard(OTHER)[..], [FromGroup::Busy { .. }]));
    // What was asked before is done, and told by nobody.
    hall.lets_write(true);
    hall.holds_writes = false;
    assert_eq!((hall.fates(1), hall.entries(OTHER)), (vec![], vec![]));
    again(&mut hall, OTHER, 2, &["ben"]);
    assert!(matches!(hall.heard(OTHER)[..], [FromGroup::Busy { .. }]));
    hall.stage.ring_of(&["m1"]);
    hall.settle();
    again(&mut hall, OTHER, 2, &["ben"]);
    assert_eq!(hall.entries(OTHER), [3]);
    hall.enters("ben");
    hall.posts("ben", 7);
    assert_eq!(hall.entries(OTHER), [4]);
}
