//! The embedded store keeps the contract, on a disk.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use msgd::store::{EmbeddedStore, ShardStore};
use msgd_core::store::{Claim, MailboxSettings, Outcome, Position, Request};
use proto::ids::{Incarnation, Token, UserId};
use proto::slot::Slot;
use store::{Engine, Running, Settings};
use store_suite::{Carries, conforms};
use tempfile::TempDir;

/// Room for the outcomes of a claim of every slot.
const OUTCOMES_MAX: usize = 20_000;

struct Embedded {
    store: EmbeddedStore,
    outcomes: Receiver<(usize, Outcome)>,
    shards: HashMap<Incarnation, usize>,
    places: usize,
    /// Dropped in this order: the directory goes last.
    _running: Running,
    _directory: TempDir,
}

impl Embedded {
    fn fresh(settings: MailboxSettings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut engine = Engine::open(directory.path(), Settings::default()).unwrap();
        let (sender, outcomes) = sync_channel(OUTCOMES_MAX);
        let store = EmbeddedStore::open(&mut engine, settings, 64, move |answers| {
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
            _running: engine.start().unwrap(),
            _directory: directory,
        }
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
            let next = self.outcomes.recv_timeout(Duration::from_secs(20));
            let (told, outcome) = next.expect("an outcome");
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

#[test]
fn the_embedded_store_conforms() {
    conforms(Embedded::fresh);
}
