//! A client's window while its link is paused: what counts of the answers that
//! come, and as what a message goes out.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use bytes::Bytes;
use connd_core::{Claims, Effect, Event, Gateway, Settings};
use proto::client::{ClientPacket, Login, Send};
use proto::clock::{Moment, Now};
use proto::codes::Code;
use proto::ids::{
    DeviceId, Epoch, Generation, LoginOrder, MessageId, SessionId, ShardId, Stamp, Token, UserId,
};
use proto::limits::VERSION;
use proto::link::{Answer, Attempt, Batch, Down, Return, ReturnReason, Up};
use proto::ring::{Member, Ring};
use proto::server::ServerPacket;
use proto::status::Status;

const SESSION: SessionId = SessionId(3);

/// A gateway of one shard with one client, logged in.
struct Stage {
    gateway: Gateway,
    now: Now,
    told: Vec<ServerPacket>,
    sent: Vec<(MessageId, Generation, Attempt)>,
}

impl Stage {
    fn greeted() -> Self {
        let member = Member {
            shard: shard(),
            weight: 1,
        };
        let ring = Ring::build(Epoch(1), vec![member]).unwrap();
        let mut stage = Self {
            gateway: Gateway::new(Settings::default(), Arc::new(ring)),
            now: Now {
                moment: Moment(5_000_000),
                wall: Stamp(1_795_000_000_000_000),
            },
            told: Vec::new(),
            sent: Vec::new(),
        };
        stage.happens(Event::LinkUp { shard: shard() });
        stage.happens(Event::Opened {
            session: SESSION,
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        });
        let login = Login {
            version_min: VERSION,
            version_max: VERSION,
            features: 0,
            token: String::new(),
            user: Some(user("ann")),
            device: Some(DeviceId::new("phone").unwrap()),
            friends_hash: None,
            heartbeat_ms: 0,
            status: Some(Status::online()),
        };
        stage.says(ClientPacket::Login(Box::new(login)));
        let claims = Ok(Claims {
            user: user("ann"),
            device: None,
            expires: None,
        });
        stage.happens(Event::Authenticated {
            session: SESSION,
            claims,
        });
        stage.hears(Down::Accepted {
            session: SESSION,
            token: Token(1),
            order: LoginOrder {
                token: Token(1),
                number: 1,
            },
            groups: Vec::new(),
        });
        stage.told.clear();
        stage
    }

    fn happens(&mut self, event: Event) {
        let mut effects = Vec::new();
        self.gateway.handle(self.now, event, &mut effects);
        self.gateway.check_invariants();
        for effect in effects {
            match effect {
                Effect::Write { packet, .. } => self.told.push(packet),
                Effect::Forward {
                    envelope: Up::Submit(submit),
                    ..
                } => {
                    let sent = (submit.id, submit.generation, submit.attempt);
                    self.sent.push(sent);
                }
                _ => {}
            }
        }
    }

    fn says(&mut self, packet: ClientPacket) {
        self.happens(Event::Received {
            session: SESSION,
            packet: Ok(packet),
        });
    }

    fn hears(&mut self, envelope: Down) {
        let link = self.gateway.link(&shard());
        let batch = Batch {
            epoch: Epoch(1),
            envelopes: vec![envelope],
        };
        self.happens(Event::Arrived { link, batch });
    }

    /// Sends a message; gives what went out by then, and clears it.
    fn sends(&mut self, number: u8, again: bool) -> Vec<(MessageId, Attempt)> {
        self.says(ClientPacket::Send(Send {
            id: id(number),
            to: user("ben"),
            body: Bytes::from_static(b"hello"),
            friends_hash: None,
            again,
        }));
        self.went_out()
    }

    fn went_out(&mut self) -> Vec<(MessageId, Attempt)> {
        let sent = self.sent.drain(..);
        sent.map(|(id, _, attempt)| (id, attempt)).collect()
    }

    /// The shard sends one back: the session's window waits for a pause.
    fn pauses(&mut self, number: u8, generation: Generation) {
        self.hears(Down::Return(Return {
            session: SESSION,
            id: id(number),
            generation,
            reason: ReturnReason::Busy,
        }));
    }

    fn refuses(&mut self, number: u8, generation: Generation) {
        self.hears(Down::Answer {
            session: SESSION,
            id: id(number),
            answer: Answer::Rejected {
                code: Code::MailboxFull,
                text: "".into(),
                generation,
            },
        });
    }

    /// The pause is over.
    fn goes_on(&mut self) {
        for _ in 0..100 {
            let Some(deadline) = self.gateway.next_deadline() else {
                break;
            };
            self.now.moment = self.now.moment.max(deadline);
            self.happens(Event::Tick);
            if !self.sent.is_empty() {
                return;
            }
        }
        panic!("nothing goes out again");
    }
}

fn shard() -> ShardId {
    ShardId::new("a").unwrap()
}

fn user(name: &str) -> UserId {
    UserId::new(name).unwrap()
}

fn id(number: u8) -> MessageId {
    MessageId::mint(1_795_000_000_000, [number; 10])
}

#[test]
fn a_refusal_that_comes_in_a_pause_counts_as_no_later_copy_is_out() {
    let mut stage = Stage::greeted();
    stage.sends(1, false);
    stage.sends(2, false);
    let first = Generation::default();
    stage.pauses(2, first);
    stage.refuses(1, first);
    let told = std::mem::take(&mut stage.told);
    assert!(
        matches!(&told[..], [ServerPacket::Rejected { id: refused, .. }] if *refused == id(1)),
        "{told:?}"
    );
    stage.goes_on();
    let generation = stage.sent[0].1;
    assert_eq!(stage.went_out(), [(id(2), Attempt::Resent)]);
    // Of this one a later copy is out by now, which may come through.
    stage.refuses(2, first);
    assert_eq!(stage.told, []);
    stage.refuses(2, generation);
    assert_eq!(stage.told.len(), 1);
}

#[test]
fn what_never_went_out_is_a_first_copy_however_long_it_waited() {
    let mut stage = Stage::greeted();
    assert_eq!(stage.sends(1, false), [(id(1), Attempt::First)]);
    assert_eq!(stage.sends(2, true), [(id(2), Attempt::Repeated)]);
    stage.pauses(1, Generation::default());
    assert_eq!(stage.sends(3, false), []);
    assert_eq!(stage.sends(4, true), []);
    stage.goes_on();
    let attempts = [
        (id(1), Attempt::Resent),
        (id(2), Attempt::Resent),
        (id(3), Attempt::First),
        (id(4), Attempt::Repeated),
    ];
    assert_eq!(stage.went_out(), attempts);
    stage.goes_on();
    let again = attempts.map(|(id, _)| (id, Attempt::Resent));
    assert_eq!(stage.went_out(), again);
}
