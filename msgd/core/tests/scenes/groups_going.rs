//! What the simulation showed of groups: who is going and is told so, and what is
//! said of groups that have ended.

use proto::codes::Code;
use proto::group::{Action, Entrance, Place};
use proto::link::{Answer, Attempt, FromGroup, ToGroup};

use crate::hall::{Hall, OTHER, room};
use crate::stage::user;

#[test]
fn who_is_going_is_not_told_so_before_it_is_durable() {
    let mut hall = Hall::room(Entrance::Open, &["ben"]);
    hall.enters("ben");
    let epoch = hall.stored[&room()].record.epoch;
    hall.holds_writes = true;
    let leave = hall.asks("ben", Action::Leave);
    hall.follows(OTHER, "ben");
    assert!(matches!(hall.heard(OTHER)[..], [FromGroup::Busy { .. }]));
    let after = Place { epoch, seq: 2 };
    let users = vec![user("ben")];
    hall.for_room(OTHER, ToGroup::FollowAgain { after, users });
    let heard = hall.heard(OTHER);
    assert!(
        matches!(&heard[..], [FromGroup::FollowedAgain { gone, .. }] if gone.is_empty()),
        "{heard:?}"
    );
    hall.lets_write(false);
    assert_eq!(hall.result(leave), Some(Err(Code::StoreUnavailable)));
    hall.heard(OTHER);
    hall.follows(OTHER, "ben");
    assert!(
        matches!(hall.heard(OTHER)[..], [FromGroup::Followed { .. }]),
        "a member still"
    );
}

#[test]
fn what_a_group_that_has_ended_may_have_logged_is_not_called_never_delivered() {
    let mut hall = Hall::room(Entrance::Open, &[]);
    hall.posts("ann", 1);
    assert!(matches!(hall.fates(1)[..], [Answer::Sent(_)]));
    assert_eq!(hall.does("ann", Action::Dissolve), Ok(()));
    hall.posts_as("ann", 1, Attempt::Repeated, b"hello");
    let code = Code::TooOld;
    assert_eq!(hall.fates(1), [Answer::Unknown { code }]);
    // Nor is it logged in the next one of that name.
    hall.stage.now.wall.0 += 1_000_000;
    hall.create(Entrance::Open, &[]);
    hall.posts_as("ann", 1, Attempt::Repeated, b"hello");
    assert_eq!(hall.fates(1), [Answer::Unknown { code }]);
}

#[test]
fn an_end_that_was_not_carried_out_is_when_the_group_is_asked_for() {
    let mut hall = Hall::room(Entrance::Open, &[]);
    hall.loses_ends = true;
    assert_eq!(hall.does("ann", Action::Dissolve), Ok(()));
    assert!(hall.stored.contains_key(&room()));
    hall.loses_ends = false;
    assert_eq!(hall.does("ann", Action::Join), Err(Code::NoGroup));
    assert!(!hall.stored.contains_key(&room()));
}
