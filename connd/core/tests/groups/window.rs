//! Messages to groups and to users share a session's window.

use std::time::Duration;

use bytes::Bytes;
use proto::client::{ClientPacket, GroupSend, Send};
use proto::codes::Code;
use proto::group::Place;
use proto::ids::{Generation, MessageId, SessionId, Stamp, UserId};
use proto::link::{
    Answer, Attempt, Down, Post, Recipient, Relay, Relayed, Request, Return, ReturnReason, Up,
};
use proto::server::{Outcome, Sent, ServerPacket};
use proto::slot::Slot;

use crate::stage::{LOG, Stage, room, user};

fn id(number: u8) -> MessageId {
    MessageId::mint(1_795_000_000_000 + u64::from(number), [number; 10])
}

fn to_room(stage: &mut Stage, number: u8, again: bool) {
    let send = GroupSend {
        id: id(number),
        group: room(),
        body: Bytes::from_static(b"hello"),
        mentions: vec![user(2)],
        again,
    };
    stage.says(1, ClientPacket::GroupSend(send));
}

fn to_user(stage: &mut Stage, number: u8) {
    let send = Send {
        id: id(number),
        to: UserId::new("ben").unwrap(),
        body: Bytes::from_static(b"hello"),
        friends_hash: None,
        again: false,
    };
    stage.says(1, ClientPacket::Send(send));
}

/// What went out since; forgets it.
fn went_out(stage: &mut Stage) -> Vec<(MessageId, bool, Attempt, Generation)> {
    let sent = std::mem::take(&mut stage.sent).into_iter();
    let submit = |(_, up)| match up {
        Up::Submit(submit) => {
            let is_group = matches!(submit.to, Recipient::Group { .. });
            Some((submit.id, is_group, submit.attempt, submit.generation))
        }
        _ => None,
    };
    sent.filter_map(submit).collect()
}

#[test]
fn a_window_goes_out_again_in_its_order_whoever_it_is_for() {
    let mut stage = Stage::with(&[1]);
    to_room(&mut stage, 1, false);
    to_user(&mut stage, 2);
    to_room(&mut stage, 3, true);
    let first = Generation::default();
    let expected = [
        (id(1), true, Attempt::First, first),
        (id(2), false, Attempt::First, first),
        (id(3), true, Attempt::Repeated, first),
    ];
    assert_eq!(went_out(&mut stage), expected);
    let back = Return {
        session: SessionId(1),
        id: id(1),
        generation: first,
        reason: ReturnReason::NotOwner,
    };
    stage.user_shard_says(1, Down::Return(back));
    to_room(&mut stage, 4, false);
    assert_eq!(went_out(&mut stage), [], "the window waits");
    // One of the former generation is not passed on.
    let post = |generation| Relay {
        slot: Slot::of_group(&room()),
        relayed: Relayed::Post(Post {
            group: room(),
            from: user(1),
            id: id(1),
            body: Bytes::from_static(b"hello"),
            mentions: Vec::new(),
            session: SessionId(1),
            generation,
            attempt: Attempt::First,
        }),
    };
    stage.user_shard_says(1, Down::Relay(post(first)));
    assert!(stage.sent.is_empty());
    stage.pass(Duration::from_millis(50));
    let out = went_out(&mut stage);
    let again: Vec<_> = out
        .iter()
        .map(|(id, of, attempt, _)| (*id, *of, *attempt))
        .collect();
    let expected = [
        (id(1), true, Attempt::Resent),
        (id(2), false, Attempt::Resent),
        (id(3), true, Attempt::Resent),
        (id(4), true, Attempt::First),
    ];
    assert_eq!(again, expected);
    let generation = out[0].3;
    assert!(generation > first);
    let link = stage.room_link();
    stage.user_shard_says(1, Down::Relay(post(generation)));
    assert!(matches!(
        &stage.sent[..],
        [(by, Up::Relay(_))] if *by == link
    ));
}

#[test]
fn the_answer_leaves_once_and_other_devices_need_no_copy() {
    let mut stage = Stage::with(&[1]);
    let (session, wanted) = (SessionId(1), true);
    stage.user_shard_says(1, Down::Carbons { session, wanted });
    to_room(&mut stage, 1, false);
    stage.forget();
    let place = Place { epoch: LOG, seq: 4 };
    let sent = Sent {
        stamp: Stamp(9),
        outcome: Outcome::Logged(place),
    };
    for _ in 0..2 {
        let answer = Answer::Sent(sent.clone());
        let link = stage.room_link();
        let id = id(1);
        stage.arrives(
            link,
            Down::Answer {
                session,
                id,
                answer,
            },
        );
    }
    let id = id(1);
    assert_eq!(stage.told(1), [ServerPacket::Sent { id, sent }]);
    let copies = |(_, up): &(_, Up)| {
        matches!(
            up,
            Up::Request {
                request: Request::Copy(_),
                ..
            }
        )
    };
    assert!(!stage.sent.iter().any(copies));
}

#[test]
fn the_room_s_link_that_comes_up_sends_the_window_again() {
    let mut stage = Stage::with(&[1]);
    to_room(&mut stage, 1, false);
    let shard = stage.room_shard();
    stage.happens(connd_core::Event::LinkDown {
        shard: shard.clone(),
    });
    to_room(&mut stage, 2, false);
    stage.forget();
    stage.happens(connd_core::Event::LinkUp { shard });
    let ids: Vec<MessageId> = went_out(&mut stage).iter().map(|out| out.0).collect();
    assert_eq!(ids, [id(1), id(2)]);
}

#[test]
fn bounds_are_those_of_every_message() {
    let mut stage = Stage::with(&[1]);
    let large = GroupSend {
        id: id(1),
        group: room(),
        body: Bytes::from(vec![7; 16 * 1024 + 1]),
        mentions: Vec::new(),
        again: false,
    };
    stage.says(1, ClientPacket::GroupSend(large));
    let refused = |stage: &mut Stage| match &stage.told(1)[..] {
        [ServerPacket::Rejected { code, .. } | ServerPacket::Unknown { code, .. }] => *code,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(&mut stage), Code::BodyTooLarge);
    for number in 0..128 {
        to_room(&mut stage, number, false);
    }
    assert_eq!(stage.told(1), []);
    to_room(&mut stage, 200, false);
    assert_eq!(refused(&mut stage), Code::WindowExceeded);
    to_room(&mut stage, 201, true);
    assert_eq!(refused(&mut stage), Code::TooMany);
    assert_eq!(went_out(&mut stage).len(), 128);
}
