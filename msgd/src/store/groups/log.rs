//! What is known of a log without its entries.
//!
//! Owns where it begins and ends, and its row. Must not know where rows are
//! kept.

use msgd_core::store::LogSettings;
use proto::group::{Head, Place};
use proto::ids::{LogEpoch, Stamp};

use crate::store::fields::{Damaged, Fields, put_number};

/// The log of a group. Entries count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Log {
    /// The life that members lie under.
    pub(crate) members: u64,
    /// The life that entries lie under.
    pub(crate) life: u64,
    pub(crate) epoch: LogEpoch,
    /// Entries before this one are removed.
    pub(crate) first: u64,
    /// The last entry, whether it is there still or not.
    pub(crate) last: u64,
    /// Messages up to it.
    pub(crate) messages: u64,
    /// When it was accepted.
    pub(crate) newest: Stamp,
    /// No entry that is there is older.
    pub(crate) oldest: Stamp,
    /// The first entry by the row. Those from there to `first` are removed.
    pub(crate) written: u64,
}

impl Log {
    /// One that begins.
    pub(crate) fn new(members: u64, life: u64, epoch: LogEpoch) -> Self {
        Self {
            members,
            life,
            epoch,
            first: 1,
            last: 0,
            messages: 0,
            newest: Stamp(0),
            oldest: Stamp(0),
            written: 1,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first > self.last
    }

    /// The first entry that is kept; one more than the last if none is.
    pub(crate) fn begin(&self, settings: &LogSettings) -> u64 {
        let kept = (self.last + 1).saturating_sub(settings.log_max);
        self.first.max(kept)
    }

    pub(crate) fn end(&self) -> Place {
        Place {
            epoch: self.epoch,
            seq: self.last,
        }
    }

    pub(crate) fn head(&self) -> Head {
        Head {
            place: self.end(),
            messages: self.messages,
        }
    }

    pub(crate) fn append(&mut self, stamp: Stamp, messages: u64) {
        if self.is_empty() {
            self.oldest = stamp;
        }
        self.last += 1;
        self.messages = messages;
        self.newest = stamp;
    }

    /// The row: what the entries that follow do not tell.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.clear();
        for number in [
            self.members,
            self.life,
            self.epoch.0,
            self.first,
            self.last,
            self.messages,
            self.newest.0,
        ] {
            put_number(number, out);
        }
    }

    /// The log if no entries follow.
    pub(crate) fn decode(value: &[u8]) -> Result<Self, Damaged> {
        let mut fields = Fields::new("a log", value);
        let mut log = Self::new(
            fields.number()?,
            fields.number()?,
            LogEpoch(fields.number()?),
        );
        log.first = fields.number()?;
        log.written = log.first;
        log.last = fields.number()?;
        log.messages = fields.number()?;
        log.newest = Stamp(fields.number()?);
        match log.first {
            0 => Err(fields.damaged()),
            _ => Ok(log),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_gives_the_log_back() {
        let log = Log {
            first: 8,
            last: 7,
            messages: 5,
            newest: Stamp(1_795_000_000_000_000),
            written: 8,
            ..Log::new(3, 4, LogEpoch(9))
        };
        let mut row = Vec::new();
        log.encode(&mut row);
        assert_eq!(Log::decode(&row).unwrap(), log);
        assert!(Log::decode(&row[..row.len() - 1]).is_err());
    }
}
