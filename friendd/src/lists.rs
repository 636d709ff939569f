//! Friend lists in the embedded store.
//!
//! Owns what runs on the committer thread: reads of records, and writes that
//! happen only if the stored versions are those expected. Must not know what
//! is in a list beside its version: decoding is done elsewhere, since the
//! thread is shared with mailboxes.

use friendd_core::event::RequestId;
use proto::friends::ListVersion;
use proto::ids::UserId;
use store::{Keyspace, Service, Slice, Transaction, Unreadable};

use crate::record;

/// Keeps one record per user, under the user's id.
pub(crate) struct Lists {
    pub(crate) keyspace: Keyspace,
}

/// What is asked of the store.
pub(crate) enum Request {
    Load(UserId),
    /// All of them or none.
    Save(Vec<Row>),
}

/// A record to be written in place of the one with the version `replaces`.
pub(crate) struct Row {
    pub(crate) user: UserId,
    pub(crate) replaces: ListVersion,
    pub(crate) record: Vec<u8>,
}

/// What a request is known by.
pub(crate) enum Ticket {
    Load(UserId),
    Save(RequestId),
}

/// What came of a request.
pub(crate) enum Outcome {
    /// The record of the user, if there is one.
    Found(Option<Slice>),
    Saved,
    /// Nothing was saved: these are the records of all users of the save.
    Conflict(Vec<(UserId, Option<Slice>)>),
}

impl Service for Lists {
    type Request = Request;
    type Ticket = Ticket;
    type Outcome = Outcome;

    fn execute(
        &mut self,
        request: Request,
        transaction: &mut Transaction<'_>,
    ) -> Result<Outcome, Unreadable> {
        match request {
            Request::Load(user) => Ok(Outcome::Found(
                transaction.get(self.keyspace, user.as_bytes())?,
            )),
            Request::Save(rows) => self.save(rows, transaction),
        }
    }

    fn rolled_back(&mut self) {
        // Nothing is cached here.
    }
}

impl Lists {
    fn save(
        &self,
        rows: Vec<Row>,
        transaction: &mut Transaction<'_>,
    ) -> Result<Outcome, Unreadable> {
        let mut stored = Vec::with_capacity(rows.len());
        for row in &rows {
            stored.push(transaction.get(self.keyspace, row.user.as_bytes())?);
        }
        let fits = |(row, stored): (&Row, &Option<Slice>)| match stored {
            Some(record) => record::version(record) == Ok(row.replaces),
            None => row.replaces == ListVersion(0),
        };
        if !rows.iter().zip(&stored).all(fits) {
            let users = rows.into_iter().map(|row| row.user);
            return Ok(Outcome::Conflict(users.zip(stored).collect()));
        }
        for row in rows {
            transaction.put(self.keyspace, row.user.as_bytes(), &row.record);
        }
        Ok(Outcome::Saved)
    }
}
