//! Groups are followed as long as there are sessions in them, by whichever link
//! and ring.

use std::time::Duration;

use connd_core::{Event, LinkId};
use proto::group::{Belongs, UserGroup};
use proto::ids::{SessionId, UserId};
use proto::link::{Down, Follow, FromGroup, Request, ToGroup, Up};
use proto::server::ServerPacket;

use crate::stage::{Stage, VERSION, head, member, name, room, user};

fn follow(session: u64) -> ToGroup {
    ToGroup::Follow(Follow {
        session: SessionId(session),
        user: user(session),
    })
}

fn again(seq: u64, sessions: &[u64]) -> ToGroup {
    let mut users: Vec<UserId> = sessions.iter().map(|session| user(*session)).collect();
    users.sort_unstable();
    let after = head(seq).place;
    ToGroup::FollowAgain { after, users }
}

fn what(said: Vec<(LinkId, ToGroup)>) -> Vec<ToGroup> {
    said.into_iter().map(|(_, what)| what).collect()
}

fn left() -> ServerPacket {
    let (group, change) = (room(), None);
    ServerPacket::GroupLeft { group, change }
}

#[test]
fn a_log_in_follows_the_groups_of_which_one_is_a_member() {
    let mut stage = Stage::new();
    let by = user(9);
    let invited = UserGroup {
        group: proto::ids::GroupId::new("other").unwrap(),
        belongs: Belongs::Invited { by },
    };
    stage.logs_in(1, &name(1), &[invited, member()]);
    let link = stage.room_link();
    assert_eq!(stage.said_to_room(), [(link, follow(1))]);
    let others = |(_, up): &(LinkId, Up)| matches!(up, Up::ToGroup { .. });
    assert!(!stage.sent.iter().any(others));
    let told = stage.told(1);
    assert!(matches!(told[..], [ServerPacket::LoginOk(_)]), "{told:?}");
    stage.followed(1, 3);
    assert!(matches!(stage.told(1)[..], [ServerPacket::GroupState(_)]));
    // A second answer, and one for who is not there.
    stage.followed(1, 3);
    stage.followed(8, 3);
    assert!(stage.told.is_empty());
}

#[test]
fn who_joins_later_follows_then_and_who_leaves_hears_it_once() {
    let mut stage = Stage::new();
    stage.logs_in(1, &name(1), &[]);
    stage.forget();
    let (session, group) = (SessionId(1), room());
    let joined = Down::Joined { session, group };
    stage.user_shard_says(1, joined.clone());
    stage.user_shard_says(1, joined);
    assert_eq!(what(stage.said_to_room()), [follow(1)]);
    stage.followed(1, 3);
    stage.forget();
    let (session, group) = (SessionId(1), room());
    let gone = Down::Left { session, group };
    stage.user_shard_says(1, gone.clone());
    stage.user_shard_says(1, gone);
    assert_eq!(stage.told(1), [left()]);
    assert_eq!(what(stage.said_to_room()), [ToGroup::Unfollow]);
    // What is under way comes to nobody, and the shard hears that.
    stage.entry(4);
    assert_eq!(stage.entries(), []);
    assert_eq!(what(stage.said_to_room()), [ToGroup::Unfollow]);
}

#[test]
fn the_word_of_a_shard_that_is_not_the_users_counts_for_nothing() {
    let mut stage = Stage::with(&[1]);
    let own = stage.link(proto::slot::Slot::of(&user(1)));
    let other = LinkId(1 - own.0);
    let (session, group) = (SessionId(1), room());
    stage.arrives(other, Down::Left { session, group });
    stage.entry(4);
    assert_eq!(stage.entries(), [(vec![1], 4)]);
}

#[test]
fn a_group_is_unfollowed_with_its_last_session() {
    let mut stage = Stage::with(&[1, 2]);
    let session = SessionId(1);
    stage.happens(Event::Closed { session });
    assert_eq!(stage.said_to_room(), []);
    stage.entry(4);
    assert_eq!(stage.entries(), [(vec![2], 4)]);
    let session = SessionId(2);
    stage.happens(Event::Closed { session });
    assert_eq!(what(stage.said_to_room()), [ToGroup::Unfollow]);
    // Of the next one's state it begins anew.
    stage.logs_in(3, &name(3), &[member()]);
    stage.followed(3, 9);
    stage.entry(9);
    stage.entry(10);
    assert_eq!(stage.entries(), [(vec![3], 10)]);
}

#[test]
fn what_is_named_anew_counts() {
    let mut stage = Stage::with(&[1]);
    stage.accepted(1, &[]);
    assert_eq!(stage.told(1), [left()]);
    stage.accepted(1, &[member()]);
    assert_eq!(what(stage.said_to_room()), [ToGroup::Unfollow, follow(1)]);
    stage.followed(1, 3);
    stage.forget();
    stage.accepted(1, &[member()]);
    assert!(stage.told.is_empty() && stage.sent.is_empty());
}

#[test]
fn a_new_owner_is_followed_and_the_former_one_no_more() {
    let mut stage = Stage::with(&[1, 2]);
    stage.logs_in(3, &name(3), &[member()]);
    stage.forget();
    stage.entry(4);
    let former = stage.room_link();
    let other = match stage.room_shard().as_str() {
        "a" => "b",
        _ => "a",
    };
    stage.ring_of(&[other]);
    let link = stage.room_link();
    assert_ne!(former, link);
    let said = stage.said_to_room();
    let expected = [
        (former, ToGroup::Unfollow),
        (link, again(4, &[1, 2])),
        (link, follow(3)),
    ];
    assert_eq!(said, expected);
}

#[test]
fn many_are_named_in_parts() {
    let sessions: Vec<u64> = (1..=1_001).collect();
    let mut stage = Stage::with(&sessions);
    let shard = stage.room_shard();
    stage.happens(Event::LinkDown { shard });
    let shard = stage.room_shard();
    stage.happens(Event::LinkUp { shard });
    let parts: Vec<usize> = what(stage.said_to_room())
        .iter()
        .map(|what| match what {
            ToGroup::FollowAgain { after, users } if after.seq == 3 => users.len(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(parts, [1_000, 1]);
}

#[test]
fn a_link_that_comes_up_follows_again_and_one_that_is_down_nothing() {
    let mut stage = Stage::with(&[1]);
    let shard = stage.room_shard();
    stage.happens(Event::LinkDown {
        shard: shard.clone(),
    });
    let (session, group) = (SessionId(2), room());
    stage.logs_in(2, &name(2), &[]);
    stage.user_shard_says(2, Down::Joined { session, group });
    assert_eq!(stage.said_to_room(), []);
    stage.happens(Event::LinkUp { shard });
    let said = what(stage.said_to_room());
    assert_eq!(said[0], again(3, &[1]));
    assert!(said[1..].iter().all(|what| *what == follow(2)));
    // The other shard's link concerns other groups.
    let other = match stage.room_shard().as_str() {
        "a" => "b",
        _ => "a",
    };
    let shard = proto::ids::ShardId::new(other).unwrap();
    stage.happens(Event::LinkUp { shard });
    assert_eq!(stage.said_to_room(), []);
}

#[test]
fn a_busy_shard_and_a_full_link_are_tried_again_in_a_moment() {
    let mut stage = Stage::with(&[1]);
    stage.logs_in(2, &name(2), &[member()]);
    stage.forget();
    stage.room_says(FromGroup::Busy { group: room() });
    stage.room_says(FromGroup::Busy { group: room() });
    stage.pass(Duration::from_millis(99));
    assert_eq!(stage.said_to_room(), []);
    stage.pass(Duration::from_millis(1));
    let all = [again(3, &[1]), follow(2)];
    assert_eq!(what(stage.said_to_room()), all);
    for what_came_back in all.clone() {
        let envelope = Up::ToGroup {
            group: room(),
            what: what_came_back,
        };
        stage.happens(Event::LinkFull { envelope });
        stage.pass(Duration::from_millis(100));
        assert_eq!(what(stage.said_to_room()), all);
    }
    stage.pass(Duration::from_secs(1));
    assert_eq!(stage.said_to_room(), [], "only as often");
}

#[test]
fn who_is_no_member_is_out_and_the_users_shard_learns_it() {
    let mut stage = Stage::with(&[1, 2]);
    let session = SessionId(1);
    let group = room();
    stage.room_says(FromGroup::NotMember {
        session,
        group,
        version: VERSION,
    });
    assert_eq!(stage.told(1), [left()]);
    let asked = |stage: &mut Stage, session: u64| {
        let is_it = |(_, up): &(LinkId, Up)| match up {
            Up::Request {
                session: of,
                request,
                ..
            } => of.0 == session && *request == Request::NotMember(room(), VERSION),
            _ => false,
        };
        stage.sent.iter().any(is_it)
    };
    assert!(asked(&mut stage, 1));
    stage.forget();
    // One who had left meanwhile.
    let (session, group) = (SessionId(1), room());
    stage.room_says(FromGroup::NotMember {
        session,
        group,
        version: VERSION,
    });
    assert!(stage.told.is_empty() && stage.sent.is_empty());
    stage.room_says(FromGroup::FollowedAgain {
        group: room(),
        head: head(3),
        gone: vec![user(2)],
        version: VERSION,
    });
    assert_eq!(stage.told(2), [left()]);
    assert!(asked(&mut stage, 2));
    assert_eq!(what(stage.said_to_room()), [ToGroup::Unfollow]);
}
