//! The row of a message.
//!
//! Owns its layout: bytes of bodies before it, stamp, fingerprint, id, sender,
//! body. The recipient and the position are in the key.

use bytes::Bytes;
use msgd_core::store::{Letter, Position, Stored};
use proto::ids::{MessageId, Stamp, UserId};
use proto::link::Message;

use super::fields::{Damaged, Fields, put_id, put_number};
use super::mailbox::Front;

/// A row as it lies in the database.
#[derive(Debug)]
pub(crate) struct LetterRow<'a> {
    /// Bytes of all bodies that were appended to the mailbox before.
    pub(crate) bytes_before: u64,
    pub(crate) stamp: Stamp,
    fingerprint: u64,
    id: MessageId,
    from: &'a [u8],
    pub(crate) body: &'a [u8],
}

pub(crate) fn encode(letter: &Letter, bytes_before: u64, out: &mut Vec<u8>) {
    let message = &letter.message;
    out.clear();
    put_number(bytes_before, out);
    put_number(message.stamp.0, out);
    put_number(letter.fingerprint, out);
    out.extend_from_slice(message.id.as_bytes());
    put_id(message.from.as_bytes(), out);
    out.extend_from_slice(&message.body);
}

impl<'a> LetterRow<'a> {
    pub(crate) fn decode(value: &'a [u8]) -> Result<Self, Damaged> {
        let mut fields = Fields::new("a message", value);
        Ok(Self {
            bytes_before: fields.number()?,
            stamp: Stamp(fields.number()?),
            fingerprint: fields.number()?,
            id: MessageId::from_bytes(fields.array()?),
            from: fields.id()?,
            body: fields.rest(),
        })
    }

    /// What it is as the first of its mailbox.
    pub(crate) fn front(&self) -> Front {
        Front {
            stamp: self.stamp,
            bytes_before: self.bytes_before,
        }
    }

    pub(crate) fn letter(&self, to: &UserId) -> Result<Letter, Damaged> {
        Ok(Letter {
            message: Message {
                from: self.from()?,
                id: self.id,
                to: to.clone(),
                stamp: self.stamp,
                body: Bytes::copy_from_slice(self.body),
            },
            fingerprint: self.fingerprint,
        })
    }

    pub(crate) fn stored(&self, position: u64) -> Result<Stored, Damaged> {
        Ok(Stored {
            position: Position(position),
            from: self.from()?,
            id: self.id,
            stamp: self.stamp,
            fingerprint: self.fingerprint,
        })
    }

    fn from(&self) -> Result<UserId, Damaged> {
        UserId::new(self.from).map_err(|_| Damaged("a message"))
    }
}
