//! `imctl status`: how every daemon is.
//!
//! Owns what is shown, and the rates: what was counted between two looks a
//! second apart. Must not know who counts.

mod mail;
mod tables;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use registry::{Address, Trust};
use serde::Serialize;
use service::admin::{Answer, Question, wire};

use crate::daemons::{Daemons, Said};
use crate::output::Output;
use mail::Mail;

/// Between the two looks.
const BETWEEN: Duration = Duration::from_secs(1);

/// The cluster, as far as it answers.
#[derive(Debug, Default, Serialize)]
struct Status {
    /// Slots that shards serve, of 16,384.
    slots_served: u32,
    daemons: Vec<Daemon>,
    gateways: Vec<Gateway>,
    shards: Vec<Shard>,
    stores: Vec<Store>,
    graphs: Vec<Graph>,
    /// Where the registry's Redis is the store.
    mail: Vec<Mail>,
    /// Who does not answer, and why.
    silent: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Daemon {
    admin: String,
    program: String,
    version: String,
    listen: String,
    process: u32,
    up_ms: u64,
    /// Why it is not ready; none: it is.
    not_ready: Option<String>,
}

#[derive(Debug, Serialize)]
struct Gateway {
    admin: String,
    gateway: String,
    ring: u64,
    sessions: u64,
    leaving: bool,
    links_up: usize,
    links_down: Vec<String>,
    logins: Counted,
    submitted: Counted,
    delivered: Counted,
    fate_unknown: Counted,
}

#[derive(Debug, Serialize)]
struct Shard {
    admin: String,
    shard: String,
    ring: u64,
    slots_held: u32,
    slots_owned: u32,
    users: u64,
    sessions: u64,
    gateways: u64,
    waiting: u64,
    lease_ms: Option<u64>,
    accepted: Counted,
    delivered: Counted,
    stored: Counted,
    rejected: Counted,
    unknown: Counted,
}

#[derive(Debug, Serialize)]
struct Store {
    admin: String,
    store: String,
    open: bool,
    stored_means: String,
}

#[derive(Debug, Serialize)]
struct Graph {
    admin: String,
    users: u64,
    waiting: u64,
    loads: u64,
}

/// Something counted since the start of a daemon.
#[derive(Debug, Clone, Copy, Serialize)]
struct Counted {
    total: u64,
    per_second: f64,
}

/// Looks twice, and shows the second look; with a registry also how much mail
/// waits there.
///
/// # Errors
/// Nobody answers.
pub async fn status(
    daemons: &Daemons,
    registry: Option<(&Address, &Trust)>,
    output: Output,
) -> anyhow::Result<()> {
    let began = Instant::now();
    let first = Counts::of(&daemons.ask(&Question::Status).await);
    tokio::time::sleep(BETWEEN).await;
    let said = daemons.ask(&Question::Status).await;
    let passed = began.elapsed().as_secs_f64();
    let mut status = Status::default();
    for said in said {
        status.take(said, &|key, total| Counted {
            total,
            per_second: first.rate(key, total, passed),
        });
    }
    if status.daemons.is_empty() {
        anyhow::bail!("nobody answers: {}", status.silent.join("; "));
    }
    if let Some((address, trust)) = registry {
        match mail::mail(address, trust).await {
            Ok(mail) => status.mail = mail,
            Err(error) => status
                .silent
                .push(format!("mail is not counted: {error:#}")),
        }
    }
    output.show(&status, Status::text)
}

/// What is counted by whom.
type Key = (String, &'static str);

/// Figures of the first look.
struct Counts(HashMap<Key, u64>);

impl Counts {
    fn of(said: &[Said]) -> Self {
        let mut counts = HashMap::new();
        let answers = said.iter().filter_map(|said| said.answers.as_ref().ok());
        for answer in answers.flat_map(|answers| &answers.answers) {
            let (who, figures) = match &answer.answer {
                Some(Answer::Gateway(gateway)) => (gateway_key(gateway), figures_of(gateway)),
                Some(Answer::Shard(shard)) => (shard_key(shard), shard_figures(shard)),
                _ => continue,
            };
            for (name, total) in figures {
                counts.insert((who.clone(), name), total);
            }
        }
        Self(counts)
    }

    /// One that was not there before counts from 0.
    fn rate(&self, key: Key, total: u64, seconds: f64) -> f64 {
        let before = self.0.get(&key).copied().unwrap_or_default();
        let rate = total.saturating_sub(before) as f64 / seconds;
        (rate * 10.0).round() / 10.0
    }
}

fn gateway_key(gateway: &wire::GatewayStatus) -> String {
    format!("{:x}", gateway.gateway)
}

/// Another start of a shard counts anew.
fn shard_key(shard: &wire::ShardStatus) -> String {
    format!("{} {}", shard.shard, shard.incarnation)
}

fn figures_of(gateway: &wire::GatewayStatus) -> Vec<(&'static str, u64)> {
    vec![
        ("logins", gateway.logins),
        ("submitted", gateway.submitted),
        ("delivered", gateway.delivered),
        ("fate_unknown", gateway.fate_unknown),
    ]
}

fn shard_figures(shard: &wire::ShardStatus) -> Vec<(&'static str, u64)> {
    vec![
        ("accepted", shard.accepted),
        ("delivered", shard.delivered),
        ("stored", shard.stored),
        ("rejected", shard.rejected),
        ("unknown", shard.unknown),
    ]
}

impl Status {
    fn take(&mut self, said: Said, counted: &dyn Fn(Key, u64) -> Counted) {
        let admin = said.admin;
        let answers = match said.answers {
            Ok(answers) => answers,
            Err(error) => return self.silent.push(error.to_string()),
        };
        let silent = answers.silent.into_iter();
        self.silent
            .extend(silent.map(|part| format!("{admin}: {part} does not answer")));
        if let Some(daemon) = answers.daemon {
            self.daemons.push(Daemon::of(&admin, daemon));
        }
        for answer in answers.answers.into_iter().filter_map(|a| a.answer) {
            match answer {
                Answer::Gateway(found) => {
                    self.gateways.push(Gateway::of(&admin, &found, counted));
                }
                Answer::Shard(found) => {
                    self.slots_served += found.slots_held;
                    self.shards.push(Shard::of(&admin, &found, counted));
                }
                Answer::Store(found) => self.stores.push(Store {
                    admin: admin.clone(),
                    store: found.store,
                    open: found.open,
                    stored_means: found.durability,
                }),
                Answer::Graph(found) => self.graphs.push(Graph {
                    admin: admin.clone(),
                    users: found.users,
                    waiting: found.waiting,
                    loads: found.loads,
                }),
                _ => {}
            }
        }
    }
}

impl Daemon {
    fn of(admin: &str, daemon: wire::Daemon) -> Self {
        Self {
            admin: admin.to_owned(),
            program: daemon.program,
            version: daemon.version,
            listen: daemon.listen,
            process: daemon.process,
            up_ms: daemon.up_ms,
            not_ready: Some(daemon.not_ready).filter(|why| !why.is_empty()),
        }
    }
}

impl Gateway {
    fn of(admin: &str, found: &wire::GatewayStatus, counted: &dyn Fn(Key, u64) -> Counted) -> Self {
        let counted = |name, total| counted((gateway_key(found), name), total);
        let (up, down): (Vec<_>, Vec<_>) = found.links.iter().partition(|link| link.up);
        Self {
            admin: admin.to_owned(),
            gateway: gateway_key(found),
            ring: found.epoch,
            sessions: found.sessions,
            leaving: found.leaving,
            links_up: up.len(),
            links_down: down.into_iter().map(|link| link.shard.clone()).collect(),
            logins: counted("logins", found.logins),
            submitted: counted("submitted", found.submitted),
            delivered: counted("delivered", found.delivered),
            fate_unknown: counted("fate_unknown", found.fate_unknown),
        }
    }
}

impl Shard {
    fn of(admin: &str, found: &wire::ShardStatus, counted: &dyn Fn(Key, u64) -> Counted) -> Self {
        let counted = |name, total| counted((shard_key(found), name), total);
        Self {
            admin: admin.to_owned(),
            shard: found.shard.clone(),
            ring: found.epoch,
            slots_held: found.slots_held,
            slots_owned: found.slots_owned,
            users: found.users,
            sessions: found.sessions,
            gateways: found.gateways,
            waiting: found.waiting,
            lease_ms: found.lease_ms,
            accepted: counted("accepted", found.accepted),
            delivered: counted("delivered", found.delivered),
            stored: counted("stored", found.stored),
            rejected: counted("rejected", found.rejected),
            unknown: counted("unknown", found.unknown),
        }
    }
}

impl Counted {
    fn shown(self) -> String {
        self.per_second.to_string()
    }
}
