//! The mailboxes: what requests do to them.
//!
//! Owns messages, cursors and their bounds. Must not know claims: who asks may
//! do so.

use msgd_core::store::{Claim, Letter, MailboxSettings, Outcome, Position, Seen, Stored};
use proto::ids::{Stamp, UserId};
use store::{Keyspace, Transaction};

use super::cache::Cache;
use super::fields::{Carried, Trouble};
use super::key::UserKey;
use super::mailbox::{Mailbox, is_expired};
use super::metrics::Metrics;
use super::rows::{PURGED_MAX, Rows};

/// Mailboxes in memory: about 10 MiB.
pub const MAILBOXES_MAX: usize = 65_536;

/// All mailboxes.
#[derive(Debug)]
pub(super) struct Mailboxes {
    rows: Rows,
    settings: MailboxSettings,
    cache: Cache<UserId, Mailbox>,
    /// What a shard with a steady clock said last since this process started.
    /// It is not read from the database: a clock that was wrong once would be
    /// believed for ever.
    now: Option<Stamp>,
    metrics: Metrics,
}

impl Mailboxes {
    pub(super) fn new(rows: Keyspace, settings: MailboxSettings, metrics: Metrics) -> Self {
        Self {
            rows: Rows::new(rows),
            settings,
            cache: Cache::new(MAILBOXES_MAX),
            now: None,
            metrics,
        }
    }

    /// What is in the database is all that is known.
    pub(super) fn forget(&mut self) {
        self.cache.clear();
    }

    /// Messages age by this.
    pub(super) fn time_is(&mut self, now: Stamp) {
        self.now = Some(now);
    }

    /// The mailbox and its latest messages, oldest first.
    pub(super) fn look(
        &mut self,
        transaction: &mut Transaction<'_>,
        user: &UserId,
        key: &UserKey,
        since: Stamp,
    ) -> Result<(Mailbox, Vec<Stored>), Trouble> {
        let mailbox = self.reach_fresh(transaction, user, key)?;
        let latest = self.rows.latest(transaction, &mailbox, key, since)?;
        Ok((mailbox, latest))
    }

    pub(super) fn append(
        &mut self,
        transaction: &mut Transaction<'_>,
        claim: Claim,
        user: UserId,
        behind: Position,
        messages: &[Letter],
    ) -> Carried {
        let key = UserKey::new(claim.slot, &user);
        let mut mailbox = self.reach_fresh(transaction, &user, &key)?;
        let first = Position(mailbox.end);
        let mut count = 0;
        for letter in messages {
            let body_bytes = letter.message.body.len() as u64;
            if first < behind || !mailbox.fits(body_bytes, &self.settings) {
                break;
            }
            self.rows.put_letter(transaction, &mailbox, &key, letter);
            mailbox.append(letter.message.stamp, body_bytes);
            count += 1;
        }
        if mailbox.first < mailbox.cursor {
            self.tidy(transaction, &mut mailbox, &key);
        }
        self.metrics.appended.inc_by(count as u64);
        self.metrics.full.inc_by((messages.len() - count) as u64);
        self.cache.insert(user.clone(), mailbox);
        Ok(Outcome::Appended {
            claim,
            user,
            first,
            count,
        })
    }

    /// Messages from a position on.
    pub(super) fn read(
        &mut self,
        transaction: &mut Transaction<'_>,
        user: &UserId,
        key: &UserKey,
        from: Position,
        (count_max, bytes_max): (usize, usize),
    ) -> Result<Vec<(Position, Letter)>, Trouble> {
        let mailbox = self.reach_fresh(transaction, user, key)?;
        let from = from.0.max(mailbox.cursor);
        let end = mailbox.end.min(from.saturating_add(count_max as u64));
        let mut letters = Vec::new();
        let mut bytes = 0;
        self.rows.visit(transaction, key, from..end, |place, row| {
            bytes += row.body.len();
            let fits = letters.is_empty() || bytes <= bytes_max;
            if fits {
                letters.push((Position(place), row.letter(user)?));
            }
            Ok(fits)
        })?;
        self.metrics.read.inc_by(letters.len() as u64);
        Ok(letters)
    }

    /// Moves the cursor forward, at most to the end.
    pub(super) fn advance(
        &mut self,
        transaction: &mut Transaction<'_>,
        claim: Claim,
        user: UserId,
        cursor: Position,
    ) -> Carried {
        let key = UserKey::new(claim.slot, &user);
        let mut mailbox = self.reach(transaction, &user, &key)?;
        let cursor = cursor.0.min(mailbox.end);
        if cursor > mailbox.cursor {
            mailbox.move_cursor(cursor);
            self.tidy(transaction, &mut mailbox, &key);
            self.metrics.advanced.inc();
            self.cache.insert(user.clone(), mailbox);
        }
        let done = true;
        Ok(Outcome::Advanced { claim, user, done })
    }

    pub(super) fn see(
        &mut self,
        transaction: &mut Transaction<'_>,
        user: UserId,
        key: &UserKey,
        seen: Seen,
    ) -> Result<(), Trouble> {
        let mut mailbox = self.reach(transaction, &user, key)?;
        mailbox.seen = Some(seen);
        self.rows.put_mailbox(transaction, &mut mailbox, key);
        if mailbox.is_empty() {
            // Most come and find nothing, and get nothing stored while they are
            // there: the row, which is whole now, can wait for the rest.
            self.cache.remove(&user);
        } else {
            self.cache.insert(user, mailbox);
        }
        Ok(())
    }

    /// The mailbox, as it lies there. Who changes it puts it back into the
    /// cache.
    fn reach(
        &mut self,
        transaction: &Transaction<'_>,
        user: &UserId,
        key: &UserKey,
    ) -> Result<Mailbox, Trouble> {
        if let Some(mailbox) = self.cache.get(user) {
            return Ok(*mailbox);
        }
        let mailbox = self.rows.load(transaction, key)?;
        Ok(*self.cache.insert(user.clone(), mailbox))
    }

    /// The mailbox without what is too old, and with its front known. Who
    /// changes it puts it back into the cache.
    fn reach_fresh(
        &mut self,
        transaction: &mut Transaction<'_>,
        user: &UserId,
        key: &UserKey,
    ) -> Result<Mailbox, Trouble> {
        let mut mailbox = self.reach(transaction, user, key)?;
        if self.rows.look_at_front(transaction, &mut mailbox, key)? {
            self.cache.insert(user.clone(), mailbox);
        }
        let Some(front) = mailbox.front else {
            return Ok(mailbox);
        };
        if is_expired(front.stamp, self.now, self.settings.age_max) {
            let before = mailbox.cursor;
            mailbox.move_cursor(self.first_fresh(transaction, &mailbox, key)?);
            self.rows.look_at_front(transaction, &mut mailbox, key)?;
            self.tidy(transaction, &mut mailbox, key);
            self.metrics.expired.inc_by(mailbox.cursor - before);
            self.cache.insert(user.clone(), mailbox);
        }
        Ok(mailbox)
    }

    /// The position of the first message that is not too old, or of the last
    /// that was looked at.
    fn first_fresh(
        &self,
        transaction: &Transaction<'_>,
        mailbox: &Mailbox,
        key: &UserKey,
    ) -> Result<u64, Trouble> {
        let end = mailbox.end.min(mailbox.cursor + PURGED_MAX);
        let mut fresh = end;
        self.rows
            .visit(transaction, key, mailbox.cursor..end, |place, row| {
                let is_expired = is_expired(row.stamp, self.now, self.settings.age_max);
                if !is_expired {
                    fresh = place;
                }
                Ok(is_expired)
            })?;
        Ok(fresh)
    }

    /// Writes the mailbox down, and removes messages behind its cursor.
    fn tidy(&mut self, transaction: &mut Transaction<'_>, mailbox: &mut Mailbox, key: &UserKey) {
        let purged = self.rows.purge(transaction, mailbox, key);
        self.metrics.purged.inc_by(purged);
    }
}
