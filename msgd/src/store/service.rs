//! What the committer thread does with a request.
//!
//! Owns the check of the claim before every request, and the table of
//! requests. Must not know threads and queues.

use msgd_core::store::{self as contract, Claim, MailboxSettings, Outcome, Outcomes, Request};
use proto::ids::UserId;
use store::{Failure, Keyspace, Service, Transaction};

use super::alive::Alive;
use super::claims::Claims;
use super::handle::Ticket;
use super::key::UserKey;
use super::mailboxes::Mailboxes;
use super::metrics::Metrics;
use super::notes::Notes;
use super::row::Trouble;

/// A request, and the shard of this process that asks.
#[derive(Debug)]
pub struct Asked {
    pub(super) place: usize,
    pub(super) request: Request,
}

/// Carries requests out on the committer thread.
#[derive(Debug)]
pub struct Keeper {
    claims: Claims,
    alive: Alive,
    mailboxes: Mailboxes,
    notes: Notes,
    metrics: Metrics,
    /// Whether what is kept in memory was read from the database since that
    /// was opened.
    loaded: bool,
}

impl Service for Keeper {
    type Request = Asked;
    type Ticket = Ticket;
    /// `None`: as if the store had failed.
    type Outcome = Option<Outcomes>;

    fn execute(
        &mut self,
        asked: Asked,
        transaction: &mut Transaction<'_>,
    ) -> Result<Self::Outcome, Failure> {
        match self.carry_out(asked, transaction) {
            Ok(outcomes) => Ok(Some(outcomes)),
            Err(Trouble::Store(failure)) => Err(failure),
            Err(Trouble::Damaged(damaged)) => {
                tracing::error!(%damaged, "request failed");
                self.metrics.damaged.inc();
                Ok(None)
            }
        }
    }

    fn rolled_back(&mut self) {
        self.mailboxes.forget();
        self.loaded = false;
    }
}

impl Keeper {
    pub(super) fn new(
        rows: Keyspace,
        letters: Keyspace,
        settings: MailboxSettings,
        metrics: Metrics,
    ) -> Self {
        Self {
            claims: Claims::new(rows),
            alive: Alive::new(rows),
            mailboxes: Mailboxes::new(rows, letters, settings, metrics.clone()),
            notes: Notes::new(rows),
            metrics,
            loaded: false,
        }
    }

    fn carry_out(
        &mut self,
        Asked { place, request }: Asked,
        transaction: &mut Transaction<'_>,
    ) -> Result<Outcomes, Trouble> {
        if !self.loaded {
            self.claims.load(transaction)?;
            self.alive.load(transaction)?;
            self.loaded = true;
        }
        match request {
            Request::Claim { slots, shard } => {
                Ok(self.claims.claim(transaction, place, shard, &slots)?)
            }
            Request::Alive { shard, stamp } => {
                self.alive.keep(transaction, shard, stamp);
                self.mailboxes.time_is(stamp);
                Ok(Outcomes::new())
            }
            Request::Release { claim, .. }
            | Request::Open { claim, .. }
            | Request::Append { claim, .. }
            | Request::Read { claim, .. }
            | Request::Advance { claim, .. }
            | Request::Note { claim, .. }
            | Request::TakeNotes { claim, .. }
            | Request::Seen { claim, .. }
                if !self.claims.is_newest(claim) =>
            {
                Ok(Outcomes::from_buf([Outcome::Refused { claim }]))
            }
            claimed => {
                let outcome = self.carry_out_claimed(claimed, transaction)?;
                Ok(outcome.into_iter().collect())
            }
        }
    }
}
