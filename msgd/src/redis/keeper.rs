//! What the thread that asks Redis does with a batch.
//!
//! Owns the rounds: what must be looked up, then all commands in order, then
//! the outcomes. Must not know threads and queues, nor commands.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use std::vec::Drain;

use msgd_core::store::{Claim, LogSettings, Outcome, Outcomes, Request, StoreSettings};
use proto::ids::UserId;
use shared::{Command, Redis, Reply};

use super::claims::{Claims, refused};
use super::dead::Dead;
use super::empties::Empties;
use super::kind::{Kind, kind};
use super::load::{Loaded, loaded};
use super::mailboxes::{Mailboxes, whose};
use super::plan::{Plan, holds, is_held};
use super::settle::{Settled, Trouble, settle};
use super::{keys, mailbox::Mailbox};
use crate::store::metrics::Metrics;

/// Seconds for which it is known when an incarnation was last alive.
const ALIVE_SECONDS: u64 = 90 * 24 * 60 * 60;

/// Between two complaints.
const TELL_PAUSE: Duration = Duration::from_secs(1);

/// Carries requests out.
#[derive(Debug)]
pub(super) struct Keeper {
    pub(super) redis: Redis,
    pub(super) claims: Claims,
    pub(super) dead: Dead,
    pub(super) mailboxes: Mailboxes,
    pub(super) empties: Empties,
    /// Bounds of each group's log.
    pub(super) log: LogSettings,
    pub(super) metrics: Metrics,
    /// Whether Redis answered when it was asked last.
    pub(super) answers: Arc<AtomicBool>,
    /// When it was looked for last.
    pub(super) looked: Option<Instant>,
    /// When all claims were looked at last.
    pub(super) confirmed: Option<Instant>,
    /// When it was said last that requests fail.
    told: Option<Instant>,
}

/// What came of a batch by now.
#[derive(Debug, Default)]
struct Batch {
    outcomes: Vec<Option<Outcomes>>,
    /// Whose mailboxes were looked up for it.
    fresh: HashSet<UserId>,
    /// Whose later requests fail, because an earlier one did.
    failed: HashSet<UserId>,
}

impl Keeper {
    pub(super) fn new(
        redis: &shared::Settings,
        settings: StoreSettings,
        lease: Duration,
        metrics: Metrics,
    ) -> Self {
        let mailboxes = Mailboxes::new(settings.mailbox);
        Self {
            redis: Redis::new(redis, mailboxes.scripts.all()),
            claims: Claims::new(),
            dead: Dead::new(lease),
            mailboxes,
            log: settings.log,
            empties: Empties::default(),
            metrics,
            answers: Arc::default(),
            looked: None,
            confirmed: None,
            told: None,
        }
    }

    /// Carries requests out in their order. What came of them is added to
    /// `outcomes`; what need not wait for the rest is told from there at once.
    pub(super) async fn carry_out(
        &mut self,
        requests: &[Request],
        outcomes: &mut Vec<Outcome>,
        tell: &mut impl FnMut(Drain<'_, Outcome>),
    ) {
        self.close_empties().await;
        let mut rest = requests;
        while let Some(first) = rest.first() {
            let which = kind(first);
            let same = |request: &&Request| kind(request) == which;
            let count = match which {
                Kind::Claim | Kind::Alive => 1,
                Kind::Release | Kind::Kept => rest.iter().take_while(same).count(),
            };
            let (these, others) = rest.split_at(count);
            rest = others;
            match which {
                Kind::Claim => self.claim(first, outcomes, tell).await,
                Kind::Alive => self.keep_alive(first).await,
                Kind::Release => outcomes.extend(self.release(these).await.into_iter().flatten()),
                Kind::Kept => outcomes.extend(self.serve_all(these).await.into_iter().flatten()),
            }
        }
    }

    /// Carries out requests about users in their order.
    pub(super) async fn serve(&mut self, requests: &[Request]) -> Vec<Outcomes> {
        let mut batch = Batch {
            outcomes: vec![None; requests.len()],
            ..Batch::default()
        };
        let mut rest: Vec<usize> = (0..requests.len()).collect();
        // Each round is the last for the first request of each user.
        for _ in 0..=requests.len() {
            rest.retain(|index| !self.is_over(&requests[*index], *index, &mut batch));
            if rest.is_empty() {
                break;
            }
            self.look_up(requests, &rest, &mut batch).await;
            rest.retain(|index| !self.is_over(&requests[*index], *index, &mut batch));
            let mut plan = self.plan(requests, &rest, &batch);
            let commands = std::mem::take(&mut plan.commands);
            let replies = self.redis.carry_out(commands).await;
            rest = std::mem::take(&mut plan.deferred);
            self.settle(requests, plan, replies, &mut batch).await;
        }
        let outcomes = batch.outcomes.into_iter().zip(requests);
        outcomes
            .map(|(outcome, request)| outcome.unwrap_or_else(|| request.failed()))
            .collect()
    }

    /// Whether a request is not to be carried out; it has its outcome then.
    fn is_over(&self, request: &Request, index: usize, batch: &mut Batch) -> bool {
        let Some((claim, user)) = whose(request) else {
            return true;
        };
        if !self.claims.is_held(claim) {
            batch.outcomes[index] = Some(refused(claim));
        } else if batch.failed.contains(user) {
            batch.outcomes[index] = Some(request.failed());
        }
        batch.outcomes[index].is_some()
    }

    /// Looks up what the first request of each user must know.
    async fn look_up(&mut self, requests: &[Request], rest: &[usize], batch: &mut Batch) {
        let mut met: HashSet<&UserId> = HashSet::new();
        let mut asked = Vec::new();
        let mut commands = Vec::new();
        for request in rest.iter().map(|index| &requests[*index]) {
            let Some((claim, user)) = whose(request) else {
                continue;
            };
            if met.contains(user) {
                continue;
            }
            if let Some(command) = self.mailboxes.look_up(request, &batch.fresh) {
                met.insert(user);
                asked.push((claim, user));
                commands.push(command.only_in(self.claims.life(claim)));
            }
        }
        let replies = self.redis.carry_out(commands).await;
        for ((claim, user), reply) in asked.into_iter().zip(replies) {
            let found = reply
                .map_err(Trouble::from)
                .and_then(|value| Ok(loaded(claim.token, &value)?));
            match found {
                Ok(Loaded::Mailbox(mailbox, dropped)) => {
                    self.metrics.expired.inc_by(dropped);
                    batch.fresh.insert(user.clone());
                    self.learn(claim, user, mailbox);
                }
                Ok(Loaded::Refused) | Err(Trouble::Refused) => self.claims.lost(claim),
                Err(trouble) => {
                    self.tell(&trouble);
                    self.mailboxes.forget(user);
                    batch.failed.insert(user.clone());
                }
            }
        }
    }

    fn learn(&mut self, claim: Claim, user: &UserId, mut mailbox: Mailbox) {
        if mailbox.stream && mailbox.is_empty() {
            mailbox.queued = true;
            self.empties.push(claim, user.clone());
        }
        self.mailboxes.learn(user.clone(), mailbox);
    }

    fn plan(&mut self, requests: &[Request], rest: &[usize], batch: &Batch) -> Plan {
        let mut plan = Plan::default();
        let mut waiting: HashSet<&UserId> = HashSet::new();
        let mut appending: HashSet<&UserId> = HashSet::new();
        for &index in rest {
            let request = &requests[index];
            let Some((claim, user)) = whose(request) else {
                continue;
            };
            plan.under(self.claims.life(claim));
            // What comes behind a request that waits, waits; and an append whether
            // the one before it gets in.
            let is_append = matches!(request, Request::Append { .. });
            let waits = (!waiting.is_empty() && waiting.contains(user))
                || (is_append && !appending.insert(user));
            if waits
                || !self
                    .mailboxes
                    .plan((index, request), &batch.fresh, &mut plan)
            {
                waiting.insert(user);
                plan.deferred.push(index);
            }
        }
        plan.finish();
        plan
    }

    /// Finds out what came of the steps of a plan.
    async fn settle(
        &mut self,
        requests: &[Request],
        mut plan: Plan,
        mut replies: Vec<Reply>,
        batch: &mut Batch,
    ) {
        let mut settled = Vec::with_capacity(plan.steps.len());
        let mut doubts: HashSet<Claim> = HashSet::new();
        let mut held: HashMap<Claim, Option<bool>> = HashMap::new();
        for planned in std::mem::take(&mut plan.steps) {
            let request = &requests[planned.request];
            let Some((claim, _)) = whose(request) else {
                continue;
            };
            if let Some(check) = plan.check_of(claim) {
                let says = || is_held(claim.token, &replies[check]);
                held.entry(claim).or_insert_with(says);
            }
            let own = &mut replies[planned.replies];
            let result = settle(request, planned.step, own, &self.metrics);
            // An error can mean that the slot is another's.
            let unclear = matches!(result, Err(Trouble::Failure(_) | Trouble::Changed));
            if unclear && !held.contains_key(&claim) {
                doubts.insert(claim);
            }
            settled.push((planned.request, result));
        }
        self.ask_who_holds(doubts, &mut held).await;
        for (index, result) in settled {
            self.conclude(&requests[index], (index, result), &held, batch);
        }
    }

    async fn ask_who_holds(
        &mut self,
        doubts: HashSet<Claim>,
        held: &mut HashMap<Claim, Option<bool>>,
    ) {
        let doubts: Vec<Claim> = doubts.into_iter().collect();
        let ask = |claim: &Claim| holds(claim.slot).only_in(self.claims.life(*claim));
        let commands = doubts.iter().map(ask).collect();
        let replies = self.redis.carry_out(commands).await;
        for (claim, reply) in doubts.into_iter().zip(replies) {
            held.insert(claim, is_held(claim.token, &reply));
        }
    }

    /// Writes down the outcome of one request.
    fn conclude(
        &mut self,
        request: &Request,
        (index, result): (usize, Result<Settled, Trouble>),
        held: &HashMap<Claim, Option<bool>>,
        batch: &mut Batch,
    ) {
        let Some((claim, user)) = whose(request) else {
            return;
        };
        let is_lost = match held.get(&claim) {
            _ if matches!(result, Err(Trouble::Refused)) => true,
            Some(Some(held)) => !held,
            // It was asked for, and nothing was said.
            Some(None) => {
                batch.failed.insert(user.clone());
                false
            }
            None => false,
        };
        if is_lost {
            // Another life may have answered the question who holds it.
            if let Err(trouble @ Trouble::Failure(_)) = &result {
                self.tell(trouble);
            }
            self.claims.lost(claim);
            self.mailboxes.forget(user);
            batch.outcomes[index] = Some(refused(claim));
            return;
        }
        let takes_notes = matches!(request, Request::TakeNotes { .. });
        if let Err(trouble) = &result {
            self.tell(trouble);
            batch.failed.insert(user.clone());
        }
        match result {
            // Receipts that were taken out are nowhere else.
            Ok(settled) if !batch.failed.contains(user) || takes_notes => {
                match settled.surprised {
                    true => self.mailboxes.forget(user),
                    false => self.follow(claim, user, &settled),
                }
                batch.outcomes[index] = Some(settled.outcomes);
            }
            _ => {
                self.mailboxes.forget(user);
                batch.outcomes[index] = Some(request.failed());
            }
        }
    }

    /// What the mailbox of a user is after a step.
    fn follow(&mut self, claim: Claim, user: &UserId, settled: &Settled) {
        let Some(mailbox) = self.mailboxes.known(claim, user) else {
            return;
        };
        if mailbox.front.is_none() && !mailbox.is_empty() {
            mailbox.front = settled.front;
        }
        if mailbox.stream && mailbox.is_empty() && !mailbox.queued {
            mailbox.queued = true;
            mailbox.used = false;
            self.empties.push(claim, user.clone());
        }
    }

    async fn keep_alive(&mut self, request: &Request) {
        if let Request::Alive {
            shard,
            stamp,
            steady,
        } = request
        {
            if *steady {
                self.mailboxes.time_is(*stamp);
            }
            let keep = Command::write("SET", keys::alive(*shard)).arg(stamp.0);
            let replies = self
                .redis
                .carry_out(vec![keep.arg("EX").arg(ALIVE_SECONDS)])
                .await;
            for failure in replies.into_iter().filter_map(Result::err) {
                self.tell(&failure.into());
            }
        }
    }

    /// Says why a request failed, not more often than once a second: whoever
    /// wants it asks again and again. What is known of others stays: a server
    /// that may have lost some of it is in another life, and their claims are
    /// not good there.
    pub(super) fn tell(&mut self, trouble: &Trouble) {
        if matches!(trouble, Trouble::Failure(failure) if failure.is_lost()) {
            self.answers.store(false, Ordering::Relaxed);
            self.claims.doubt();
        }
        if matches!(trouble, Trouble::Damaged(_)) {
            self.metrics.damaged.inc();
        }
        if self.told.is_some_and(|told| told.elapsed() < TELL_PAUSE) {
            return;
        }
        self.told = Some(Instant::now());
        tracing::error!(%trouble, "requests to Redis failed");
    }
}
