//! A full mailbox: who was refused stays so, though there is room again when
//! another copy comes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use msgd_core::store::{Claim, Mailbox, Outcome, Position, Request};
use msgd_core::{Effect, Event, Policy, Settings, Shard};
use proto::clock::{Moment, Now};
use proto::codes::Code;
use proto::friends::FriendList;
use proto::graph::GraphAnswer;
use proto::ids::{
    Epoch, GatewayId, Generation, Incarnation, MessageId, SessionId, ShardId, Stamp, Token, UserId,
};
use proto::link::{Answer, Batch, Down, Forward, Message, Relay, Relayed, Up};
use proto::ring::{Member, Ring};
use proto::slot::Slot;

const GATEWAY: GatewayId = GatewayId(7_001);
const EPOCH: Epoch = Epoch(1);

/// A shard of all slots that is open to everybody, and a store with room for so
/// many messages.
struct Stage {
    shard: Shard,
    now: Now,
    /// When ids are minted, by a client's clock.
    minted_ms: u64,
    room: usize,
    end: Position,
    appended: Vec<MessageId>,
    answers: Vec<(MessageId, Answer)>,
}

impl Stage {
    fn serving() -> Self {
        let name = ShardId::new("m1").unwrap();
        let member = Member {
            shard: name.clone(),
            weight: 1,
        };
        let ring = Arc::new(Ring::build(EPOCH, vec![member]).unwrap());
        let settings = Settings {
            policy: Policy::Open,
            ..Settings::default()
        };
        let mut stage = Self {
            shard: Shard::new(settings, name, Incarnation(4_004), ring, None),
            now: Now {
                moment: Moment(1_000_000),
                wall: Stamp(1_700_000_000_000_000),
            },
            minted_ms: 1_700_000_100_000,
            room: 0,
            end: Position::default(),
            appended: Vec::new(),
            answers: Vec::new(),
        };
        let mut effects = Vec::new();
        stage.shard.start(stage.now, &mut effects);
        stage.carry_out(effects);
        stage.handle(Event::GatewayUp { gateway: GATEWAY });
        // Longer ago than clocks may differ: what comes is certain.
        stage.now.moment = stage.now.moment + Duration::from_secs(100);
        stage.now.wall = Stamp(stage.now.wall.0 + 100_000_000);
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
                Effect::Store(request) => self.store(request),
                Effect::AskGraph { ticket, .. } => {
                    let answer = GraphAnswer::List(Arc::new(FriendList::empty()));
                    self.handle(Event::Graph { ticket, answer });
                }
                Effect::Send {
                    envelope: Down::Answer { id, answer, .. },
                    ..
                } => self.answers.push((id, answer)),
                _ => {}
            }
        }
    }

    fn store(&mut self, request: Request) {
        match request {
            Request::Claim { slots, .. } => {
                for slot in slots {
                    let token = Token(1);
                    let claim = Claim { slot, token };
                    let recent = Vec::new();
                    self.handle(Event::Store(Outcome::Claimed { claim, recent }));
                }
            }
            Request::Open { claim, user, .. } => {
                let mailbox = Some(Mailbox {
                    cursor: Position::default(),
                    end: self.end,
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
            Request::Append {
                claim,
                user,
                messages,
                ..
            } => {
                let (first, count) = (self.end, messages.len().min(self.room));
                self.room -= count;
                self.end.0 += count as u64;
                let fit = messages.iter().take(count);
                self.appended.extend(fit.map(|letter| letter.message.id));
                self.handle(Event::Store(Outcome::Appended {
                    claim,
                    user,
                    first,
                    count,
                }));
            }
            _ => {}
        }
    }

    fn id(&self, number: u8) -> MessageId {
        MessageId::mint(self.minted_ms, [number; 10])
    }

    /// A copy comes; gives what its sender hears.
    fn comes(&mut self, number: u8, generation: u32, again: bool) -> Option<Answer> {
        let to = UserId::new("ben").unwrap();
        let slot = Slot::of(&to);
        let relayed = Relayed::Forward(Forward {
            message: Message {
                from: UserId::new("ann").unwrap(),
                id: self.id(number),
                to,
                stamp: self.now.wall,
                body: Bytes::from_static(b"hello"),
            },
            session: SessionId(812),
            generation: Generation(generation),
            again,
        });
        let batch = Batch {
            epoch: EPOCH,
            envelopes: vec![Up::Relay(Relay { slot, relayed })],
        };
        self.handle(Event::Arrived {
            gateway: GATEWAY,
            batch,
        });
        let (of, answer) = self.answers.pop()?;
        assert_eq!(of, self.id(number));
        Some(answer)
    }
}

fn full(generation: u32) -> Option<Answer> {
    Some(Answer::Rejected {
        code: Code::MailboxFull,
        text: "".into(),
        generation: Generation(generation),
    })
}

#[test]
fn a_copy_that_comes_when_there_is_room_again_does_not_overtake() {
    let mut stage = Stage::serving();
    assert_eq!(stage.comes(1, 1, false), full(1));
    stage.room = 2;
    assert!(matches!(stage.comes(2, 1, false), Some(Answer::Sent(_))));
    // The gateway had a pause, dropped the refusal and sent all again.
    assert_eq!(stage.comes(1, 2, true), full(2));
    assert!(matches!(stage.comes(2, 2, true), Some(Answer::Sent(_))));
    assert!(matches!(stage.comes(3, 2, false), Some(Answer::Sent(_))));
    assert_eq!(stage.appended, [stage.id(2), stage.id(3)]);
}

#[test]
fn what_clocks_may_have_misplaced_is_not_called_never_delivered() {
    let mut stage = Stage::serving();
    // Taken over half a minute ago, by this clock.
    stage.now.moment = Moment(31_000_000);
    stage.now.wall = Stamp(1_700_000_030_000_000);
    let unknown = Some(Answer::Unknown { code: Code::TooOld });
    stage.minted_ms = 1_700_000_020_000;
    assert_eq!(stage.comes(1, 1, true), unknown);
    assert_eq!(stage.comes(2, 1, false), full(1));
}
