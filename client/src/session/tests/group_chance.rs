//! Groups under chance: whatever a server leaves out, refuses or begins anew,
//! the application is told every entry once and in order, and all in the end.

use super::groups::{choir, entry, page, state};
use super::*;
use proto::client::GetHistory;
use proto::group::Range;
use proto::group::{Head, Place};
use proto::ids::LogEpoch;

/// A server with one log, its client, and what that was told.
struct World {
    stage: Stage,
    dice: Dice,
    epoch: u64,
    end: u64,
    /// Of the log of which the client was told last.
    told: u64,
    is_anew: bool,
    questions: Vec<GetHistory>,
}

impl World {
    fn new(seed: u64) -> Self {
        Self {
            stage: Stage::in_choir(3),
            dice: Dice::new(seed),
            epoch: 1,
            end: 3,
            told: 3,
            is_anew: false,
            questions: Vec::new(),
        }
    }

    fn chance(&mut self, of: u64) -> bool {
        self.dice.up_to(of - 1) == 0
    }

    fn step(&mut self) {
        match self.dice.up_to(39) {
            0..20 => {
                self.end += 1;
                if !self.chance(3) {
                    self.stage.hears_entry(self.epoch, entry(self.end));
                }
            }
            20..23 => self.names_the_end(),
            23 => {
                self.epoch += 1;
                self.end = 0;
            }
            24 => {
                self.questions.clear();
                self.takes(u64::MAX);
                self.stage.reconnects();
                let (epoch, end) = (self.epoch, self.end);
                self.stage.hears(state(epoch, end, 0));
            }
            25 => self.stage.hears_entry(1, entry(2)),
            26..30 => {
                let count = self.dice.up_to(5);
                self.takes(count);
            }
            30..33 => self.stage.waits(Duration::from_millis(700)),
            _ => self.answers(),
        }
        self.asks();
    }

    fn names_the_end(&mut self) {
        let (epoch, seq) = (LogEpoch(self.epoch), self.end);
        let place = Place { epoch, seq };
        let (group, messages) = (choir(), seq);
        let head = Head { place, messages };
        self.stage.hears(ServerPacket::GroupHead { group, head });
    }

    /// Whatever the client asks now.
    fn asks(&mut self) {
        for packet in self.stage.says() {
            if let ClientPacket::GetHistory(get) = packet {
                self.questions.push(get);
            }
        }
        assert!(
            self.questions.len() <= 2,
            "one at a time, and one that was given up"
        );
    }

    /// Answers a question, short, with a refusal, or never.
    fn answers(&mut self) {
        let Some(get) = self.questions.pop() else {
            return;
        };
        let Range::After(after) = get.range else {
            panic!("after what it has: {get:?}");
        };
        match self.dice.up_to(7) {
            0 => {}
            1 => self.stage.hears(ServerPacket::GroupResult {
                request: get.request,
                code: Some(Code::FateUnknown),
            }),
            _ => {
                let last = self.end.min(after + 1 + self.dice.up_to(6));
                let page = page(get.request, self.epoch, self.end, after + 1..=last);
                self.stage.is_given(page);
            }
        }
    }

    /// The application takes so many events.
    fn takes(&mut self, count: u64) {
        for _ in 0..count {
            match self.stage.told() {
                None => return,
                Some(Event::GroupEntry(entry)) => {
                    assert_eq!(entry.entry.seq, self.told + 1, "the next one");
                    self.told += 1;
                }
                Some(Event::GroupSkipped(skipped)) => {
                    assert_eq!(skipped.first, self.told + 1);
                    self.told = skipped.last;
                }
                Some(Event::GroupAnew { .. }) => {
                    (self.told, self.is_anew) = (0, true);
                }
                Some(_) => {}
            }
        }
    }

    /// The network holds: all comes in the end.
    fn comes_to_rest(&mut self) {
        self.names_the_end();
        for _ in 0..2_000 {
            self.takes(u64::MAX);
            self.asks();
            self.answers();
            self.stage.waits(Duration::from_millis(300));
            self.stage.hears(ServerPacket::Pong);
        }
        self.takes(u64::MAX);
    }
}

#[test]
fn each_entry_is_told_once_in_order_and_all_in_the_end() {
    let mut anew = 0;
    for seed in 1..=300 {
        let mut world = World::new(seed);
        for _ in 0..400 {
            world.step();
        }
        world.comes_to_rest();
        assert_eq!(world.told, world.end, "seed {seed}");
        anew += u32::from(world.is_anew);
    }
    assert!(anew > 150, "logs that began anew: {anew}");
}
