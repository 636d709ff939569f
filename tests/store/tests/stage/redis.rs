//! A store in Redis, asked and waited for: one for each shard, as processes
//! have it.

use std::collections::{HashMap, VecDeque};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use msgd::redis::RedisStore;
use msgd_core::store::{Claim, Outcome, Request, StoreSettings};
use proto::ids::{Incarnation, Stamp, Token};
use proto::slot::Slot;
use redis_stage::Server;
use shared::{Confirm, Settings, Trust};
use store_suite::Carries;

use super::letters::user;
use super::{OUTCOMES_MAX, QUEUED_MAX, is_marker, marker};

/// How the stores are to use a Redis.
pub fn settings(url: &str, confirm: Option<Confirm>) -> Settings {
    Settings {
        address: url.parse().unwrap(),
        trust: Trust::default(),
        patience: Duration::from_secs(5),
        confirm,
    }
}

/// The store of one process.
pub struct Process {
    store: RedisStore,
    outcomes: Receiver<Outcome>,
}

impl Process {
    pub fn start(redis: &Settings, settings: StoreSettings) -> Self {
        let (sender, outcomes) = sync_channel(OUTCOMES_MAX);
        let store = RedisStore::start(
            redis,
            settings,
            Duration::ZERO,
            QUEUED_MAX,
            move |answers| {
                for outcome in answers {
                    // A test that ends takes no more.
                    drop(sender.try_send(outcome));
                }
            },
        );
        Self {
            store: store.unwrap(),
            outcomes,
        }
    }

    /// Asks without waiting.
    pub fn ask(&self, requests: impl IntoIterator<Item = Request>) {
        let mut requests: VecDeque<Request> = requests.into_iter().collect();
        self.store.shard().ask(&mut requests).unwrap();
    }

    pub fn next(&self) -> Outcome {
        self.outcomes
            .recv_timeout(Duration::from_secs(20))
            .expect("an outcome")
    }

    /// Asks, and waits for what came of it.
    pub fn carry_out(&self, requests: impl IntoIterator<Item = Request>) -> Vec<Outcome> {
        self.ask(requests.into_iter().chain([marker()]));
        let mut outcomes = Vec::new();
        loop {
            match self.next() {
                outcome if is_marker(&outcome) => return outcomes,
                outcome => outcomes.push(outcome),
            }
        }
    }

    /// Cursor and end of a mailbox.
    pub fn bounds(&self, claim: Claim, name: &str) -> (u64, u64) {
        let outcomes = self.carry_out([Request::Open {
            claim,
            user: user(name),
            since: Stamp(u64::MAX),
        }]);
        match &outcomes[..] {
            [
                Outcome::Opened {
                    mailbox: Some(mailbox),
                    ..
                },
            ] => (mailbox.cursor.0, mailbox.end.0),
            _ => panic!("opened expected, not {outcomes:?}"),
        }
    }

    pub fn stop(self) {
        self.store.stop();
    }
}

impl Carries for Process {
    fn carry_out(&mut self, request: Request) -> Vec<Outcome> {
        Self::carry_out(self, [request])
    }

    /// It is one shard's, which has died by then.
    fn incarnation_died(&mut self, _: Incarnation) {}
}

/// Asks a Redis for what a registry would.
type Asks = Box<dyn Fn(&[&str])>;

/// Stores of several shards in one Redis.
pub struct InRedis {
    redis: Settings,
    settings: StoreSettings,
    lease: Asks,
    processes: HashMap<Incarnation, Process>,
    claims: HashMap<(Slot, Token), Incarnation>,
}

impl InRedis {
    /// `ask` writes leases.
    pub fn new(url: &str, settings: StoreSettings, ask: impl Fn(&[&str]) + 'static) -> Self {
        Self {
            redis: self::settings(url, None),
            settings,
            lease: Box::new(ask),
            processes: HashMap::new(),
            claims: HashMap::new(),
        }
    }

    fn process(&mut self, shard: Incarnation) -> &Process {
        let lease = registry::keys::lease(shard);
        self.processes.entry(shard).or_insert_with(|| {
            (self.lease)(&["SET", &lease, "1 1 0"]);
            Process::start(&self.redis, self.settings)
        })
    }
}

impl Carries for InRedis {
    fn carry_out(&mut self, request: Request) -> Vec<Outcome> {
        let asker = match (&request, request.claim()) {
            (Request::Claim { shard, .. } | Request::Alive { shard, .. }, _) => *shard,
            (_, Some(claim)) => {
                let known = self.claims.get(&(claim.slot, claim.token)).copied();
                known.unwrap_or(Incarnation(0))
            }
            _ => unreachable!("all others have a claim"),
        };
        let outcomes = self.process(asker).carry_out([request]);
        for outcome in &outcomes {
            if let Outcome::Claimed { claim, .. } = outcome {
                self.claims.insert((claim.slot, claim.token), asker);
            }
        }
        outcomes
    }

    /// Its process lives on: it has been frozen, and does not know.
    fn incarnation_died(&mut self, shard: Incarnation) {
        (self.lease)(&["SET", &registry::keys::lease(shard), "over"]);
    }
}

/// What `redis-cli` is asked of one server, as often as wanted.
pub fn asking(server: &Server) -> impl Fn(&[&str]) + 'static {
    let port = server.port().to_string();
    move |words| {
        let output = std::process::Command::new("redis-cli")
            .args(["-c", "-p", &port])
            .args(words)
            .output()
            .expect("redis-cli");
        assert!(output.status.success());
    }
}
