//! What is known of a mailbox without its messages.
//!
//! Owns the counts, the bounds and the row of one mailbox. Must not know where
//! rows are kept.

use std::time::Duration;

use msgd_core::store::{MailboxSettings, Seen};
use proto::ids::{Incarnation, Stamp};

use super::fields::{Damaged, Fields, put_number};

/// A mailbox. Positions count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mailbox {
    /// Messages before this one are removed.
    pub(crate) first: u64,
    /// The first that is not acknowledged.
    pub(crate) cursor: u64,
    /// Where the next append goes.
    pub(crate) end: u64,
    /// The cursor in the row. Messages from there to `cursor` are removed.
    pub(crate) written: u64,
    /// The message at the cursor; `None`: there is none, or nobody looked.
    pub(crate) front: Option<Front>,
    /// Bytes of all bodies ever appended.
    pub(crate) bytes_before_end: u64,
    /// When the user was last there.
    pub(crate) seen: Option<Seen>,
}

/// What is known of the message at the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Front {
    pub(crate) stamp: Stamp,
    /// Bytes of all bodies appended before it.
    pub(crate) bytes_before: u64,
}

impl Mailbox {
    /// Nothing was ever in it.
    pub(crate) const NEW: Self = Self {
        first: 1,
        cursor: 1,
        end: 1,
        written: 1,
        front: None,
        bytes_before_end: 0,
        seen: None,
    };

    pub(crate) fn is_empty(&self) -> bool {
        self.cursor == self.end
    }

    /// Whether a message fits. The front is known.
    pub(crate) fn fits(&self, body_bytes: u64, settings: &MailboxSettings) -> bool {
        let bytes = match self.front {
            Some(front) => self.bytes_before_end - front.bytes_before,
            None => 0,
        };
        self.end - self.cursor < settings.messages_max && bytes + body_bytes <= settings.bytes_max
    }

    pub(crate) fn append(&mut self, stamp: Stamp, body_bytes: u64) {
        if self.is_empty() {
            self.front = Some(Front {
                stamp,
                bytes_before: self.bytes_before_end,
            });
        }
        self.end += 1;
        self.bytes_before_end += body_bytes;
    }

    /// Moves the cursor forward, at most to the end.
    pub(crate) fn move_cursor(&mut self, cursor: u64) {
        debug_assert!((self.cursor..=self.end).contains(&cursor));
        self.cursor = cursor;
        self.front = None;
    }

    /// The row: what the messages that follow do not tell.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        put_number(self.first, out);
        put_number(self.cursor, out);
        put_number(self.bytes_before_end, out);
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

    /// The mailbox if no messages follow.
    pub(crate) fn decode(value: &[u8]) -> Result<Self, Damaged> {
        let mut fields = Fields::new("a mailbox", value);
        let first = fields.number()?;
        let cursor = fields.number()?;
        let bytes_before_end = fields.number()?;
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
            written: cursor,
            front: None,
            bytes_before_end,
            seen,
        })
    }
}

/// Whether a stamp is older than allowed.
pub(crate) fn is_expired(stamp: Stamp, now: Option<Stamp>, age_max: Duration) -> bool {
    let age_max = u64::try_from(age_max.as_micros()).unwrap_or(u64::MAX);
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
                written: 9,
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
