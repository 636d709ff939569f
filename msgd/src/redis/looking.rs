//! Whether Redis is there, and whether it is the one that granted the claims.
//!
//! Owns how one that did not answer is looked for. Must not know what is asked
//! of it else.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use msgd_core::store::{Claim, Outcome};
use proto::ids::Incarnation;
use shared::Command;

use super::keeper::Keeper;
use super::plan::{holds, is_held};

/// How often it is looked for what is to be cleared away, if nobody asks.
const IDLE: Duration = Duration::from_secs(1);

/// Between two looks for a Redis that does not answer.
const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// Between two looks at all claims: where one server of a Cluster is away, each
/// request to it is a reason for one.
const CLAIMS_PAUSE: Duration = Duration::from_secs(1);

impl Keeper {
    /// For how long nobody need ask before the next look.
    pub(super) fn pause(&self) -> Duration {
        match self.answers.load(Ordering::Relaxed) {
            true => IDLE,
            false => LOOK_PAUSE,
        }
    }

    /// Looks for a Redis that did not answer, not more often than is useful.
    /// Once it does, gives the claims that it knows nothing of: they are over,
    /// also where nobody asks for anything.
    pub(super) async fn find(&mut self) -> Vec<Outcome> {
        if !self.answers.load(Ordering::Relaxed) && !self.is_there().await {
            return Vec::new();
        }
        let is_early = self.confirmed.is_some_and(|at| at.elapsed() < CLAIMS_PAUSE);
        if is_early || !self.claims.are_doubtful() {
            return Vec::new();
        }
        self.confirmed = Some(Instant::now());
        self.look_at_claims().await
    }

    async fn is_there(&mut self) -> bool {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK_PAUSE) {
            return false;
        }
        self.looked = Some(Instant::now());
        // Of nobody: that there is an answer is what matters.
        let lease = registry::keys::lease(Incarnation(0));
        let ask = Command::read("EXISTS", lease);
        let replies = self.redis.carry_out(vec![ask]).await;
        let answers = replies.iter().all(Result::is_ok);
        self.answers.store(answers, Ordering::Relaxed);
        for failure in replies.into_iter().filter_map(Result::err) {
            self.tell(&failure.into());
        }
        answers
    }

    /// Asks for every claim that is in doubt. Of those that have no answer it is
    /// asked again: by who wants something of their users, or after the next
    /// loss.
    async fn look_at_claims(&mut self) -> Vec<Outcome> {
        let doubted = self.claims.doubted();
        let ask = |claim: &Claim| holds(claim.slot).only_in(self.claims.life(*claim));
        let commands = doubted.iter().map(ask).collect();
        let replies = self.redis.carry_out(commands).await;
        self.claims.looked_at();
        let mut refused = Vec::new();
        for (claim, reply) in doubted.into_iter().zip(replies) {
            match is_held(claim.token, &reply) {
                Some(true) => self.claims.confirmed(claim),
                Some(false) => {
                    self.claims.lost(claim);
                    refused.push(Outcome::Refused { claim });
                }
                None => {}
            }
        }
        refused
    }
}
