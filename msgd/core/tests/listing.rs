//! What waits for a friend list that nobody asked for yet.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use msgd_core::store::{Claim, Mailbox, Outcome, Position, Request};
use msgd_core::{Effect, Event, GraphTicket, Settings, Shard};
use proto::clock::{Moment, Now};
use proto::friends::{FriendList, ListHash};
use proto::graph::{GraphAnswer, GraphRequest};
use proto::ids::{
    DeviceId, Epoch, GatewayId, Generation, Incarnation, MessageId, SessionId, ShardId, Stamp,
    Token, UserId,
};
use proto::link::{Announce, Batch, Down, Forward, Message, Relay, Relayed, Tell, Up};
use proto::ring::{Member, Ring};
use proto::server::{ReceiptKind, ServerPacket};
use proto::slot::Slot;
use proto::status::{PeerStatus, Status, StatusVersion};

const GATEWAY: GatewayId = GatewayId(7_001);
const EPOCH: Epoch = Epoch(1);

/// A shard that owns every slot, with a store that has nothing and a friend
/// service that does not answer by itself.
struct Stage {
    shard: Shard,
    now: Now,
    asked: Vec<UserId>,
    tickets: Vec<GraphTicket>,
    pushed: Vec<(SessionId, ServerPacket)>,
}

impl Stage {
    fn serving() -> Self {
        let name = ShardId::new("m1").unwrap();
        let member = Member {
            shard: name.clone(),
            weight: 1,
        };
        let ring = Arc::new(Ring::build(EPOCH, vec![member]).unwrap());
        let shard = Shard::new(Settings::default(), name, Incarnation(4_004), ring, None);
        let mut stage = Self {
            shard,
            now: Now {
                moment: Moment(1_000_000),
                wall: Stamp(1_700_000_000_000_000),
            },
            asked: Vec::new(),
            tickets: Vec::new(),
            pushed: Vec::new(),
        };
        let mut effects = Vec::new();
        stage.shard.start(stage.now, &mut effects);
        stage.carry_out(effects);
        stage.handle(Event::GatewayUp { gateway: GATEWAY });
        stage
    }

    fn handle(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.shard.handle(self.now, event, &mut effects);
        self.shard.check_invariants();
        self.carry_out(effects);
    }

    fn carry_out(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Store(Request::Claim { slots, .. }) => {
                    for slot in slots {
                        let token = Token(1);
                        let claim = Claim { slot, token };
                        let recent = Vec::new();
                        self.handle(Event::Store(Outcome::Claimed { claim, recent }));
                    }
                }
                Effect::Store(Request::Open { claim, user, .. }) => {
                    let mailbox = Some(Mailbox {
                        cursor: Position(1),
                        end: Position(1),
                        latest: Vec::new(),
                        notes: false,
                        last_seen: None,
                    });
                    self.handle(Event::Store(Outcome::Opened {
                        claim,
                        user,
                        mailbox,
                    }));
                }
                Effect::AskGraph { ticket, request } => match request {
                    GraphRequest::Get { user, .. } => {
                        self.asked.push(user);
                        self.tickets.push(ticket);
                    }
                    GraphRequest::Change(change) => panic!("{change:?}"),
                },
                Effect::Send { envelope, .. } => {
                    if let Down::Push { sessions, packet } = envelope {
                        let to_each = sessions.into_iter().map(|to| (to, (*packet).clone()));
                        self.pushed.extend(to_each);
                    }
                }
                Effect::Store(_) | Effect::Pledged { .. } | Effect::Fenced => {}
            }
        }
    }

    fn comes(&mut self, to: &UserId, relayed: Relayed) {
        let slot = Slot::of(to);
        self.arrives(Up::Relay(Relay { slot, relayed }));
    }

    fn arrives(&mut self, envelope: Up) {
        let batch = Batch {
            epoch: EPOCH,
            envelopes: vec![envelope],
        };
        self.handle(Event::Arrived {
            gateway: GATEWAY,
            batch,
        });
    }

    fn logs_in(&mut self, session: u64, user: &UserId, friends_hash: ListHash) {
        self.arrives(Up::Announce(Box::new(Announce {
            session: SessionId(session),
            user: user.clone(),
            device: DeviceId::new("laptop").unwrap(),
            window_messages: 8,
            window_bytes: 4_096,
            friends_hash: Some(friends_hash),
            status: Status::online(),
            status_since: self.now.wall,
            order: None,
            since: self.now.wall,
            again: false,
        })));
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now.moment + time;
        while let Some(next) = self.shard.next_deadline().filter(|next| *next <= end) {
            self.now.moment = next.max(self.now.moment);
            self.handle(Event::Tick);
        }
        self.now.moment = end;
    }
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
    let mut stage = Stage::serving();
    let dora = user(0);
    let newest = Arc::new(FriendList::empty());
    let old = ListHash([7; 16]);
    // One device comes again and again while nobody can say what is newest.
    for session in 1..=40 {
        stage.logs_in(session, &dora, old);
        if session % 2 == 0 {
            stage.arrives(Up::Gone {
                session: SessionId(session),
                user: dora.clone(),
                lost: true,
            });
        }
    }
    stage.logs_in(41, &dora, old);
    let ticket = stage.tickets.pop().unwrap();
    stage.pushed.clear();
    stage.handle(Event::Graph {
        ticket,
        answer: GraphAnswer::List(newest.clone()),
    });
    let stale = ServerPacket::FriendsStale {
        version: newest.version(),
        hash: newest.hash(),
    };
    let told = stage.pushed.into_iter();
    let told = told.filter(|(_, packet)| *packet == stale);
    let told: Vec<_> = told.map(|(to, _)| to).collect();
    assert_eq!(told, [SessionId(41)]);
}

#[test]
fn a_list_that_could_not_be_asked_for_is_asked_for_in_time() {
    let mut stage = Stage::serving();
    // Whoever has a session has been announced by now.
    stage.pass(Duration::from_secs(30));
    let dora = user(0);
    // In memory, and nobody needed the list.
    stage.comes(
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
        stage.comes(&to, letter(&to, number as u64));
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
    stage.comes(&dora, Relayed::Tell(tell));
    stage.comes(&dora, letter(&dora, 999));
    assert!(!stage.asked.contains(&dora), "the fault did not happen");
    stage.pass(Settings::default().friends_patience);
    assert!(stage.asked.contains(&dora));
}
