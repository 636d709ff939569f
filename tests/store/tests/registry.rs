//! The registry's scripts do what the simulation's registry does: both are asked
//! the same at random, and must answer and show the same.

use std::time::Duration;

use fastrand::Rng;
use proto::ids::{Epoch, Incarnation, ShardId};
use redis_stage::Server;
use registry::client::{Place, Registry};
use registry::look::{Berth, Found, Look, Record, Sign};
use registry::watcher::{Dead, Errand, Own};
use registry::{RegistryError, Trust};
use sim::registry::{Refused, Server as Model};

/// Each begins with an empty registry.
const RUNS: u64 = 40;

/// What is asked in each.
const VERBS: usize = 120;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

/// A lease that no run outlives.
const LONG: Duration = Duration::from_secs(3_600);

/// What was answered.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    Joined(Epoch),
    Goes(bool),
    Done,
    No(Refused),
}

/// What is asked of both.
#[derive(Debug, Clone)]
enum Verb {
    Join(ShardId, Record, Duration),
    Renew(ShardId, Incarnation, (u64, Epoch), Duration),
    Leave(ShardId, Incarnation),
    Remove(ShardId),
    Weigh(ShardId, u16),
    End(Incarnation),
    Tell(Errand),
}

/// Leases that never end, and those that are over at once.
struct Real {
    long: Registry,
    short: Registry,
}

impl Real {
    fn at(server: &Server) -> Self {
        let registry = |lease| {
            let place = Place {
                address: server.url().parse().unwrap(),
                trust: Trust::default(),
                lease,
            };
            Registry::new(&place, Duration::from_secs(5))
        };
        Self {
            long: registry(LONG),
            short: registry(Duration::ZERO),
        }
    }

    async fn does(&mut self, seen: Epoch, verb: &Verb) -> Said {
        let long = &mut self.long;
        let done = match verb {
            Verb::Join(name, record, lease) => {
                let by = if *lease == LONG {
                    long
                } else {
                    &mut self.short
                };
                match by.join(seen, name, record).await {
                    Ok(epoch) => return Said::Joined(epoch),
                    Err(error) => Err(error),
                }
            }
            Verb::Renew(name, incarnation, renewal, lease) => {
                let by = if *lease == LONG {
                    long
                } else {
                    &mut self.short
                };
                let renewed = by.renew((name, *incarnation), *renewal).await;
                return Said::Goes(renewed.unwrap());
            }
            Verb::Leave(name, incarnation) => long.leave(seen, name, *incarnation).await,
            Verb::Remove(name) => long.remove(seen, name).await,
            Verb::Weigh(name, weight) => long.weigh(seen, name, *weight).await,
            Verb::End(incarnation) => long.end(*incarnation).await,
            Verb::Tell(errand) => long.carry_out(seen, errand).await,
        };
        match done {
            Ok(()) => Said::Done,
            Err(RegistryError::Taken(_)) => Said::No(Refused::Taken),
            Err(RegistryError::Unknown) => Said::No(Refused::Unknown),
            Err(RegistryError::Last) => Said::No(Refused::Last),
            Err(error) => panic!("{verb:?}: {error}"),
        }
    }
}

/// The model's time stands still.
const NOW: u64 = 1;

fn model_does(model: &mut Model, seen: Epoch, verb: Verb) -> Said {
    let millis = |lease: Duration| lease.as_millis() as u64;
    let done = match verb {
        Verb::Join(name, record, lease) => {
            match model.join(NOW, seen, &name, record, millis(lease)) {
                Ok(epoch) => return Said::Joined(epoch),
                Err(refused) => Err(refused),
            }
        }
        Verb::Renew(name, incarnation, renewal, lease) => {
            let holder = (&name, incarnation);
            return Said::Goes(model.renew(NOW, holder, renewal, millis(lease)));
        }
        Verb::Leave(name, incarnation) => model.leave(NOW, seen, &name, incarnation),
        Verb::Remove(name) => model.remove(NOW, seen, &name),
        Verb::Weigh(name, weight) => model.weigh(NOW, seen, &name, weight),
        Verb::End(incarnation) => {
            model.end(incarnation);
            Ok(())
        }
        Verb::Tell(Errand::Raise) => {
            model.raise(seen);
            Ok(())
        }
        Verb::Tell(Errand::Expire { by, since, dead }) => {
            model.expire(NOW, seen, (&by, since), &dead);
            Ok(())
        }
    };
    done.map_or_else(Said::No, |()| Said::Done)
}

/// What there is, but for how long leases go on.
fn shown(look: &Look) -> (Epoch, Vec<String>, Vec<String>) {
    let shard = |found: &Found| {
        let lives = found.lease.is_some_and(|left| !left.is_zero());
        format!("{} {} {lives} {:?}", found.name, found.record, found.sign)
    };
    let mut shards: Vec<String> = look.found.iter().map(shard).collect();
    let leavers = look.leavers.iter();
    let mut leavers: Vec<String> = leavers.map(|leaver| format!("{leaver:?}")).collect();
    shards.sort();
    leavers.sort();
    (look.epoch, shards, leavers)
}

/// Chooses what is asked.
struct Chance {
    dice: Rng,
    /// How many incarnations there were.
    lives: u64,
    renewals: u64,
}

impl Chance {
    fn name(&mut self) -> ShardId {
        NAMES[self.dice.usize(..NAMES.len())].parse().unwrap()
    }

    /// Mostly that of somebody who is there.
    fn holder(&mut self, look: &Look) -> (ShardId, Incarnation, Sign) {
        let found = look.found.iter();
        let found = found.map(|f| (f.name.clone(), f.record.incarnation, f.sign));
        let leavers = look.leavers.iter();
        let leavers = leavers.map(|l| (l.name.clone(), l.incarnation, l.sign));
        let all: Vec<_> = found.chain(leavers).collect();
        if all.is_empty() || self.dice.u8(..10) == 0 {
            let life = self.dice.u64(..=self.lives);
            return (self.name(), Incarnation(life), Sign::Lost);
        }
        let (name, life, sign) = all[self.dice.usize(..all.len())].clone();
        match self.dice.u8(..12) {
            0 => (self.name(), life, sign),
            1 => (name, life, Sign::Lost),
            _ => (name, life, sign),
        }
    }

    /// Mostly what is there; some saw less, some more.
    fn seen(&mut self, look: &Look) -> Epoch {
        let epoch = look.epoch.0;
        Epoch(match self.dice.u8(..12) {
            0 => epoch + self.dice.u64(1..4),
            1..4 => epoch.saturating_sub(self.dice.u64(1..4)),
            _ => epoch,
        })
    }

    fn lease(&mut self) -> Duration {
        if self.dice.u8(..4) == 0 {
            Duration::ZERO
        } else {
            LONG
        }
    }

    fn expire(&mut self, look: &Look) -> Errand {
        let (name, incarnation, _) = self.holder(look);
        let own = look.found.iter().find(|found| found.name == name);
        let since = own.map_or(Epoch(1), |own| own.record.since);
        let is_wrong = self.dice.u8(..6) == 0;
        let since = Epoch(since.0 + u64::from(is_wrong));
        let dead = (0..self.dice.usize(1..4)).map(|_| {
            let (name, incarnation, sign) = self.holder(look);
            Dead {
                name,
                incarnation,
                sign,
            }
        });
        let dead = dead.collect();
        let by = Own { name, incarnation };
        Errand::Expire { by, since, dead }
    }

    fn verb(&mut self, look: &Look) -> Verb {
        match self.dice.u8(..20) {
            0..5 => {
                self.lives += 1;
                let record = Record {
                    weight: self.dice.u16(..3),
                    since: Epoch(0),
                    incarnation: Incarnation(self.lives),
                    berth: Berth(self.dice.u64(1..4)),
                    address: format!("host-{}:7200", self.dice.u8(1..3)),
                };
                Verb::Join(self.name(), record, self.lease())
            }
            5..10 => {
                let (name, life, _) = self.holder(look);
                self.renewals += 1;
                let renewal = (self.renewals, self.seen(look));
                Verb::Renew(name, life, renewal, self.lease())
            }
            10 => {
                let (name, life, _) = self.holder(look);
                Verb::Leave(name, life)
            }
            11 => Verb::Remove(self.name()),
            12..15 => Verb::Weigh(self.name(), self.dice.u16(..3)),
            15 => Verb::End(self.holder(look).1),
            16 => Verb::Tell(Errand::Raise),
            _ => Verb::Tell(self.expire(look)),
        }
    }
}

#[tokio::test]
async fn the_scripts_do_what_the_simulation_believes() {
    let server = Server::start();
    let mut real = Real::at(&server);
    for run in 0..RUNS {
        assert_eq!(server.ask(&["flushall"]).trim(), "OK");
        let mut model = Model::default();
        let mut chance = Chance {
            dice: Rng::with_seed(run),
            lives: 0,
            renewals: 0,
        };
        for _ in 0..VERBS {
            let look = model.look(NOW);
            let (seen, verb) = (chance.seen(&look), chance.verb(&look));
            let told = format!("run {run}: {look:#?} {verb:?}, seen {seen:?}");
            let said = real.does(seen, &verb).await;
            assert_eq!(said, model_does(&mut model, seen, verb), "{told}");
            let look = real.long.look().await.unwrap();
            assert_eq!(shown(&look), shown(&model.look(NOW)), "{told}");
        }
    }
}
