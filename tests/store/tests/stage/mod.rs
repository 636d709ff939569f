//! An embedded store in this process, asked and waited for.

// Each test file uses its part of the stage.
#![allow(dead_code)]

pub mod chance;
pub mod entries;
pub mod groups;
pub mod letters;
pub mod redis;
pub mod team;

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use msgd::store::{EmbeddedStore, ShardStore};
use msgd_core::store::{Claim, Outcome, Position, Request, StoreSettings};
use proto::ids::{Incarnation, Token, UserId};
use proto::slot::Slot;
use store::{Engine, Running, Settings};
use store_suite::Carries;

/// Room for the outcomes of a claim of every slot.
const OUTCOMES_MAX: usize = 20_000;
/// Requests that wait at once.
const QUEUED_MAX: usize = 4_096;

/// An embedded store at work.
pub struct Embedded {
    store: EmbeddedStore,
    outcomes: Receiver<(usize, Outcome)>,
    shards: HashMap<Incarnation, usize>,
    places: usize,
    running: Running,
}

impl Embedded {
    pub fn open(directory: &Path, settings: StoreSettings) -> Self {
        let mut engine = Engine::open(directory, Settings::default()).unwrap();
        let (sender, outcomes) = sync_channel(OUTCOMES_MAX);
        let store = EmbeddedStore::open(&mut engine, settings, QUEUED_MAX, move |answers| {
            for answer in answers {
                sender.try_send(answer).expect("the test takes them");
            }
        })
        .unwrap();
        Self {
            store,
            outcomes,
            shards: HashMap::new(),
            places: 0,
            running: engine.start().unwrap(),
        }
    }

    pub fn stop(self) {
        self.running.stop().unwrap();
    }

    pub fn is_open(&self) -> bool {
        self.running.is_open()
    }

    /// What the shard at a place asks by.
    pub fn place(&self, place: usize) -> ShardStore {
        self.store.shard(place)
    }

    /// The next outcome, and the place of the shard that asked.
    pub fn next(&self) -> (usize, Outcome) {
        self.outcomes
            .recv_timeout(Duration::from_secs(20))
            .expect("an outcome")
    }

    /// Each shard of a scene has a place of its own.
    fn shard(&mut self, shard: Incarnation) -> (usize, ShardStore) {
        let place = *self.shards.entry(shard).or_insert_with(|| {
            self.places += 1;
            self.places
        });
        (place, self.store.shard(place))
    }
}

impl Carries for Embedded {
    fn carry_out(&mut self, request: Request) -> Vec<Outcome> {
        let asker = match &request {
            Request::Claim { shard, .. } => *shard,
            _ => Incarnation(0),
        };
        let (place, shard) = self.shard(asker);
        let mut requests = VecDeque::from([request, marker()]);
        shard.ask(&mut requests).unwrap();
        let mut outcomes = Vec::new();
        loop {
            let (told, outcome) = self.next();
            assert_eq!(told, place);
            if is_marker(&outcome) {
                return outcomes;
            }
            outcomes.push(outcome);
        }
    }

    /// The next incarnation of the same shard comes up.
    fn incarnation_died(&mut self, shard: Incarnation) {
        let (place, _) = self.shard(shard);
        let next = Incarnation(u64::MAX - place as u64);
        self.shards.insert(next, place);
        self.shards.remove(&shard);
        let slots = Vec::new();
        let shard = next;
        assert_eq!(self.carry_out(Request::Claim { slots, shard }), []);
    }
}

/// No claim has this token.
fn marked() -> Claim {
    Claim {
        slot: Slot::new(0).unwrap(),
        token: Token(u64::MAX),
    }
}

/// A request whose outcome tells that those before it have been carried out.
fn marker() -> Request {
    Request::Advance {
        claim: marked(),
        user: UserId::new("marker").unwrap(),
        cursor: Position(1),
    }
}

fn is_marker(outcome: &Outcome) -> bool {
    *outcome == Outcome::Refused { claim: marked() }
}
