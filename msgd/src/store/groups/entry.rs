//! The row of an entry of a log.
//!
//! Owns its layout: stamp, messages up to it, whose it is, and either the id, the
//! fingerprint, the mentions and the body of a message, or what was done. The
//! number is in the key.

use bytes::Bytes;
use msgd_core::store::LoggedBefore;
use proto::group::{LogEntry, Logged};
use proto::ids::{MessageId, Stamp, UserId};

use super::action;
use crate::store::fields::{Damaged, Fields, put_id, put_number};

const MESSAGE: u8 = 0;
const CHANGE: u8 = 1;

/// An entry as it lies in the database, as far as all have it.
pub(crate) struct EntryRow<'a> {
    pub(crate) stamp: Stamp,
    /// Messages in the log up to here.
    pub(crate) messages: u64,
    from: &'a [u8],
    is_message: bool,
    rest: Fields<'a>,
}

pub(crate) fn encode(entry: &LogEntry, fingerprint: u64, out: &mut Vec<u8>) {
    out.clear();
    put_number(entry.stamp.0, out);
    put_number(entry.messages, out);
    put_id(entry.from.as_bytes(), out);
    match &entry.what {
        Logged::Message { id, body, mentions } => {
            out.push(MESSAGE);
            out.extend_from_slice(id.as_bytes());
            put_number(fingerprint, out);
            // At most 32.
            out.push(mentions.len() as u8);
            mentions
                .iter()
                .for_each(|user| put_id(user.as_bytes(), out));
            out.extend_from_slice(body);
        }
        Logged::Change(action) => {
            out.push(CHANGE);
            action::encode(action, out);
        }
    }
}

impl<'a> EntryRow<'a> {
    pub(crate) fn decode(value: &'a [u8]) -> Result<Self, Damaged> {
        let mut fields = Fields::new("an entry of a log", value);
        Ok(Self {
            stamp: Stamp(fields.number()?),
            messages: fields.number()?,
            from: fields.id()?,
            is_message: match fields.byte()? {
                MESSAGE => true,
                CHANGE => false,
                _ => return Err(fields.damaged()),
            },
            rest: fields,
        })
    }

    /// All of it.
    pub(crate) fn entry(mut self, seq: u64) -> Result<LogEntry, Damaged> {
        let from = self.from()?;
        let what = match self.is_message {
            true => {
                let id = MessageId::from_bytes(self.rest.array()?);
                self.rest.number()?;
                let count = self.rest.byte()?;
                let mentions = (0..count).map(|_| self.rest.user());
                let mentions = mentions.collect::<Result<_, _>>()?;
                let body = Bytes::copy_from_slice(self.rest.rest());
                Logged::Message { id, body, mentions }
            }
            false => Logged::Change(action::decode(&mut self.rest)?),
        };
        Ok(LogEntry {
            seq,
            messages: self.messages,
            stamp: self.stamp,
            from,
            what,
        })
    }

    /// Which message it is, if it is one.
    pub(crate) fn identity(mut self, seq: u64) -> Result<Option<LoggedBefore>, Damaged> {
        if !self.is_message {
            return Ok(None);
        }
        Ok(Some(LoggedBefore {
            seq,
            from: self.from()?,
            id: MessageId::from_bytes(self.rest.array()?),
            stamp: self.stamp,
            fingerprint: self.rest.number()?,
        }))
    }

    fn from(&self) -> Result<UserId, Damaged> {
        UserId::new(self.from).map_err(|_| self.rest.damaged())
    }
}
