//! The mailboxes: what requests do to them.
//!
//! Owns messages, cursors and their bounds. Must not know claims: who asks may
//! do so.

use std::ops::Range;

use msgd_core::store::{
    Claim, Letter, MailboxSettings, OPEN_IDENTITIES_MAX, Outcome, Position, Seen, Stored,
};
use proto::ids::{Stamp, UserId};
use store::{Keyspace, Scan, Slice, Transaction};

use super::cache::Cache;
use super::key::{self, UserKey};
use super::letter::{self, LetterRow};
use super::mailbox::{Mailbox, is_expired};
use super::metrics::Metrics;
use super::row::{Carried, Damaged, Trouble};

/// Mailboxes in memory: about 10 MiB.
const MAILBOXES_MAX: usize = 65_536;
/// Messages removed, or looked at for their age, by one request at most. The
/// next one goes on.
const PURGED_MAX: u64 = 1_024;
/// Messages that are read one by one: a scan costs as much as some of them to
/// begin with.
const GETS_MAX: u64 = 8;
/// Stamps are of many shards, so those in a mailbox are not quite in order:
/// how much older than wanted one must be for all before it to be so too.
const DISORDER_US: u64 = 60_000_000;

/// All mailboxes.
#[derive(Debug)]
pub(super) struct Mailboxes {
    rows: Rows,
    settings: MailboxSettings,
    cache: Cache,
    /// What a shard said last since this process started. It is not read from
    /// the database: a clock that was wrong once would be believed for ever.
    now: Option<Stamp>,
    metrics: Metrics,
}

impl Mailboxes {
    pub(super) fn new(
        mailboxes: Keyspace,
        letters: Keyspace,
        settings: MailboxSettings,
        metrics: Metrics,
    ) -> Self {
        Self {
            rows: Rows {
                mailboxes,
                letters,
                value: Vec::new(),
            },
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
        let mailbox = self.reach(transaction, user, key)?;
        let latest = self.rows.latest(transaction, &mailbox, key, since)?;
        Ok((mailbox, latest))
    }

    pub(super) fn append(
        &mut self,
        transaction: &mut Transaction<'_>,
        claim: Claim,
        user: UserId,
        messages: &[Letter],
    ) -> Carried {
        let key = UserKey::new(claim.slot, &user);
        let mut mailbox = self.reach(transaction, &user, &key)?;
        let first = Position(mailbox.end);
        let mut count = 0;
        for letter in messages {
            let body_bytes = letter.message.body.len() as u64;
            if !mailbox.fits(body_bytes, &self.settings) {
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
        let mailbox = self.reach(transaction, user, key)?;
        let from = from.0.max(mailbox.cursor);
        let mut letters = Vec::new();
        if from >= mailbox.end || count_max == 0 {
            return Ok(letters);
        }
        let mut bytes = 0;
        self.rows
            .visit(transaction, key, from..mailbox.end, |place, row| {
                bytes += row.body.len();
                let fits = letters.is_empty() || bytes <= bytes_max;
                if fits {
                    letters.push((Position(place), row.letter(user)?));
                }
                Ok(fits && letters.len() < count_max)
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
            self.rows
                .move_cursor(transaction, &mut mailbox, &key, cursor)?;
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
        self.rows.put_mailbox(transaction, &mailbox, key);
        self.cache.insert(user, mailbox);
        Ok(())
    }

    /// The mailbox, without what is too old. Who changes it puts it back into
    /// the cache.
    fn reach(
        &mut self,
        transaction: &mut Transaction<'_>,
        user: &UserId,
        key: &UserKey,
    ) -> Result<Mailbox, Trouble> {
        if let Some(mailbox) = self.cache.get(user)
            && !mailbox.has_expired(self.now, &self.settings)
        {
            return Ok(*mailbox);
        }
        let mut mailbox = self.rows.load(transaction, key)?;
        if mailbox.has_expired(self.now, &self.settings) {
            let before = mailbox.cursor;
            let cursor = self.first_fresh(transaction, &mailbox, key)?;
            self.rows
                .move_cursor(transaction, &mut mailbox, key, cursor)?;
            self.tidy(transaction, &mut mailbox, key);
            self.metrics.expired.inc_by(mailbox.cursor - before);
        }
        self.cache.insert(user.clone(), mailbox);
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
                let is_expired = is_expired(row.stamp, self.now, &self.settings);
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

/// Where messages and mailboxes are kept.
#[derive(Debug)]
struct Rows {
    mailboxes: Keyspace,
    letters: Keyspace,
    /// Lent to whom writes a row.
    value: Vec<u8>,
}

impl Rows {
    fn load(&self, transaction: &Transaction<'_>, key: &UserKey) -> Result<Mailbox, Trouble> {
        let mut mailbox = match transaction.get(self.mailboxes, &key.mailbox())? {
            Some(value) => Mailbox::decode(&value)?,
            None => Mailbox::NEW,
        };
        let mut scan = self.scan(transaction, key, mailbox.cursor..u64::MAX);
        let Some(last) = scan.next_back().transpose()? else {
            return Ok(mailbox);
        };
        let row = LetterRow::decode(&last.1)?;
        mailbox.end = position(&last.0)? + 1;
        mailbox.bytes_before_end = row.bytes_before + row.body.len() as u64;
        let front = scan.next().transpose()?.unwrap_or(last);
        let row = LetterRow::decode(&front.1)?;
        mailbox.cursor = position(&front.0)?;
        mailbox.bytes_before_cursor = row.bytes_before;
        mailbox.front = row.stamp;
        Ok(mailbox)
    }

    /// Newest first in the database, oldest first in what is returned.
    fn latest(
        &self,
        transaction: &Transaction<'_>,
        mailbox: &Mailbox,
        key: &UserKey,
        since: Stamp,
    ) -> Result<Vec<Stored>, Trouble> {
        let mut latest = Vec::new();
        if mailbox.is_empty() {
            return Ok(latest);
        }
        let scan = self.scan(transaction, key, mailbox.cursor..mailbox.end);
        for entry in scan.rev() {
            let (place, value) = entry?;
            let row = LetterRow::decode(&value)?;
            if row.stamp >= since {
                latest.push(row.stored(position(&place)?)?);
            } else if row.stamp.0.saturating_add(DISORDER_US) < since.0 {
                break;
            }
            if latest.len() == OPEN_IDENTITIES_MAX {
                break;
            }
        }
        latest.reverse();
        Ok(latest)
    }

    /// Shows messages, which are all there, until told `false`.
    fn visit(
        &self,
        transaction: &Transaction<'_>,
        key: &UserKey,
        places: Range<u64>,
        mut show: impl FnMut(u64, LetterRow<'_>) -> Result<bool, Damaged>,
    ) -> Result<(), Trouble> {
        if places.end - places.start <= GETS_MAX {
            for place in places {
                let value = self.letter(transaction, key, place)?;
                if !show(place, LetterRow::decode(&value)?)? {
                    break;
                }
            }
            return Ok(());
        }
        for entry in self.scan(transaction, key, places) {
            let (place, value) = entry?;
            if !show(position(&place)?, LetterRow::decode(&value)?)? {
                break;
            }
        }
        Ok(())
    }

    fn letter(
        &self,
        transaction: &Transaction<'_>,
        key: &UserKey,
        place: u64,
    ) -> Result<Slice, Trouble> {
        let value = transaction.get(self.letters, &key.letter(place))?;
        Ok(value.ok_or(Damaged("a message"))?)
    }

    fn scan(&self, transaction: &Transaction<'_>, key: &UserKey, places: Range<u64>) -> Scan {
        transaction.range(
            self.letters,
            key.letter(places.start)..key.letter(places.end),
        )
    }

    /// At the mailbox's end.
    fn put_letter(
        &mut self,
        transaction: &mut Transaction<'_>,
        mailbox: &Mailbox,
        key: &UserKey,
        letter: &Letter,
    ) {
        letter::encode(letter, mailbox.bytes_before_end, &mut self.value);
        transaction.put(self.letters, &key.letter(mailbox.end), &self.value);
    }

    fn put_mailbox(&mut self, transaction: &mut Transaction<'_>, mailbox: &Mailbox, key: &UserKey) {
        mailbox.encode(&mut self.value);
        transaction.put(self.mailboxes, &key.mailbox(), &self.value);
    }

    /// Forward, at most to the end.
    fn move_cursor(
        &self,
        transaction: &Transaction<'_>,
        mailbox: &mut Mailbox,
        key: &UserKey,
        cursor: u64,
    ) -> Result<(), Trouble> {
        if cursor == mailbox.end {
            mailbox.bytes_before_cursor = mailbox.bytes_before_end;
        } else {
            let value = self.letter(transaction, key, cursor)?;
            let row = LetterRow::decode(&value)?;
            mailbox.bytes_before_cursor = row.bytes_before;
            mailbox.front = row.stamp;
        }
        mailbox.cursor = cursor;
        Ok(())
    }

    /// Removes messages before the cursor, and writes down what is so now.
    /// Returns how many it removed.
    fn purge(
        &mut self,
        transaction: &mut Transaction<'_>,
        mailbox: &mut Mailbox,
        key: &UserKey,
    ) -> u64 {
        let from = mailbox.first;
        mailbox.first = mailbox.cursor.min(from + PURGED_MAX);
        for place in from..mailbox.first {
            transaction.remove(self.letters, &key.letter(place));
        }
        self.put_mailbox(transaction, mailbox, key);
        mailbox.first - from
    }
}

fn position(key: &[u8]) -> Result<u64, Damaged> {
    key::position(key).ok_or(Damaged("a message"))
}
