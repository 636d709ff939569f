//! The rows of mailboxes and their messages in the database.
//!
//! Owns how a mailbox is put together from them and how they are removed. Must
//! not know bounds and ages.

use std::ops::Range;

use msgd_core::store::{Letter, OPEN_IDENTITIES_MAX, Stored};
use proto::ids::Stamp;
use store::{Keyspace, Scan, Slice, Transaction};

use super::fields::{Damaged, Trouble};
use super::key::{self, UserKey};
use super::letter::{self, LetterRow};
use super::mailbox::Mailbox;

/// Messages removed by one request at most. The next one goes on.
pub(super) const PURGED_MAX: u64 = 1_024;
/// Positions that a cursor moves before the row says so. Who finds the row
/// skips so many removed messages.
const UNWRITTEN_MAX: u64 = 64;
/// Messages that are read one by one: a scan costs as much as some of them to
/// begin with.
const GETS_MAX: u64 = 8;
/// Stamps are of many shards, so those in a mailbox are not quite in order:
/// how much older than wanted one must be for all before it to be so too.
const DISORDER_US: u64 = 60_000_000;

/// Where messages and mailboxes are kept.
#[derive(Debug)]
pub(super) struct Rows {
    keyspace: Keyspace,
    /// Lent to whom writes a row.
    value: Vec<u8>,
}

impl Rows {
    pub(super) fn new(keyspace: Keyspace) -> Self {
        Self {
            keyspace,
            value: Vec::new(),
        }
    }

    pub(super) fn load(
        &self,
        transaction: &Transaction<'_>,
        key: &UserKey,
    ) -> Result<Mailbox, Trouble> {
        let mut mailbox = match transaction.get(self.keyspace, &key.mailbox())? {
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
        mailbox.front = Some(LetterRow::decode(&front.1)?.front());
        // Further than the row says, if not every move was written.
        mailbox.cursor = position(&front.0)?;
        mailbox.first = match mailbox.first == mailbox.written {
            true => mailbox.cursor,
            false => mailbox.first,
        };
        Ok(mailbox)
    }

    /// Newest first in the database, oldest first in what is returned.
    pub(super) fn latest(
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
    pub(super) fn visit(
        &self,
        transaction: &Transaction<'_>,
        key: &UserKey,
        places: Range<u64>,
        mut show: impl FnMut(u64, LetterRow<'_>) -> Result<bool, Damaged>,
    ) -> Result<(), Trouble> {
        if places.end <= places.start.saturating_add(GETS_MAX) {
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
        let value = transaction.get(self.keyspace, &key.letter(place))?;
        Ok(value.ok_or(Damaged("a message"))?)
    }

    fn scan(&self, transaction: &Transaction<'_>, key: &UserKey, places: Range<u64>) -> Scan {
        transaction.range(
            self.keyspace,
            key.letter(places.start)..key.letter(places.end),
        )
    }

    /// At the mailbox's end.
    pub(super) fn put_letter(
        &mut self,
        transaction: &mut Transaction<'_>,
        mailbox: &Mailbox,
        key: &UserKey,
        letter: &Letter,
    ) {
        letter::encode(letter, mailbox.bytes_before_end, &mut self.value);
        transaction.put(self.keyspace, &key.letter(mailbox.end), &self.value);
    }

    pub(super) fn put_mailbox(
        &mut self,
        transaction: &mut Transaction<'_>,
        mailbox: &mut Mailbox,
        key: &UserKey,
    ) {
        mailbox.written = mailbox.cursor;
        mailbox.encode(&mut self.value);
        transaction.put(self.keyspace, &key.mailbox(), &self.value);
    }

    /// Looks at the message at the cursor, if there is one and nobody did
    /// before.
    pub(super) fn look_at_front(
        &self,
        transaction: &Transaction<'_>,
        mailbox: &mut Mailbox,
        key: &UserKey,
    ) -> Result<bool, Trouble> {
        if mailbox.is_empty() || mailbox.front.is_some() {
            return Ok(false);
        }
        let value = self.letter(transaction, key, mailbox.cursor)?;
        mailbox.front = Some(LetterRow::decode(&value)?.front());
        Ok(true)
    }

    /// Removes messages before the cursor; how many. Writes the row if it would
    /// mislead whoever finds it: messages are there before the cursor or none
    /// are, or many removed ones lie between.
    pub(super) fn purge(
        &mut self,
        transaction: &mut Transaction<'_>,
        mailbox: &mut Mailbox,
        key: &UserKey,
    ) -> u64 {
        let from = mailbox.first;
        mailbox.first = mailbox.cursor.min(from + PURGED_MAX);
        for place in from..mailbox.first {
            transaction.remove(self.keyspace, &key.letter(place));
        }
        let is_found = mailbox.first == mailbox.cursor && !mailbox.is_empty();
        if !is_found || mailbox.cursor - mailbox.written >= UNWRITTEN_MAX {
            self.put_mailbox(transaction, mailbox, key);
        }
        mailbox.first - from
    }
}

fn position(key: &[u8]) -> Result<u64, Damaged> {
    key::position(key).ok_or(Damaged("a message"))
}
