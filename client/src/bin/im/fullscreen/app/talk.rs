//! One conversation, as far as this session has seen it.
//!
//! Owns its entries, their bounds, and what of them was not looked at. Must not
//! know the screen. What this user wrote on another device is an entry from
//! [`Source::Own`] too.

use std::collections::VecDeque;
use std::time::Instant;

use client::{Code, DeviceId, Stamp, UserId};
use jiff::civil::DateTime;

use super::composer::Composer;
use crate::friendly;
use crate::fullscreen::text::{clean, clean_line};
use crate::notice::{Mark, Sent};

/// The most entries of a conversation that are kept; the oldest goes first.
pub const ENTRIES_MAX: usize = 1_000;

/// The most bytes of text in them.
pub const BYTES_MAX: usize = 1024 * 1024;

/// Whose an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The peer wrote it.
    Theirs,
    /// Somebody in a group wrote it, this user on another device perhaps.
    Member { from: UserId, mentions_me: bool },
    /// This user wrote it.
    Own(Delivery),
    /// This program tells something.
    Notice,
}

/// How far an own message came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// It has a number of this program's only.
    Waiting(u64),
    /// It is on its way.
    Underway(Sent),
    /// What became of it.
    Marked(Sent, Mark),
    /// It was not taken.
    NotSent(String),
}

impl Delivery {
    /// What stands beside the message.
    pub fn label(&self) -> String {
        match self {
            Self::Waiting(_) | Self::Underway(_) => "on its way".into(),
            Self::NotSent(text) => format!("not sent: {}", clean_line(text)),
            Self::Marked(_, Mark::Stored) => "stored".into(),
            Self::Marked(_, Mark::Logged(_)) => "sent".into(),
            Self::Marked(_, Mark::Delivered(_)) => "delivered".into(),
            Self::Marked(_, Mark::Read) => "read".into(),
            Self::Marked(_, Mark::Rejected { code, text }) => {
                format!("refused: {}", clean_line(&friendly::told(*code, text)))
            }
            Self::Marked(sent, Mark::Unknown { code }) => match code {
                Code::FateUnknown => format!(
                    "201 it may not have arrived: /again {} sends it again; it is shown once",
                    sent.number
                ),
                code => format!("it may not have arrived: {}", friendly::told(*code, "")),
            },
        }
    }

    /// Whether somebody should do something about it.
    pub fn is_trouble(&self) -> bool {
        match self {
            Self::Waiting(_) | Self::Underway(_) => false,
            Self::NotSent(_) => true,
            Self::Marked(_, mark) => {
                matches!(mark, Mark::Rejected { .. } | Mark::Unknown { .. })
            }
        }
    }
}

/// One thing that was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counted in this conversation: from 1, and below that what was there before.
    pub serial: i64,
    /// When, by the clock on the wall.
    pub at: DateTime,
    pub source: Source,
    /// Harmless already.
    pub text: String,
}

/// Which row stands at the bottom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// The newest, whatever comes.
    #[default]
    Newest,
    /// A row of an entry.
    At { serial: i64, row: usize },
}

/// One conversation.
#[derive(Debug, Default)]
pub struct Talk {
    entries: VecDeque<Entry>,
    bytes: usize,
    last: i64,
    pub composer: Composer,
    pub place: Place,
    /// Messages that were not looked at.
    pub unread: usize,
    /// The first entry that was new when the conversation was opened.
    pub new_from: Option<i64>,
    /// The newest stamp that was not looked at.
    unlooked: Option<Stamp>,
    /// Until then the peer counts as typing.
    pub typing_until: Option<Instant>,
    /// Who it is, in a group.
    pub typing_by: Option<UserId>,
    /// The first and the last entry of a group's log that are here.
    pub held: Option<(u64, u64)>,
    /// What was there before was asked for.
    pub is_fetched: bool,
    /// This user types here on another device, until then.
    pub typing_elsewhere: Option<(DeviceId, Instant)>,
    /// Larger for what was used later.
    pub used: u64,
}

impl Talk {
    pub fn entries(&self) -> &VecDeque<Entry> {
        &self.entries
    }

    /// Another entry at the end.
    pub fn push(&mut self, at: DateTime, source: Source, text: &str) {
        self.last += 1;
        let serial = self.last;
        let text = clean(text);
        self.bytes += text.len();
        let entry = Entry {
            serial,
            at,
            source,
            text,
        };
        self.entries.push_back(entry);
        while self.entries.len() > 1 && (self.entries.len() > ENTRIES_MAX || self.bytes > BYTES_MAX)
        {
            let oldest = self.entries.pop_front();
            self.bytes -= oldest.map_or(0, |entry| entry.text.len());
        }
    }

    /// An entry of a group's log that was there before the first one here. The
    /// newer ones are kept, within the bounds.
    pub fn push_before(&mut self, at: DateTime, source: Source, text: &str) {
        let text = clean(text);
        let bytes = self.bytes + text.len();
        if self.entries.len() >= ENTRIES_MAX || bytes > BYTES_MAX {
            return;
        }
        self.bytes = bytes;
        let first = self.entries.front().map(|first| first.serial);
        let serial = first.unwrap_or(self.last + 1) - 1;
        self.entries.push_front(Entry {
            serial,
            at,
            source,
            text,
        });
    }

    /// An entry of a group's log comes; `false`: it is here.
    pub fn holds_now(&mut self, seq: u64) -> bool {
        let held = self.held.get_or_insert((seq, seq - 1));
        let is_new = seq > held.1;
        held.1 = held.1.max(seq);
        is_new
    }

    /// Likewise with one from before.
    pub fn holds_then(&mut self, seq: u64) -> bool {
        let held = self.held.get_or_insert((seq + 1, seq));
        let is_new = seq < held.0;
        held.0 = held.0.min(seq);
        is_new
    }

    /// A message of the peer came.
    pub fn received(&mut self, at: DateTime, stamp: Stamp, text: &str, is_looked_at: bool) {
        self.unlooked = Some(stamp.max(self.unlooked.unwrap_or_default()));
        self.heard(at, Source::Theirs, text, is_looked_at);
    }

    /// Somebody else's message came.
    pub fn heard(&mut self, at: DateTime, source: Source, text: &str, is_looked_at: bool) {
        self.push(at, source, text);
        self.typing_until = None;
        if !is_looked_at {
            if self.unread == 0 {
                self.new_from = Some(self.last);
            }
            self.unread += 1;
        }
    }

    /// Somebody looks at the newest entries. The stamp up to which the peer's
    /// messages are read now, if that is news.
    pub fn look(&mut self) -> Option<Stamp> {
        self.unread = 0;
        self.unlooked.take()
    }

    /// This user has read the peer's messages on another device.
    pub fn read_elsewhere(&mut self, up_to: Stamp) {
        if self.unlooked.is_some_and(|newest| newest <= up_to) {
            self.unlooked = None;
            self.unread = 0;
            self.new_from = None;
        }
    }

    /// Whether somebody types here: the peer, or this user elsewhere.
    pub fn is_typed_to(&self, now: Instant) -> bool {
        let elsewhere = self.typing_elsewhere.as_ref().map(|(_, until)| *until);
        let untils = [self.typing_until, elsewhere];
        untils.into_iter().flatten().any(|until| now < until)
    }

    /// An own message was taken, or was not.
    pub fn taken(&mut self, ticket: u64, delivery: Delivery) {
        self.deliver(delivery, |known| *known == Delivery::Waiting(ticket));
    }

    /// What became of an own message.
    pub fn marked(&mut self, sent: &Sent, mark: Mark) {
        self.deliver(
            Delivery::Marked(sent.clone(), mark),
            |known| matches!(known, Delivery::Underway(s) | Delivery::Marked(s, _) if s == sent),
        );
    }

    /// An own message is to be sent again.
    pub fn again(&mut self, sent: &Sent, ticket: u64) {
        self.deliver(
            Delivery::Waiting(ticket),
            |known| matches!(known, Delivery::Marked(s, _) if s == sent),
        );
    }

    fn deliver(&mut self, delivery: Delivery, is_it: impl Fn(&Delivery) -> bool) {
        let own = self.entries.iter_mut().rev();
        let mut own = own.filter_map(|entry| match &mut entry.source {
            Source::Own(known) => Some(known),
            Source::Theirs | Source::Member { .. } | Source::Notice => None,
        });
        if let Some(known) = own.find(|known| is_it(known)) {
            *known = delivery;
        }
    }

    /// Where the entry with this number is; the oldest if it is gone.
    pub fn index(&self, serial: i64) -> usize {
        self.entries.partition_point(|entry| entry.serial < serial)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime {
        jiff::civil::date(2026, 11, 21).at(12, 0, 0, 0)
    }

    #[test]
    fn what_is_kept_has_a_bound_in_entries_and_bytes() {
        let mut talk = Talk::default();
        for _ in 0..ENTRIES_MAX + 5 {
            talk.push(noon(), Source::Theirs, "x");
        }
        assert_eq!(talk.entries().len(), ENTRIES_MAX);
        assert_eq!(talk.entries()[0].serial, 6);
        assert_eq!((talk.index(1), talk.index(7)), (0, 1));
        for _ in 0..40 {
            talk.push(noon(), Source::Theirs, &"y".repeat(64 * 1024));
        }
        assert_eq!(talk.entries().len(), BYTES_MAX / (64 * 1024));
        assert!(talk.bytes <= BYTES_MAX);
    }

    #[test]
    fn what_was_not_looked_at_is_counted_and_read_once() {
        let mut talk = Talk::default();
        talk.received(noon(), Stamp(5), "one", false);
        talk.received(noon(), Stamp(4), "two", false);
        assert_eq!((talk.unread, talk.new_from), (2, Some(1)));
        assert_eq!(talk.look(), Some(Stamp(5)));
        assert_eq!(talk.look(), None);
        talk.received(noon(), Stamp(6), "three", true);
        assert_eq!((talk.unread, talk.new_from), (0, Some(1)));
        assert_eq!(talk.look(), Some(Stamp(6)));
        talk.received(noon(), Stamp(7), "four", false);
        talk.read_elsewhere(Stamp(6));
        assert_eq!(talk.unread, 1);
        talk.read_elsewhere(Stamp(7));
        assert_eq!((talk.unread, talk.new_from), (0, None));
        assert_eq!(talk.look(), None);
    }
}
