//! The power of all machines goes at once, while people write to others who are
//! away; then it comes back, and what was acknowledged is looked for.
//!
//! Owns the order of a round, and what is counted. Must not know which bytes of
//! its log the disk has.
//!
//! Everything but the clients ends with the power, so that nothing is found in
//! the memory of a shard. What the log has at the beginning of the load is put
//! on the disk first: with `no` the friends would be gone as well.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use client::{Identity, SeenStore, UserId};
use cluster::daemon::Daemon;
use cluster::ledger::Breach;
use cluster::patience::{PATIENCE, until};
use fastrand::Rng;
use redis_stage::{Cut, Server};
use serde::Serialize;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::books::{Books, Route, To};
use crate::cast::become_friends;
use crate::device::{Device, Owner, Shown};
use crate::run::{Fsync, LOOK, millis};
use crate::stage::Stage;
use crate::streams::Stream;

/// Who write, each to somebody of their own.
const PAIRS: usize = 16;
/// Between two messages of a pair: a thousand per second of all together.
const PACE: Duration = Duration::from_millis(16);
/// The power goes so many milliseconds after the first message: anywhere
/// between two syncs of a second.
const LOAD_MS: std::ops::Range<u64> = 2_000..4_000;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct Outages {
    /// Of the moments at which the power goes.
    pub seed: u64,
    /// How often it goes, each time of another cluster.
    pub rounds: u32,
    /// How Redis writes.
    pub fsync: Fsync,
    /// How much longer than it does its disk takes to sync.
    pub slower: Duration,
}

/// What a loss of power did.
#[derive(Debug, Clone, Serialize)]
pub struct Loss {
    /// How long there was a load, in milliseconds.
    pub after_ms: u64,
    /// Messages that were acknowledged before it.
    pub acknowledged: usize,
    /// Of those: shown to nobody afterwards.
    pub lost: usize,
    /// How long before it the first of those was acknowledged.
    pub oldest_lost_ms: Option<u64>,
    /// Bytes of the log, and of those the ones that were not synced.
    pub log_bytes: u64,
    /// Which are gone.
    pub gone_bytes: u64,
}

/// What all rounds came to.
#[derive(Debug, Clone, Serialize)]
pub struct Losses {
    /// When Redis wrote to its disk.
    pub fsync: &'static str,
    /// How much longer its disk took for that, in milliseconds.
    pub slower_ms: u64,
    /// Of the moments at which the power went.
    pub seed: u64,
    /// Each round.
    pub rounds: Vec<Loss>,
    /// What no loss of power explains.
    pub breaches: Vec<String>,
}

impl Losses {
    /// How many messages were acknowledged and lost.
    pub fn lost(&self) -> usize {
        self.rounds.iter().map(|loss| loss.lost).sum()
    }

    /// Whether nothing was lost that `appendfsync` promises to keep, and no
    /// other promise was broken.
    pub fn is_clean(&self) -> bool {
        let kept = self.fsync != Fsync::Always.word() || self.lost() == 0;
        kept && self.breaches.is_empty()
    }

    /// For scripts: one line.
    ///
    /// # Errors
    /// None that is known.
    pub fn line(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// For people: one line for all rounds.
    pub fn sum(&self) -> String {
        let acknowledged: usize = self.rounds.iter().map(|loss| loss.acknowledged).sum();
        let oldest = self.rounds.iter().filter_map(|loss| loss.oldest_lost_ms);
        let oldest = oldest
            .max()
            .map_or("none".to_owned(), |ms| format!("{ms} ms"));
        format!(
            "appendfsync {}: {} rounds, {acknowledged} acknowledged, {} of those lost; \
             the oldest of them was acknowledged before the power went by: {oldest}; \
             other breaches {:?}",
            self.fsync,
            self.rounds.len(),
            self.lost(),
            self.breaches,
        )
    }
}

/// The power goes, as often as ordered.
///
/// # Errors
/// A round did not come about.
pub async fn power(orders: &Outages) -> Result<Losses> {
    let mut moments = Rng::with_seed(orders.seed);
    let mut losses = Losses {
        fsync: orders.fsync.word(),
        slower_ms: millis(orders.slower),
        seed: orders.seed,
        rounds: Vec::new(),
        breaches: Vec::new(),
    };
    for number in 1..=orders.rounds {
        let after = Duration::from_millis(moments.u64(LOAD_MS));
        let round = Round::begins(orders, after).await?;
        let (loss, breaches) = round.ends().await?;
        eprintln!("round {number}: {loss:?}");
        losses.rounds.push(loss);
        losses.breaches.extend(breaches);
    }
    Ok(losses)
}

/// Who is there in a round.
struct Round {
    stage: Stage,
    books: Books,
    writers: Vec<Device>,
    away: Vec<Owner>,
    synced: u64,
    after: Duration,
}

fn routes() -> Result<Vec<Route>> {
    let routes = (0..PAIRS).map(|pair| {
        Ok(Route {
            from: user("writer", pair)?,
            to: To::User(user("away", pair)?),
            is_blocked: false,
        })
    });
    routes.collect()
}

fn user(name: &str, pair: usize) -> Result<UserId> {
    Ok(format!("{name}-{pair}").parse()?)
}

impl Round {
    /// Everybody is there and has friends, and half of them leave.
    async fn begins(orders: &Outages, after: Duration) -> Result<Self> {
        let redis = Server::start_on_power(orders.fsync.word(), orders.slower);
        let stage = Stage::start(redis).await?;
        let books = Books::of(routes()?);
        let owner = |user: &UserId| {
            Ok::<_, anyhow::Error>(Owner {
                user: user.clone(),
                device: "phone".parse()?,
                addresses: stage.addresses(),
                shown: Shown::default(),
                is_slow: false,
            })
        };
        let (mut writers, mut away) = (Vec::new(), Vec::new());
        for route in books.routes() {
            let writer = owner(&route.from)?.comes(&books)?;
            let To::User(to) = &route.to else {
                continue;
            };
            let reader = owner(to)?;
            let there = reader.comes(&books)?;
            writer.is_there().await?;
            there.is_there().await?;
            become_friends(&writer, &there).await?;
            there.leaves().await;
            writers.push(writer);
            away.push(reader);
        }
        let synced = stage.redis.lock().await.sync()?;
        Ok(Self {
            stage,
            books,
            writers,
            away,
            synced,
            after,
        })
    }

    /// People write, the power goes and comes back, and who was away comes.
    async fn ends(self) -> Result<(Loss, Vec<String>)> {
        let stop = watch::Sender::new(false);
        let mut writing = JoinSet::new();
        for number in 0..PAIRS {
            writing.spawn(self.stream(number, &stop).run());
        }
        sleep(self.after).await;
        let went = Instant::now();
        let cut = self.power_goes().await?;
        stop.send_replace(true);
        self.stage.redis.lock().await.restart();
        // From now on somebody may be told something by who is there again.
        let came = Instant::now();
        self.power_comes().await;
        let answered = timeout(2 * PATIENCE, async {
            while let Some(ended) = writing.join_next().await {
                ended??;
            }
            anyhow::Ok(())
        });
        answered.await.context("not all is answered in time")??;
        self.mailboxes_are_emptied(&stop).await?;
        Ok(self.close(went, came, cut))
    }

    fn stream(&self, number: usize, stop: &watch::Sender<bool>) -> Stream {
        Stream {
            number,
            client: self.writers[number].client.clone(),
            to: To::User(self.away[number].user.clone()),
            pace: PACE,
            stop: stop.subscribe(),
            burst: watch::Sender::new(0).subscribe(),
            books: self.books.clone(),
        }
    }

    async fn power_goes(&self) -> Result<Cut> {
        let cut = self.stage.redis.lock().await.power_goes(self.synced)?;
        self.each_daemon(Daemon::kill).await;
        Ok(cut)
    }

    async fn power_comes(&self) {
        self.each_daemon(Daemon::starts_again).await;
        for friends in &self.stage.friends {
            friends.daemon.lock().await.ready().await;
        }
        for shard in &self.stage.shards {
            if let Some(daemon) = &mut *shard.daemon.lock().await {
                daemon.ready().await;
            }
        }
        for gateway in &self.stage.gateways {
            gateway.daemon.lock().await.ready().await;
        }
    }

    async fn each_daemon(&self, act: fn(&mut Daemon)) {
        for gateway in &self.stage.gateways {
            act(&mut *gateway.daemon.lock().await);
        }
        for shard in &self.stage.shards {
            if let Some(daemon) = &mut *shard.daemon.lock().await {
                act(daemon);
            }
        }
        for friends in &self.stage.friends {
            act(&mut *friends.daemon.lock().await);
        }
    }

    /// One more message for each: who has been shown it has been shown all that
    /// lay in the mailbox before it.
    async fn mailboxes_are_emptied(&self, stop: &watch::Sender<bool>) -> Result<()> {
        for (number, owner) in self.away.iter().enumerate() {
            let last = self.last_message(&self.stream(number, stop)).await?;
            let device = owner.comes(&self.books)?;
            device.is_there().await?;
            let mut shown = owner.shown.clone();
            until("the last message", async || {
                shown.contains(&last).then_some(())
            })
            .await;
            device.leaves().await;
        }
        Ok(())
    }

    /// One that is stored: it may be refused as long as the store is not there.
    async fn last_message(&self, stream: &Stream) -> Result<Identity> {
        let from = &self.writers[stream.number].user;
        let end = Instant::now() + PATIENCE;
        loop {
            let last = Identity {
                from: from.clone(),
                id: stream.says_one().await?,
            };
            let refused = {
                let accounts = self.books.open();
                if accounts.acknowledged.contains_key(&last) {
                    return Ok(last);
                }
                accounts.refused.clone()
            };
            ensure!(Instant::now() < end, "{from} can send nothing: {refused:?}");
            sleep(LOOK).await;
        }
    }

    fn close(&self, went: Instant, came: Instant, cut: Cut) -> (Loss, Vec<String>) {
        let accounts = self.books.open();
        let told = &accounts.acknowledged;
        let before = |identity: &Identity| told.get(identity).copied().filter(|at| *at < came);
        let mut lost = Vec::new();
        let mut breaches = Vec::new();
        for breach in accounts.ledger.breaches() {
            match &breach {
                Breach::Lost(identity, _) if before(identity).is_some() => {
                    lost.extend(before(identity));
                }
                _ => breaches.push(breach.to_string()),
            }
        }
        breaches.extend(accounts.closed.iter().cloned());
        let refused = accounts.refused_for_no_reason.iter();
        breaches.extend(refused.map(|refused| format!("refused for no reason: {refused:?}")));
        let oldest = lost.iter().min();
        let loss = Loss {
            after_ms: millis(self.after),
            acknowledged: told.values().filter(|at| **at < came).count(),
            lost: lost.len(),
            oldest_lost_ms: oldest.map(|at| millis(went.saturating_duration_since(*at))),
            log_bytes: cut.had,
            gone_bytes: cut.had.saturating_sub(cut.has),
        };
        (loss, breaches)
    }
}
