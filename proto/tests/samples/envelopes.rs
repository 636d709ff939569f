//! One envelope of every kind, both ways.

mod group_envelopes;

use std::sync::Arc;

use bytes::Bytes;
use proto::client::{ChangeFriend, EndDevice, Read, TRANSIENT_TYPING, Transient};
use proto::codes::Code;
use proto::friends::{FriendAction, FriendEntry, FriendList, ListHash, ListVersion, Relation};
use proto::ids::{
    DeviceId, Generation, Identity, Incarnation, LoginOrder, MessageId, SessionId, Stamp, Token,
    UserId,
};
use proto::link::{
    Announce, Answer, Attempt, Deliver, Down, Forward, FriendAct, FriendActed, Message, Pledge,
    Recipient, Relay, Relayed, Request, Return, ReturnReason, Submit, Tell, Up,
};
use proto::server::{Outcome, ReceiptKind, Sent, SentElsewhere, ServerPacket};
use proto::slot::Slot;
use proto::status::{Availability, PeerStatus, Status, StatusVersion};
use smallvec::smallvec;
use smol_str::SmolStr;

/// Every envelope from a gateway to a shard.
pub fn up() -> Vec<Up> {
    let (session, user) = (SessionId(u64::MAX), id("ann"));
    let gone = |lost| Up::Gone {
        session,
        user: user.clone(),
        lost,
    };
    let to = || Recipient::User(id("ben"));
    let mut all = vec![
        announce(Some(ListHash([8; 16])), true),
        announce(None, false),
        gone(true),
        gone(false),
        submit(to(), Some(ListHash([9; 16])), Attempt::Resent),
        submit(to(), None, Attempt::Repeated),
        submit(group_envelopes::recipient(), None, Attempt::First),
        Up::Acknowledge {
            session,
            user: user.clone(),
            identities: smallvec![identity("ben", 1), identity("cat", 2), identity("ben", 3)],
        },
    ];
    all.extend(group_envelopes::up());
    let requests = requests().into_iter().chain(group_envelopes::requests());
    all.extend(requests.map(|request| Up::Request {
        session,
        user: user.clone(),
        request,
    }));
    all.extend(relays().into_iter().map(Up::Relay));
    all
}

/// Every envelope from a shard to a gateway.
pub fn down() -> Vec<Down> {
    let session = SessionId(1);
    let mut all = vec![
        Down::Accepted {
            session,
            token: Token(u64::MAX),
            order: order(),
            groups: group_envelopes::user_groups(),
        },
        Down::Refused {
            session,
            code: Code::TooManySessions,
        },
        Down::Deliver(Deliver {
            session,
            token: Token(4),
            message: message(),
        }),
        Down::Push {
            sessions: smallvec![SessionId(1), SessionId(2), SessionId(3)],
            packet: Box::new(ServerPacket::Pong),
        },
        Down::Close {
            session,
            code: Code::Replaced,
        },
        Down::Carbons {
            session,
            wanted: true,
        },
    ];
    all.extend(group_envelopes::down());
    all.extend(answers().into_iter().map(|answer| Down::Answer {
        session,
        id: message_id(1),
        answer,
    }));
    for reason in [ReturnReason::Busy, ReturnReason::NotOwner] {
        all.push(Down::Return(Return {
            session,
            id: message_id(1),
            generation: Generation(u32::MAX),
            reason,
        }));
    }
    all.extend(relays().into_iter().map(Down::Relay));
    all
}

fn order() -> LoginOrder {
    LoginOrder {
        token: Token(7),
        number: 4711,
    }
}

fn announce(friends_hash: Option<ListHash>, again: bool) -> Up {
    Up::Announce(Box::new(Announce {
        session: SessionId(5),
        user: id("ann"),
        device: DeviceId::new("phone").unwrap(),
        window_messages: 128,
        window_bytes: 524_288,
        friends_hash,
        status: Status::plain(Availability::Invisible),
        status_since: Stamp(1_795_000_000_000_007),
        order: again.then(order),
        since: Stamp(1_795_000_000_000_005),
        again,
    }))
}

fn submit(to: Recipient, friends_hash: Option<ListHash>, attempt: Attempt) -> Up {
    Up::Submit(Submit {
        session: SessionId(5),
        generation: Generation(2),
        attempt,
        from: id("ann"),
        id: message_id(1),
        to,
        friends_hash,
        body: Bytes::from_static(b"see you at six"),
    })
}

fn requests() -> Vec<Request> {
    vec![
        Request::SetStatus {
            status: Status {
                availability: Availability::Busy,
                text: SmolStr::new("in a call"),
            },
            since: Stamp(1_795_000_000_000_009),
        },
        Request::GetFriends,
        Request::ChangeFriend(ChangeFriend {
            request: 0,
            action: FriendAction::Unblock,
            peer: id("ben"),
        }),
        Request::Transient(typing()),
        Request::Copy(Box::new(SentElsewhere {
            id: message_id(2),
            sent: Sent {
                stamp: Stamp(7),
                outcome: Outcome::Stored,
            },
            to: id("ben"),
            body: Bytes::from_static(b"see you at six"),
        })),
        Request::GetDevices,
        Request::EndDevice(EndDevice {
            request: 3,
            device: DeviceId::new("tablet").unwrap(),
        }),
        Request::Read(Read {
            peer: id("ben"),
            up_to: Stamp(7),
        }),
    ]
}

fn answers() -> Vec<Answer> {
    let sent = |outcome| {
        Answer::Sent(Sent {
            stamp: Stamp(7),
            outcome,
        })
    };
    vec![
        sent(Outcome::Stored),
        sent(Outcome::Logged(group_envelopes::place())),
        sent(Outcome::Delivered {
            device: DeviceId::new("phone").unwrap(),
        }),
        Answer::Rejected {
            code: Code::Filtered,
            text: SmolStr::new("no shouting"),
            generation: Generation(u32::MAX),
        },
        Answer::Rejected {
            code: Code::Blocked,
            text: SmolStr::default(),
            generation: Generation(0),
        },
        Answer::Unknown { code: Code::TooOld },
    ]
}

fn relays() -> Vec<Relay> {
    let first_and_last = [Slot::new(0).unwrap(), Slot::new(16_383).unwrap()];
    let slots = first_and_last.into_iter().cycle();
    let relayed = relayed().into_iter().chain(group_envelopes::relayed());
    let all = relayed.zip(slots);
    all.map(|(relayed, slot)| Relay { slot, relayed }).collect()
}

fn relayed() -> Vec<Relayed> {
    let tell = |ask| {
        Relayed::Tell(Tell {
            request: 6,
            status: peer_status(),
            targets: vec![id("ben"), id("cat")],
            ask,
            news: !ask,
        })
    };
    vec![
        Relayed::Forward(Forward {
            message: message(),
            session: SessionId(5),
            generation: Generation(2),
            again: true,
        }),
        Relayed::Transient {
            from: id("ann"),
            transient: typing(),
        },
        receipt(ReceiptKind::Delivered),
        receipt(ReceiptKind::Read),
        tell(true),
        tell(false),
        Relayed::Statuses {
            request: 6,
            to: id("ann"),
            statuses: vec![peer_status()],
        },
        Relayed::FriendAct(FriendAct {
            request: 9,
            actor: id("ann"),
            peer: id("ben"),
            action: FriendAction::Block,
            actor_version: ListVersion(3),
        }),
        friend_acted(None, Some(Arc::new(list()))),
        friend_acted(Some(Code::FriendsUnavailable), None),
        Relayed::Pledge(Pledge {
            from: Incarnation(3),
            back: Slot::new(16_383).unwrap(),
            to: Incarnation(4),
            number: 8,
            given: true,
        }),
    ]
}

fn receipt(kind: ReceiptKind) -> Relayed {
    Relayed::Receipt {
        from: id("ben"),
        to: id("ann"),
        kind,
        up_to: Stamp(7),
    }
}

fn friend_acted(code: Option<Code>, list: Option<Arc<FriendList>>) -> Relayed {
    Relayed::FriendActed(FriendActed {
        request: 9,
        actor: id("ann"),
        code,
        list,
    })
}

fn list() -> FriendList {
    let entry = FriendEntry {
        user: id("ben"),
        relation: Relation::Friend,
        blocked: true,
    };
    FriendList::new(ListVersion(4), vec![entry]).unwrap()
}

fn peer_status() -> PeerStatus {
    PeerStatus {
        user: id("ann"),
        status: Status::offline(),
        version: StatusVersion {
            token: Token(3),
            counter: 4,
        },
        last_seen: Some(Stamp(5)),
    }
}

fn typing() -> Transient {
    Transient {
        to: id("ben"),
        kind: TRANSIENT_TYPING,
        body: Bytes::from_static(b"..."),
    }
}

fn message() -> Message {
    Message {
        from: id("ann"),
        id: message_id(1),
        to: id("ben"),
        stamp: Stamp(7),
        body: Bytes::from_static(b"see you at six"),
    }
}

fn identity(from: &str, number: u8) -> Identity {
    Identity {
        from: id(from),
        id: message_id(number),
    }
}

/// All bits of both halves differ.
fn message_id(number: u8) -> MessageId {
    let mut bytes = *b"0123456789abcdef";
    bytes[15] = number;
    MessageId::from_bytes(bytes)
}

fn id(name: &str) -> UserId {
    UserId::new(name).unwrap()
}
