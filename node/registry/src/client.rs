//! The registry as one who asks it sees it: one way to it, and what can be
//! asked.
//!
//! Owns what is said to the server and how its answers are read. Must not know
//! when to ask.

use std::time::Duration;

use proto::ids::{Epoch, IdError, Incarnation, ShardId};
use shared::{Address, Command, Failure, Redis, Script, Trust, Value};

use crate::keys::{self, DAEMONS, GATEWAYS, KEYS, NEWS, Scripts};
use crate::look::{Found, Look, Record, RecordError};
use crate::watcher::Errand;

/// Where the registry is, and how long leases are.
#[derive(Debug, Clone)]
pub struct Place {
    /// Where.
    pub address: Address,
    /// Over TLS.
    pub trust: Trust,
    /// How long a lease is, at every daemon alike.
    pub lease: Duration,
}

/// Why the registry did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// It does not answer, or not what a registry does; wait and ask again.
    #[error(transparent)]
    Redis(#[from] Failure),
    /// Something else is at its keys. The operator must act.
    #[error("the registry holds something else: {0}")]
    Record(#[from] RecordError),
    /// A shard's name is none. The operator must act.
    #[error("the registry holds a shard whose name is none: {0}")]
    Name(#[from] IdError),
    /// An answer that no script of this version gives.
    #[error("the registry answered what nobody asked")]
    Answer,
    /// A process elsewhere has the name, and lives.
    #[error("the name is that of a shard at {0}, which lives")]
    Taken(String),
    /// There is no such shard.
    #[error("no such shard")]
    Unknown,
    /// Nobody else lives who could have its slots.
    #[error("no other shard lives that could have its slots")]
    Last,
}

/// Who is to reach a daemon by an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Clients, by a gateway's public address.
    Clients,
    /// Operators, by an admin address.
    Operators,
}

impl By {
    fn list(self) -> &'static str {
        match self {
            Self::Clients => GATEWAYS,
            Self::Operators => DAEMONS,
        }
    }
}

/// A way to the registry. Each task has its own: what one asks does not wait
/// for what another does.
#[derive(Debug)]
pub struct Registry {
    redis: Redis,
    scripts: Scripts,
    lease: Duration,
}

impl Registry {
    /// Connects when it is asked first. A server that is silent for longer than
    /// `patience` is given up.
    pub fn new(place: &Place, patience: Duration) -> Self {
        let settings = shared::Settings {
            address: place.address.clone(),
            trust: place.trust.clone(),
            patience,
            confirm: None,
        };
        let scripts = Scripts::new();
        Self {
            redis: Redis::new(&settings, scripts.all()),
            scripts,
            lease: place.lease,
        }
    }

    /// What there is.
    pub async fn look(&mut self) -> Result<Look, RegistryError> {
        let script = Command::script(&self.scripts.look, &KEYS);
        let reply = self.ask(script).await?;
        read_look(reply).ok_or(RegistryError::Answer)?
    }

    /// A process becomes a shard, with a lease from now on. Each attempt is an
    /// incarnation of its own: one without an answer may have been carried out.
    pub async fn join(
        &mut self,
        seen: Epoch,
        name: &ShardId,
        record: &Record,
    ) -> Result<(), RegistryError> {
        let lease = millis(self.lease);
        let words = [
            name.to_string(),
            record.weight.to_string(),
            record.incarnation.0.to_string(),
            record.address.clone(),
            lease.to_string(),
        ];
        self.change(|scripts| &scripts.join, seen, &words).await
    }

    /// The lease goes on from now; `false`: it is over, for ever.
    pub async fn renew(
        &mut self,
        name: &ShardId,
        incarnation: Incarnation,
    ) -> Result<bool, RegistryError> {
        let renewal = Command::write("SET", keys::lease(incarnation))
            .arg(name.as_bytes())
            .arg("XX")
            .arg("PX")
            .arg(millis(self.lease));
        match self.ask(renewal).await? {
            Value::Okay => Ok(true),
            Value::Nil => Ok(false),
            _ => Err(RegistryError::Answer),
        }
    }

    /// A shard leaves the ring; its lease goes on until it has stored what it
    /// holds.
    pub async fn leave(
        &mut self,
        seen: Epoch,
        name: &ShardId,
        incarnation: Incarnation,
    ) -> Result<(), RegistryError> {
        let words = [name.to_string(), incarnation.0.to_string()];
        self.change(|scripts| &scripts.leave, seen, &words).await
    }

    /// An incarnation is over, and holds nothing.
    pub async fn end(&mut self, incarnation: Incarnation) -> Result<(), RegistryError> {
        let end = Command::write("DEL", keys::lease(incarnation));
        self.ask(end).await.map(drop)
    }

    /// A shard has another weight; 0 drains it.
    pub async fn weigh(
        &mut self,
        seen: Epoch,
        name: &ShardId,
        weight: u16,
    ) -> Result<(), RegistryError> {
        let words = [name.to_string(), weight.to_string()];
        self.change(|scripts| &scripts.weigh, seen, &words).await
    }

    /// A shard is taken off the ring.
    pub async fn remove(&mut self, seen: Epoch, name: &ShardId) -> Result<(), RegistryError> {
        let words = [name.to_string()];
        self.change(|scripts| &scripts.remove, seen, &words).await
    }

    /// Tells it what a watcher concluded.
    pub async fn carry_out(&mut self, seen: Epoch, errand: &Errand) -> Result<(), RegistryError> {
        match errand {
            Errand::Raise => self.change(|scripts| &scripts.raise, seen, &[]).await,
            Errand::Expire(dead) => {
                let words = dead
                    .iter()
                    .flat_map(|(name, incarnation)| [name.to_string(), incarnation.0.to_string()]);
                let words: Vec<String> = words.collect();
                self.change(|scripts| &scripts.expire, seen, &words).await
            }
        }
    }

    /// A daemon can be reached at this address, for a lease.
    pub async fn announce(&mut self, by: By, address: &str) -> Result<(), RegistryError> {
        let [ring, _, news] = KEYS;
        let script = Command::script(&self.scripts.announce, &[ring, by.list(), news])
            .arg(address)
            .arg(millis(self.lease));
        done(self.ask(script).await?)
    }

    /// Nobody is to go there any more.
    pub async fn withdraw(&mut self, by: By, address: &str) -> Result<(), RegistryError> {
        let withdraw = Command::write("ZREM", by.list()).arg(address);
        self.ask(withdraw).await.map(drop)
    }

    /// The admin addresses of daemons; some may be there no more.
    pub async fn daemons(&mut self) -> Result<Vec<String>, RegistryError> {
        let range = Command::read("ZRANGE", DAEMONS).arg(0).arg(-1);
        let reply = self.ask(range).await?;
        let mut daemons: Vec<String> = list(reply).into_iter().filter_map(text).collect();
        daemons.sort();
        Ok(daemons)
    }

    /// Waits for a ring newer than this, for so long at most.
    pub async fn news(&mut self, seen: Epoch, within: Duration) -> Result<(), RegistryError> {
        let waiting = Command::read_by("XREAD", NEWS)
            .arg("BLOCK")
            .arg(millis(within).max(1))
            .arg("STREAMS")
            .arg(NEWS)
            .arg(format!("{}-0", seen.0));
        self.ask(waiting).await.map(drop)
    }

    async fn change(
        &mut self,
        script: impl Fn(&Scripts) -> &Script,
        seen: Epoch,
        words: &[String],
    ) -> Result<(), RegistryError> {
        let mut command = Command::script(script(&self.scripts), &KEYS).arg(seen.0);
        for word in words {
            command = command.arg(word.as_str());
        }
        done(self.ask(command).await?)
    }

    async fn ask(&mut self, command: Command) -> Result<Value, RegistryError> {
        let mut replies = self.redis.carry_out(vec![command]).await;
        let reply = replies.pop().ok_or(RegistryError::Answer)?;
        Ok(reply?)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// What a script that changes something answers.
fn done(reply: Value) -> Result<(), RegistryError> {
    let mut words = list(reply).into_iter().map(text);
    let mut word = || words.next().flatten();
    match word().as_deref() {
        Some("done" | "none") => Ok(()),
        Some("taken") => Err(RegistryError::Taken(word().unwrap_or_default())),
        Some("unknown") => Err(RegistryError::Unknown),
        Some("last") => Err(RegistryError::Last),
        _ => Err(RegistryError::Answer),
    }
}

/// `None`: no answer of this script.
fn read_look(reply: Value) -> Option<Result<Look, RegistryError>> {
    let [epoch, shards, gateways]: [Value; 3] = list(reply).try_into().ok()?;
    let epoch = Epoch(text(epoch)?.parse().ok()?);
    let gateways: Option<Vec<String>> = list(gateways).into_iter().map(text).collect();
    let mut found = Vec::new();
    for shard in list(shards) {
        let [name, record, left]: [Value; 3] = list(shard).try_into().ok()?;
        let Value::Int(left) = left else {
            return None;
        };
        match (ShardId::new(text(name)?), text(record)?.parse::<Record>()) {
            (Ok(name), Ok(record)) => found.push(Found {
                name,
                record,
                lease: u64::try_from(left).ok().map(Duration::from_millis),
            }),
            (Err(error), _) => return Some(Err(error.into())),
            (_, Err(error)) => return Some(Err(error.into())),
        }
    }
    Some(Ok(Look {
        epoch,
        found,
        gateways: gateways?,
    }))
}

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values,
        _ => Vec::new(),
    }
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        _ => None,
    }
}
