//! What the committer thread does with a request.
//!
//! Owns the check of the claim before every request, and the table of
//! requests. Must not know threads and queues.

use msgd_core::store::{Claim, Mailbox, Outcome, Outcomes, Position, Request, StoreSettings};
use proto::ids::{Stamp, UserId};
use store::{Keyspace, Service, Transaction, Unreadable};

use super::alive::Alive;
use super::claims::Claims;
use super::fields::Trouble;
use super::groups::Groups;
use super::kept::Kept;
use super::key::UserKey;
use super::mailboxes::Mailboxes;
use super::metrics::Metrics;
use super::notes::Notes;

/// A request, and the shard of this process that asks.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) place: usize,
    pub(super) request: Request,
}

/// Whose a request is, and what its outcome is if the store fails.
#[derive(Debug)]
pub(super) struct Ticket {
    pub(super) place: usize,
    pub(super) failed: Outcomes,
}

/// Carries requests out on the committer thread.
#[derive(Debug)]
pub(super) struct Keeper {
    claims: Claims,
    alive: Alive,
    mailboxes: Mailboxes,
    notes: Notes,
    kept: Kept,
    groups: Groups,
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
    ) -> Result<Self::Outcome, Unreadable> {
        match self.carry_out(asked, transaction) {
            Ok(outcomes) => Ok(Some(outcomes)),
            Err(Trouble::Unreadable(unreadable)) => Err(unreadable),
            Err(Trouble::Damaged(damaged)) => {
                tracing::error!(%damaged, "request failed");
                self.metrics.damaged.inc();
                Ok(None)
            }
        }
    }

    fn rolled_back(&mut self) {
        self.mailboxes.forget();
        self.groups.forget();
        self.loaded = false;
    }
}

impl Keeper {
    /// The keyspaces are those of users and of groups.
    pub(super) fn new(
        (rows, groups): (Keyspace, Keyspace),
        settings: StoreSettings,
        metrics: Metrics,
    ) -> Self {
        Self {
            claims: Claims::new(rows),
            alive: Alive::new(rows),
            mailboxes: Mailboxes::new(rows, settings.mailbox, metrics.clone()),
            notes: Notes::new(rows),
            kept: Kept::new(rows),
            groups: Groups::new(groups, settings.log, metrics.clone()),
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
            self.groups.load(transaction)?;
            self.loaded = true;
        }
        if let Some(claim) = request.claim() {
            let is_good = match request {
                Request::Release { .. } => self.claims.is_newest(claim),
                _ => self.claims.is_held_by(claim),
            };
            if !is_good {
                return Ok(one(Outcome::Refused { claim }));
            }
        }
        match request {
            Request::Claim { slots, shard } => {
                Ok(self.claims.claim(transaction, place, shard, &slots))
            }
            Request::Release { claim, recent } => {
                self.claims.release(transaction, claim, &recent);
                Ok(Outcomes::new())
            }
            Request::Open { claim, user, since } => self.open(transaction, claim, user, since),
            Request::Append {
                claim,
                user,
                behind,
                messages,
            } => self
                .mailboxes
                .append(transaction, claim, user, behind, &messages)
                .map(one),
            Request::Read {
                claim,
                user,
                reader,
                from,
                count_max,
                bytes_max,
            } => {
                let key = UserKey::new(claim.slot, &user);
                let most = (count_max, bytes_max);
                let letters = self.mailboxes.read(transaction, &user, &key, from, most)?;
                Ok(one(Outcome::Read {
                    claim,
                    user,
                    reader,
                    from,
                    letters: Some(letters),
                }))
            }
            Request::Advance {
                claim,
                user,
                cursor,
            } => self
                .mailboxes
                .advance(transaction, claim, user, cursor)
                .map(one),
            Request::Note {
                claim,
                user,
                receipt,
            } => {
                let key = UserKey::new(claim.slot, &user);
                if !self.notes.keep(transaction, &key, receipt)? {
                    self.metrics.notes_shed.inc();
                }
                Ok(Outcomes::new())
            }
            Request::TakeNotes { claim, user } => {
                let key = UserKey::new(claim.slot, &user);
                let receipts = self.notes.take(transaction, &key)?;
                Ok(one(Outcome::Notes {
                    claim,
                    user,
                    receipts,
                }))
            }
            Request::Seen { claim, user, seen } => {
                let key = UserKey::new(claim.slot, &user);
                self.mailboxes.see(transaction, user, &key, seen)?;
                Ok(Outcomes::new())
            }
            Request::Alive {
                shard,
                stamp,
                steady,
            } => {
                self.alive.keep(transaction, shard, stamp);
                if steady {
                    self.mailboxes.time_is(stamp);
                    self.groups.time_is(stamp);
                }
                self.groups.tidy(transaction);
                Ok(Outcomes::new())
            }
            Request::KeepGroups {
                claim,
                user,
                groups,
            } => {
                let key = UserKey::new(claim.slot, &user);
                self.kept.keep(transaction, &key, &groups);
                let done = true;
                Ok(one(Outcome::GroupsKept { claim, user, done }))
            }
            request @ (Request::OpenGroup { .. }
            | Request::WriteGroup { .. }
            | Request::EndGroup { .. }
            | Request::ReadLog { .. }) => self.of_group(request, transaction),
        }
    }

    fn of_group(
        &mut self,
        request: Request,
        transaction: &mut Transaction<'_>,
    ) -> Result<Outcomes, Trouble> {
        Ok(match request {
            Request::OpenGroup {
                claim,
                group,
                since,
            } => {
                let found = self.groups.open(transaction, claim, &group, since)?;
                one(Outcome::GroupOpened {
                    claim,
                    group,
                    found,
                })
            }
            Request::WriteGroup {
                claim,
                group,
                write,
            } => {
                let done = self.groups.write(transaction, claim, &group, &write)?;
                one(Outcome::GroupWritten { claim, group, done })
            }
            Request::EndGroup { claim, group } => {
                self.groups.end(transaction, claim, &group)?;
                Outcomes::new()
            }
            Request::ReadLog {
                claim,
                group,
                reader,
                range,
                count_max,
                bytes_max,
            } => {
                let most = (count_max, bytes_max);
                let page = self
                    .groups
                    .read(transaction, (claim, &group), range, most)?;
                one(Outcome::LogRead {
                    claim,
                    group,
                    reader,
                    page,
                })
            }
            // No other is one of a group.
            _ => Outcomes::new(),
        })
    }

    fn open(
        &mut self,
        transaction: &mut Transaction<'_>,
        claim: Claim,
        user: UserId,
        since: Stamp,
    ) -> Result<Outcomes, Trouble> {
        let key = UserKey::new(claim.slot, &user);
        let (mailbox, latest) = self.mailboxes.look(transaction, &user, &key, since)?;
        let mailbox = Mailbox {
            cursor: Position(mailbox.cursor),
            end: Position(mailbox.end),
            latest,
            notes: self.notes.any(transaction, &key)?,
            last_seen: mailbox.seen.and_then(|seen| self.alive.resolve(seen)),
            groups: self.kept.read(transaction, &key)?,
        };
        Ok(one(Outcome::Opened {
            claim,
            user,
            mailbox: Some(mailbox),
        }))
    }
}

fn one(outcome: Outcome) -> Outcomes {
    Outcomes::from_buf([outcome])
}
