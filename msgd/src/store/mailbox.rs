//! What is known of a mailbox without its messages.
//!
//! Owns the counts, the bounds and the row of one mailbox. Must not know where
//! rows are kept.

use msgd_core::store::{MailboxSettings, Seen};
use proto::ids::{Incarnation, Stamp};

use super::row::{Damaged, Fields, put_number};

/// A mailbox. Positions count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mailbox {
    /// Rows before this one are removed.
    pub(super) first: u64,
    /// The first that is not acknowledged.
    pub(super) cursor: u64,
    /// Where the next append goes.
    pub(super) end: u64,
    /// Bytes of all bodies ever appended before the cursor.
    pub(super) bytes_before_cursor: u64,
    /// Bytes of all bodies ever appended.
    pub(super) bytes_before_end: u64,
    /// The stamp of the message at the cursor, if there is one.
    pub(super) front: Stamp,
    /// When the user was last there.
    pub(super) seen: Option<Seen>,
}

impl Mailbox {
    /// Nothing was ever in it.
    pub(super) const NEW: Self = Self {
        first: 1,
        cursor: 1,
        end: 1,
        bytes_before_cursor: 0,
        bytes_before_end: 0,
        front: Stamp(0),
        seen: None,
    };

    pub(super) fn is_empty(&self) -> bool {
        self.cursor == self.end
    }

    pub(super) fn fits(&self, body_bytes: u64, settings: &MailboxSettings) -> bool {
        let bytes = self.bytes_before_end - self.bytes_before_cursor;
        self.end - self.cursor < settings.messages_max && bytes + body_bytes <= settings.bytes_max
    }

    pub(super) fn append(&mut self, stamp: Stamp, body_bytes: u64) {
        if self.is_empty() {
            self.front = stamp;
        }
        self.end += 1;
        self.bytes_before_end += body_bytes;
    }

    /// Whether the message at the cursor is older than allowed.
    pub(super) fn has_expired(&self, now: Option<Stamp>, settings: &MailboxSettings) -> bool {
        !self.is_empty() && is_expired(self.front, now, settings)
    }

    /// The row, if messages follow they tell the rest.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        put_number(self.first, out);
        put_number(self.cursor, out);
        put_number(self.bytes_before_cursor, out);
        match self.seen {
            None => out.push(0),
            Some(Seen::Here(shard)) => {
                out.push(1);
                put_number(shard.0, out);
            }
            Some(Seen::At(stamp)) => {
                out.push(2);
                put_number(stamp.0, out);
            }
        }
    }

    /// A mailbox that ends at its cursor.
    pub(super) fn decode(value: &[u8]) -> Result<Self, Damaged> {
        let mut fields = Fields::new("a mailbox", value);
        let first = fields.number()?;
        let cursor = fields.number()?;
        let bytes = fields.number()?;
        let seen = match fields.byte()? {
            0 => None,
            1 => Some(Seen::Here(Incarnation(fields.number()?))),
            2 => Some(Seen::At(Stamp(fields.number()?))),
            _ => return Err(fields.damaged()),
        };
        if first == 0 || cursor < first {
            return Err(fields.damaged());
        }
        Ok(Self {
            first,
            cursor,
            end: cursor,
            bytes_before_cursor: bytes,
            bytes_before_end: bytes,
            front: Stamp(0),
            seen,
        })
    }
}

/// Whether a stamp is older than allowed.
pub(super) fn is_expired(stamp: Stamp, now: Option<Stamp>, settings: &MailboxSettings) -> bool {
    let age_max = u64::try_from(settings.age_max.as_micros()).unwrap_or(u64::MAX);
    now.is_some_and(|now| stamp.0.saturating_add(age_max) < now.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_the_mailbox_back() {
        for seen in [
            None,
            Some(Seen::Here(Incarnation(7))),
            Some(Seen::At(Stamp(1_795_000_000_000_000))),
        ] {
            let mailbox = Mailbox {
                first: 3,
                cursor: 9,
                end: 9,
                bytes_before_cursor: 4_000,
                bytes_before_end: 4_000,
                seen,
                ..Mailbox::NEW
            };
            let mut row = Vec::new();
            mailbox.encode(&mut row);
            assert_eq!(Mailbox::decode(&row).unwrap(), mailbox);
            assert!(Mailbox::decode(&row[..row.len() - 1]).is_err());
        }
    }
}
