//! What waits for a friend list that nobody asked for yet.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use msgd_core::{Event, Settings};
use proto::friends::{FriendList, ListHash};
use proto::graph::{GraphAnswer, GraphRequest};
use proto::ids::{Generation, MessageId, SessionId, Stamp, Token, UserId};
use proto::link::{Announce, Down, Forward, Message, Relay, Relayed, Tell, Up};
use proto::server::{ReceiptKind, ServerPacket};
use proto::slot::Slot;
use proto::status::{PeerStatus, Status, StatusVersion};

use crate::stage::{GATEWAY, Stage};

fn relayed(stage: &mut Stage, to: &UserId, relayed: Relayed) {
    let slot = Slot::of(to);
    stage.comes(GATEWAY, Up::Relay(Relay { slot, relayed }));
}

fn logs_in(stage: &mut Stage, session: u64, user: &UserId, friends_hash: ListHash) {
    let announce = Announce {
        friends_hash: Some(friends_hash),
        ..stage.session(SessionId(session), user, "laptop")
    };
    stage.comes(GATEWAY, Up::Announce(Box::new(announce)));
}

/// Whether the friend service was asked for a list.
fn is_asked(stage: &Stage, whose: &UserId) -> bool {
    let mut asked = stage.asked.iter();
    asked.any(|(_, request)| matches!(request, GraphRequest::Get { user, .. } if user == whose))
}

fn user(number: usize) -> UserId {
    UserId::new(format!("user-{number}")).unwrap()
}

fn letter(to: &UserId, number: u64) -> Relayed {
    Relayed::Forward(Forward {
        message: Message {
            from: user(900_000),
            id: MessageId::mint(1_700_000_000_000 + number, [9; 10]),
            to: to.clone(),
            stamp: Stamp(1_700_000_000_000_000),
            body: Bytes::from_static(b"hello"),
        },
        session: SessionId(812),
        generation: Generation(1),
        again: false,
    })
}

#[test]
fn who_came_last_learns_that_its_list_is_old_however_many_came_before() {
    let mut stage = Stage::serving(Settings::default(), &[]);
    let dora = user(0);
    let newest = Arc::new(FriendList::empty());
    let old = ListHash([7; 16]);
    // One device comes again and again while nobody can say what is newest.
    for session in 1..=40 {
        logs_in(&mut stage, session, &dora, old);
        if session % 2 == 0 {
            stage.comes(
                GATEWAY,
                Up::Gone {
                    session: SessionId(session),
                    user: dora.clone(),
                    lost: true,
                },
            );
        }
    }
    logs_in(&mut stage, 41, &dora, old);
    let (ticket, _) = stage.asked.pop().unwrap();
    stage.sent.clear();
    stage.handle(Event::Graph {
        ticket,
        answer: GraphAnswer::List(newest.clone()),
    });
    let stale = ServerPacket::FriendsStale {
        version: newest.version(),
        hash: newest.hash(),
    };
    let told = stage
        .sent
        .into_iter()
        .filter_map(|(_, envelope)| match envelope {
            Down::Push { sessions, packet } if *packet == stale => Some(sessions),
            _ => None,
        });
    let told: Vec<SessionId> = told.flatten().collect();
    assert_eq!(told, [SessionId(41)]);
}

#[test]
fn a_list_that_could_not_be_asked_for_is_asked_for_in_time() {
    let mut stage = Stage::serving(Settings::default(), &[]);
    // Whoever has a session has been announced by now.
    stage.pass(Duration::from_secs(30));
    let dora = user(0);
    // In memory, and nobody needed the list.
    relayed(
        &mut stage,
        &dora,
        Relayed::Receipt {
            from: user(1),
            to: dora.clone(),
            kind: ReceiptKind::Delivered,
            up_to: Stamp(1),
        },
    );
    // So many questions are open that statuses ask none.
    for number in 1..=256 {
        let to = user(1_000 + number);
        relayed(&mut stage, &to, letter(&to, number as u64));
    }
    assert_eq!(stage.asked.len(), 256);
    let tell = Tell {
        request: 1,
        status: PeerStatus {
            user: user(2),
            status: Status::online(),
            version: StatusVersion {
                token: Token(1),
                counter: 1,
            },
            last_seen: None,
        },
        targets: vec![dora.clone()],
        ask: true,
        news: true,
    };
    relayed(&mut stage, &dora, Relayed::Tell(tell));
    relayed(&mut stage, &dora, letter(&dora, 999));
    assert!(!is_asked(&stage, &dora), "the fault did not happen");
    stage.pass(Settings::default().friends_patience);
    assert!(is_asked(&stage, &dora));
}
