//! The registry as one who asks it sees it: one way to it, and what can be
//! asked.
//!
//! Owns what is said to the server and how its answers are read. Must not know
//! when to ask.

use std::time::Duration;

use proto::ids::{Epoch, Incarnation, ShardId};
use shared::{Address, Command, Confirm, Redis, Script, Trust, Value};

use crate::admin::AdminAt;
use crate::answers::{done, list, read_look, text};
use crate::error::RegistryError;
use crate::keys::{self, DAEMONS, GATEWAYS, KEYS, NEWS, Scripts};
use crate::look::{Look, Record};
use crate::watcher::{Dead, Errand, Own};

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
        Self::confirmed(place, patience, 0)
    }

    /// The same; what it changes is answered when so many replicas have it, and
    /// fails if they have not in half the time.
    pub fn confirmed(place: &Place, patience: Duration, replicas: u32) -> Self {
        let settings = shared::Settings {
            address: place.address.clone(),
            trust: place.trust.clone(),
            patience,
            confirm: (replicas > 0).then_some(Confirm {
                replicas,
                patience: patience / 2,
            }),
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

    /// A process becomes a shard, with a lease from now on; gives the ring with
    /// it. It has the weight of the record, unless an operator gave its name
    /// another. Each attempt is an incarnation of its own: one without an answer may
    /// have been carried out, or be so late.
    pub async fn join(
        &mut self,
        seen: Epoch,
        name: &ShardId,
        record: &Record,
    ) -> Result<Epoch, RegistryError> {
        let lease = millis(self.lease);
        let words = [
            name.to_string(),
            record.weight.to_string(),
            record.incarnation.0.to_string(),
            record.berth.0.to_string(),
            record.address.clone(),
            lease.to_string(),
        ];
        let word = self.change(|scripts| &scripts.join, seen, &words).await?;
        let epoch = word.and_then(|word| word.parse().ok());
        epoch.map(Epoch).ok_or(RegistryError::Answer)
    }

    /// The lease goes on from now; `false`: it is over, for ever. Each renewal
    /// of an incarnation has a number of its own, and tells of the newest ring
    /// that the shard has heard of.
    pub async fn renew(
        &mut self,
        (name, incarnation): (&ShardId, Incarnation),
        (number, known): (u64, Epoch),
    ) -> Result<bool, RegistryError> {
        let renewal = Command::script(&self.scripts.renew, &KEYS)
            .arg(name.as_bytes())
            .arg(incarnation.0)
            .arg(number)
            .arg(known.0)
            .arg(millis(self.lease));
        match done(self.ask(renewal).await?) {
            Ok(_) => Ok(true),
            Err(RegistryError::Over) => Ok(false),
            Err(error) => Err(error),
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
        self.change(|scripts| &scripts.leave, seen, &words)
            .await
            .map(drop)
    }

    /// An incarnation is over, and holds nothing.
    pub async fn end(&mut self, incarnation: Incarnation) -> Result<(), RegistryError> {
        let end = Command::script(&self.scripts.end, &KEYS).arg(incarnation.0);
        done(self.ask(end).await?).map(drop)
    }

    /// A shard has another weight; 0 drains it.
    pub async fn weigh(
        &mut self,
        seen: Epoch,
        name: &ShardId,
        weight: u16,
    ) -> Result<(), RegistryError> {
        let words = [name.to_string(), weight.to_string()];
        self.change(|scripts| &scripts.weigh, seen, &words)
            .await
            .map(drop)
    }

    /// A shard is taken off the ring.
    pub async fn remove(&mut self, seen: Epoch, name: &ShardId) -> Result<(), RegistryError> {
        let words = [name.to_string()];
        self.change(|scripts| &scripts.remove, seen, &words)
            .await
            .map(drop)
    }

    /// Tells it what a watcher concluded.
    pub async fn carry_out(&mut self, seen: Epoch, errand: &Errand) -> Result<(), RegistryError> {
        let done = match errand {
            Errand::Raise => self.change(|scripts| &scripts.raise, seen, &[]).await,
            Errand::Expire { by, since, dead } => {
                let words = expired(by, *since, dead);
                self.change(|scripts| &scripts.expire, seen, &words).await
            }
        };
        done.map(drop)
    }

    /// A daemon can be reached at this address, for a lease.
    pub async fn announce(&mut self, by: By, address: &str) -> Result<(), RegistryError> {
        let [ring, _, news] = KEYS;
        let script = Command::script(&self.scripts.announce, &[ring, by.list(), news])
            .arg(address)
            .arg(millis(self.lease));
        done(self.ask(script).await?).map(drop)
    }

    /// Nobody is to go there any more.
    pub async fn withdraw(&mut self, by: By, address: &str) -> Result<(), RegistryError> {
        let withdraw = Command::write("ZREM", by.list()).arg(address);
        self.ask(withdraw).await.map(drop)
    }

    /// Where operators reach daemons; some may be there no more.
    pub async fn daemons(&mut self) -> Result<Vec<AdminAt>, RegistryError> {
        let range = Command::read("ZRANGE", DAEMONS).arg(0).arg(-1);
        let reply = self.ask(range).await?;
        let daemons = list(reply).into_iter().filter_map(text);
        let mut daemons: Vec<AdminAt> = daemons.map(|entry| AdminAt::read(&entry)).collect();
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
    ) -> Result<Option<String>, RegistryError> {
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

fn expired(by: &Own, since: Epoch, dead: &[Dead]) -> Vec<String> {
    let (incarnation, since) = (by.incarnation.0.to_string(), since.0.to_string());
    let mut words = vec![by.name.to_string(), incarnation, since];
    for dead in dead {
        words.push(dead.name.to_string());
        words.push(dead.incarnation.0.to_string());
        words.push(keys::written(dead.sign));
    }
    words
}
