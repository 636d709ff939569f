//! Mailboxes of a directory, one thing after the other.
//!
//! Owns the walk through its rows: what is acknowledged is passed over. Must
//! not know where things go.

use std::collections::VecDeque;

use msgd_core::store::Seen;
use proto::ids::{Stamp, UserId};
use proto::server::Receipt;
use proto::slot::Slot;
use store::{Rows, Scan, Slice, Unreadable, Unused};
use thiserror::Error;

use super::Kept;
use crate::store::KEYSPACE;
use crate::store::alive;
use crate::store::fields::{Damaged, Trouble};
use crate::store::groups::record;
use crate::store::key::{self, Kind, UserKey};
use crate::store::letter::LetterRow;
use crate::store::mailbox::Mailbox;
use crate::store::{notes, recent};

/// Why the walk ends early. The operator must act.
#[derive(Debug, Error)]
#[error("mailboxes and groups: {0}")]
pub struct SourceError(Trouble);

impl<E: Into<Trouble>> From<E> for SourceError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// What a directory keeps of mailboxes, in the order of its keys.
pub struct Mailboxes<'a> {
    rows: Rows<'a>,
    scan: Scan,
    alive: alive::Stamps,
    user: Option<Reading>,
    ready: VecDeque<Kept>,
    ended: bool,
}

/// The user whose rows are read.
struct Reading {
    slot: Slot,
    user: UserId,
    mailbox: Mailbox,
    messages: u64,
    receipts: Vec<Receipt>,
    groups: Option<Slice>,
}

impl<'a> Mailboxes<'a> {
    /// Those of a directory; `None`: it keeps none.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn of(directory: &'a Unused) -> Result<Option<Self>, SourceError> {
        let Some(rows) = directory.rows(KEYSPACE) else {
            return Ok(None);
        };
        Ok(Some(Self {
            rows,
            scan: rows.all(),
            alive: alive::read(rows.prefix(key::ALIVE))?,
            user: None,
            ready: VecDeque::new(),
            ended: false,
        }))
    }

    fn take(&mut self, row: Result<(Slice, Slice), Unreadable>) -> Result<(), SourceError> {
        let (key, value) = row?;
        if let Some(slot) = key::recent_slot(&key).filter(|_| key.starts_with(key::RECENT)) {
            self.close();
            recent::decode(&value)?;
            self.ready.push_back(Kept::Recent { slot, row: value });
            return Ok(());
        }
        let Some((slot, user, kind)) = key::parse(&key) else {
            // The highest token and who was alive when: this directory's own.
            return match key.starts_with(key::TOKEN) || key.starts_with(key::ALIVE) {
                true => Ok(()),
                false => Err(Damaged("a key").into()),
            };
        };
        let same = |reading: &Reading| reading.slot == slot && reading.user == user;
        if !self.user.as_ref().is_some_and(same) {
            self.close();
            self.user = Some(self.begin(slot, user)?);
        }
        let (Some(reading), Kind::Letter(position)) = (&mut self.user, kind) else {
            return Ok(());
        };
        // What is acknowledged may not be removed yet.
        if position >= reading.mailbox.cursor {
            let row = LetterRow::decode(&value)?;
            reading.messages += 1;
            reading.mailbox.end = position + 1;
            self.ready.push_back(Kept::Letter {
                slot,
                user: reading.user.clone(),
                position,
                body_bytes: row.body.len() as u64,
                row: value.clone(),
            });
        }
        Ok(())
    }

    /// The rows of a user that lie behind the messages.
    fn begin(&self, slot: Slot, user: UserId) -> Result<Reading, SourceError> {
        let key = UserKey::new(slot, &user);
        let mailbox = match self.rows.get(&key.mailbox())? {
            Some(row) => Mailbox::decode(&row)?,
            None => Mailbox::NEW,
        };
        let receipts = match self.rows.get(&key.notes())? {
            Some(row) => notes::decode(&row)?,
            None => Vec::new(),
        };
        let groups = self.rows.get(&key.groups())?;
        if let Some(row) = &groups {
            record::decode_kept(row)?;
        }
        Ok(Reading {
            slot,
            user,
            mailbox,
            messages: 0,
            receipts,
            groups,
        })
    }

    /// All rows of the user are read.
    fn close(&mut self) {
        let Some(reading) = self.user.take() else {
            return;
        };
        let seen = reading.mailbox.seen;
        let seen: Option<Stamp> = seen.and_then(|seen| alive::resolve(&self.alive, seen));
        self.ready.push_back(Kept::User {
            slot: reading.slot,
            user: reading.user,
            messages: reading.messages,
            end: reading.mailbox.end,
            seen: seen.map(Seen::At),
            receipts: reading.receipts,
            groups: reading.groups,
        });
    }
}

impl Iterator for Mailboxes<'_> {
    type Item = Result<Kept, SourceError>;

    /// Nothing comes after an error.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(kept) = self.ready.pop_front() {
                return Some(Ok(kept));
            }
            if self.ended {
                return None;
            }
            let taken = match self.scan.next() {
                Some(row) => self.take(row),
                None => {
                    self.close();
                    self.ended = true;
                    Ok(())
                }
            };
            if let Err(error) = taken {
                self.ended = true;
                return Some(Err(error));
            }
        }
    }
}
