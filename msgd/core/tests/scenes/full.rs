//! A full mailbox: who was refused stays so, though there is room again when
//! another copy comes.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use msgd_core::store::{Outcome, Position, Request};
use msgd_core::{Event, Policy, Settings};
use proto::codes::Code;
use proto::friends::FriendList;
use proto::graph::GraphAnswer;
use proto::ids::{Generation, MessageId, SessionId, Stamp};
use proto::link::{Answer, Down, Forward, Message, Relay, Relayed, Up};
use proto::slot::Slot;

use crate::stage::{GATEWAY, Stage, user};

/// A shard that is open to everybody, some time after it has claimed its slots,
/// and a store with room for so many messages.
struct Scene {
    stage: Stage,
    /// When ids are minted, by a client's clock.
    minted_ms: u64,
    room: usize,
    end: Position,
    appended: Vec<MessageId>,
}

impl Scene {
    fn after(seconds: u64) -> Self {
        let settings = Settings {
            policy: Policy::Open,
            ..Settings::default()
        };
        let mut stage = Stage::serving(settings, &[]);
        let now = &mut stage.now;
        now.moment = now.moment + Duration::from_secs(seconds);
        now.wall = Stamp(now.wall.0 + seconds * 1_000_000);
        Self {
            minted_ms: now.wall.as_ms(),
            stage,
            room: 0,
            end: Position::default(),
            appended: Vec::new(),
        }
    }

    /// Answers what was asked.
    fn settle(&mut self) {
        while let Some((ticket, _)) = self.stage.asked.pop() {
            let answer = GraphAnswer::List(Arc::new(FriendList::empty()));
            self.stage.handle(Event::Graph { ticket, answer });
        }
        while let Some(request) = self.stage.requests.pop() {
            if let Request::Append {
                claim,
                user,
                messages,
                ..
            } = request
            {
                let (first, count) = (self.end, messages.len().min(self.room));
                self.room -= count;
                self.end.0 += count as u64;
                let fit = messages.iter().take(count);
                self.appended.extend(fit.map(|letter| letter.message.id));
                self.stage.handle(Event::Store(Outcome::Appended {
                    claim,
                    user,
                    first,
                    count,
                }));
            }
        }
    }

    fn id(&self, number: u8) -> MessageId {
        MessageId::mint(self.minted_ms, [number; 10])
    }

    /// A copy comes; gives what its sender hears.
    fn comes(&mut self, number: u8, generation: u32, again: bool) -> Option<Answer> {
        let to = user("ben");
        let slot = Slot::of(&to);
        let relayed = Relayed::Forward(Forward {
            message: Message {
                from: user("ann"),
                id: self.id(number),
                to,
                stamp: self.stage.now.wall,
                body: Bytes::from_static(b"hello"),
            },
            session: SessionId(812),
            generation: Generation(generation),
            again,
        });
        let envelope = Up::Relay(Relay { slot, relayed });
        self.stage.comes(GATEWAY, envelope);
        self.settle();
        let answers = self
            .stage
            .sent
            .drain(..)
            .filter_map(|(_, envelope)| match envelope {
                Down::Answer { id, answer, .. } => Some((id, answer)),
                _ => None,
            });
        let (of, answer) = answers.last()?;
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
    // Longer ago than clocks may differ: what is refused is certain.
    let mut scene = Scene::after(100);
    assert_eq!(scene.comes(1, 1, false), full(1));
    scene.room = 2;
    assert!(matches!(scene.comes(2, 1, false), Some(Answer::Sent(_))));
    // The gateway had a pause, dropped the refusal and sent all again.
    assert_eq!(scene.comes(1, 2, true), full(2));
    assert!(matches!(scene.comes(2, 2, true), Some(Answer::Sent(_))));
    assert!(matches!(scene.comes(3, 2, false), Some(Answer::Sent(_))));
    assert_eq!(scene.appended, [scene.id(2), scene.id(3)]);
}

#[test]
fn what_clocks_may_have_misplaced_is_not_called_never_delivered() {
    let mut scene = Scene::after(30);
    let unknown = Some(Answer::Unknown { code: Code::TooOld });
    scene.minted_ms -= 10_000;
    assert_eq!(scene.comes(1, 1, true), unknown);
    assert_eq!(scene.comes(2, 1, false), full(1));
}
