//! What comes from a group goes to its sessions: once, in order, and to nobody
//! who is out.

use std::time::Duration;

use connd_core::Event;
use proto::client::ClientPacket;
use proto::group::Action;
use proto::ids::SessionId;
use proto::link::{FromGroup, ToGroup};
use proto::server::{GroupTransientFrom, ServerPacket};
use proto::status::{Availability, Status};

use crate::stage::{Stage, VERSION, change, head, member, name, room, user};

#[test]
fn each_entry_goes_once_and_in_order_to_those_who_are_in() {
    let mut stage = Stage::with(&[2, 1, 5]);
    stage.logs_in(4, &name(4), &[member()]);
    stage.logs_in(6, &name(6), &[]);
    for seq in [3, 4, 4, 5, 4] {
        stage.entry(seq);
    }
    assert_eq!(stage.entries(), [(vec![1, 2, 5], 4), (vec![1, 2, 5], 5)]);
    stage.followed(4, 5);
    stage.entry(6);
    assert_eq!(stage.entries(), [(vec![1, 2, 4, 5], 6)]);
    assert_eq!(stage.gateway.counters().group_deliveries, 10);
}

#[test]
fn changes_may_wait_a_moment_and_messages_may_not() {
    let mut stage = Stage::with(&[1]);
    stage.room_says(FromGroup::Entry(change(4)));
    stage.entry(5);
    let later: Vec<bool> = stage.spread.iter().map(|(_, _, later)| *later).collect();
    assert_eq!(later, [true, false]);
}

#[test]
fn a_transient_message_goes_to_those_who_are_in() {
    let mut stage = Stage::with(&[1, 2]);
    let transient = GroupTransientFrom {
        group: room(),
        from: user(1),
        kind: 1,
        body: bytes::Bytes::from_static(b"typing"),
    };
    stage.room_says(FromGroup::Transient(transient.clone()));
    let expected = ServerPacket::GroupTransient(transient);
    assert_eq!(stage.spread, [(vec![1, 2], expected, false)]);
}

#[test]
fn what_others_missed_is_asked_for() {
    let mut stage = Stage::with(&[1]);
    stage.logs_in(2, &name(2), &[member()]);
    stage.forget();
    // The fourth has not come.
    stage.followed(2, 4);
    stage.pass(Duration::from_millis(100));
    let again = |stage: &mut Stage| {
        let said = stage.said_to_room();
        said.iter()
            .filter(
                |(_, what)| matches!(what, ToGroup::FollowAgain { after, .. } if after.seq == 3),
            )
            .count()
    };
    assert_eq!(again(&mut stage), 1);
    // Nor has it, where another shard lets in who is in already.
    stage.followed(2, 4);
    stage.pass(Duration::from_millis(100));
    assert_eq!(again(&mut stage), 1);
    stage.entry(4);
    assert_eq!(stage.entries(), [(vec![1, 2], 4)]);
    stage.followed(2, 4);
    stage.pass(Duration::from_millis(100));
    assert_eq!(again(&mut stage), 0);
}

#[test]
fn who_is_put_out_hears_it_once_and_the_shard_always() {
    let mut stage = Stage::with(&[1, 2]);
    // A device that is not in yet is put out too.
    stage.logs_in(11, &name(1), &[]);
    let (session, group) = (SessionId(11), room());
    let joined = proto::link::Down::Joined { session, group };
    let link = stage.link(proto::slot::Slot::of(&user(1)));
    stage.arrives(link, joined);
    stage.forget();
    let drop = |number| FromGroup::Drop {
        group: room(),
        number,
        user: Some(user(1)),
        actor: user(2),
        action: Action::Kick(user(1)),
    };
    stage.room_says(drop(40));
    stage.room_says(drop(41));
    let group = room();
    let change = Some((user(2), Action::Kick(user(1))));
    let left = ServerPacket::GroupLeft { group, change };
    for session in [1, 11] {
        assert_eq!(stage.told(session), std::slice::from_ref(&left));
    }
    let said: Vec<ToGroup> = stage
        .said_to_room()
        .into_iter()
        .map(|(_, what)| what)
        .collect();
    let dropped = [40, 41].map(|number| ToGroup::Dropped { number });
    assert_eq!(said, dropped);
    stage.followed(11, 4);
    stage.entry(4);
    assert_eq!(stage.entries(), [(vec![2], 4)]);
    // All are out of a group that has ended.
    stage.room_says(FromGroup::Drop {
        group: room(),
        number: 42,
        user: None,
        actor: user(2),
        action: Action::Dissolve,
    });
    assert_eq!(stage.told(2).len(), 1);
    let said: Vec<ToGroup> = stage
        .said_to_room()
        .into_iter()
        .map(|(_, what)| what)
        .collect();
    assert_eq!(said, [ToGroup::Unfollow, ToGroup::Dropped { number: 42 }]);
}

#[test]
fn of_what_was_too_much_the_end_is_told_and_what_comes_of_it_is_late() {
    let mut stage = Stage::with(&[1, 2]);
    let again = |head| FromGroup::FollowedAgain {
        group: room(),
        head,
        gone: Vec::new(),
        version: VERSION,
    };
    stage.room_says(again(head(3)));
    assert_eq!(stage.spread, []);
    stage.room_says(again(head(900)));
    let group = room();
    let end = ServerPacket::GroupHead {
        group,
        head: head(900),
    };
    assert_eq!(stage.spread, [(vec![1, 2], end, false)]);
    stage.entry(900);
    stage.entry(901);
    assert_eq!(stage.entries(), [(vec![1, 2], 901)]);
}

#[test]
fn who_reads_again_hears_where_the_logs_end() {
    let mut stage = Stage::with(&[1, 2]);
    stage.logs_in(3, &name(3), &[member()]);
    stage.entry(4);
    stage.forget();
    for session in [1, 3].map(SessionId) {
        stage.happens(Event::Drained { session });
    }
    let group = room();
    let end = ServerPacket::GroupHead {
        group,
        head: head(4),
    };
    assert_eq!(stage.told, [(1, end)]);
}

#[test]
fn those_are_named_who_are_there_and_do_not_hide() {
    let mut stage = Stage::with(&[1, 2, 3]);
    let hidden = Status {
        availability: Availability::Invisible,
        ..Status::online()
    };
    stage.says(2, ClientPacket::SetStatus(hidden));
    stage.logs_in(4, &name(4), &[member()]);
    stage.forget();
    let group = room();
    stage.room_says(FromGroup::Who { group, number: 8 });
    let said: Vec<ToGroup> = stage
        .said_to_room()
        .into_iter()
        .map(|(_, what)| what)
        .collect();
    let present = ToGroup::Present {
        number: 8,
        count: 2,
        users: vec![user(1), user(3)],
    };
    assert_eq!(said, [present]);
}
