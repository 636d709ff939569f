//! What is known of a mailbox without its messages.
//!
//! Owns the counts, the bounds, and under which token which messages were
//! appended. Must not know commands.

use msgd_core::store::{MailboxSettings, Seen};
use proto::ids::{Incarnation, Stamp, Token};
use smallvec::{SmallVec, smallvec};

use super::keys::{POSITION_MAX, entry};
use crate::store::mailbox::Front;

/// A mailbox. Positions count from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mailbox {
    /// It was looked at under this.
    pub(super) token: Token,
    /// The first that is not acknowledged.
    pub(super) cursor: u64,
    /// Where the next append goes.
    pub(super) end: u64,
    /// The message at the cursor; `None`: there is none, or nobody looked.
    pub(super) front: Option<Front>,
    /// Bytes of all bodies ever appended; counted anew where it was empty.
    pub(super) bytes_before_end: u64,
    /// First positions with the tokens under which they were appended, from the
    /// cursor on.
    runs: SmallVec<[(u64, u64); 1]>,
    /// Whether it has a stream.
    pub(super) stream: bool,
    /// Whether receipts wait.
    pub(super) notes: bool,
    /// When the user was last there.
    pub(super) seen: Option<Seen>,
    /// It is in the queue of those that are empty.
    pub(super) queued: bool,
    /// It was used since it was queued.
    pub(super) used: bool,
}

impl Mailbox {
    /// Empty, and without a stream.
    pub(super) fn without_stream(token: Token, end: u64, seen: Option<Seen>, notes: bool) -> Self {
        Self {
            token,
            cursor: end,
            end,
            front: None,
            bytes_before_end: 0,
            runs: smallvec![],
            stream: false,
            notes,
            seen,
            queued: false,
            used: false,
        }
    }

    /// With what its stream tells: the first entry of each token, and the sum
    /// of bytes behind the last.
    pub(super) fn with_stream(
        self,
        end: u64,
        runs: SmallVec<[(u64, u64); 1]>,
        front: Option<Front>,
        bytes_before_end: u64,
    ) -> Self {
        Self {
            cursor: runs.first().map_or(end, |(position, _)| *position),
            end,
            front,
            bytes_before_end,
            runs,
            stream: true,
            ..self
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.cursor == self.end
    }

    /// Bytes of a body, about; `None`: nobody knows.
    pub(super) fn mean_bytes(&self) -> Option<u64> {
        let front = self.front?;
        let bytes = self.bytes_before_end.saturating_sub(front.bytes_before);
        Some((bytes / (self.end - self.cursor).max(1)).max(1))
    }

    /// Whether a message fits. The front is known.
    pub(super) fn fits(&self, body_bytes: u64, settings: &MailboxSettings) -> bool {
        let bytes = match self.front {
            Some(front) => self.bytes_before_end.saturating_sub(front.bytes_before),
            None => 0,
        };
        self.end - self.cursor < settings.messages_max
            && bytes.saturating_add(body_bytes) <= settings.bytes_max
    }

    pub(super) fn append(&mut self, stamp: Stamp, body_bytes: u64) {
        if self.is_empty() {
            self.front = Some(Front {
                stamp,
                bytes_before: self.bytes_before_end,
            });
        }
        if self
            .runs
            .last()
            .is_none_or(|(_, token)| *token != self.token.0)
        {
            self.runs.push((self.end, self.token.0));
        }
        self.end += 1;
        self.bytes_before_end = self.bytes_before_end.saturating_add(body_bytes);
        self.stream = true;
        self.used = true;
    }

    /// Moves the cursor forward, at most to the end; the id below which
    /// entries are acknowledged.
    pub(super) fn move_cursor(&mut self, cursor: u64) -> String {
        debug_assert!((self.cursor + 1..=self.end).contains(&cursor));
        // Above the id of the one before, and not above its own.
        let border = entry(self.token_of(cursor - 1), cursor);
        let behind = |run: &(u64, u64)| run.0 <= cursor;
        let passed = self.runs.iter().filter(|run| behind(run)).count();
        self.runs.drain(..passed.saturating_sub(1));
        if let Some(run) = self.runs.first_mut() {
            run.0 = run.0.max(cursor);
        }
        self.cursor = cursor;
        self.front = None;
        if self.is_empty() {
            self.runs.clear();
        }
        border
    }

    /// The id of the entry at a position, which is in the mailbox.
    pub(super) fn entry(&self, position: u64) -> String {
        entry(self.token_of(position), position)
    }

    fn token_of(&self, position: u64) -> u64 {
        let mut runs = self.runs.iter().rev();
        let run = runs.find(|(first, _)| *first <= position);
        run.map_or(0, |(_, token)| *token)
    }
}

/// The end of a mailbox without a stream, and when its user was last there: the
/// last position that was used, then `a` and a stamp, or `h` and an incarnation.
pub(super) fn parse_row(row: &str) -> Option<(u64, Option<Seen>)> {
    let digits = row.find(|c: char| !c.is_ascii_digit()).unwrap_or(row.len());
    let (last, seen) = row.split_at(digits);
    let last: u64 = match last {
        "" => 0,
        last => last.parse().ok()?,
    };
    let seen = match seen.split_at_checked(1) {
        None => None,
        Some(("a", stamp)) => Some(Seen::At(Stamp(stamp.parse().ok()?))),
        Some(("h", shard)) => Some(Seen::Here(Incarnation(shard.parse().ok()?))),
        Some(_) => return None,
    };
    (last <= POSITION_MAX).then(|| (last + 1, seen))
}

/// What stands in the row behind the last position.
pub(crate) fn seen_text(seen: Seen) -> String {
    match seen {
        Seen::At(stamp) => format!("a{}", stamp.0),
        Seen::Here(shard) => format!("h{}", shard.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mailbox() -> Mailbox {
        Mailbox::without_stream(Token(5), 7, None, false)
    }

    #[test]
    fn rows_tell_the_end_and_when_a_user_was_there() {
        let at = Seen::At(Stamp(12));
        assert_eq!(parse_row(""), Some((1, None)));
        assert_eq!(parse_row("41"), Some((42, None)));
        assert_eq!(parse_row(&seen_text(at)), Some((1, Some(at))));
        let here = Seen::Here(Incarnation(9));
        let row = format!("3{}", seen_text(here));
        assert_eq!(parse_row(&row), Some((4, Some(here))));
        assert_eq!(parse_row("3x4"), None);
        assert_eq!(parse_row("3a"), None);
        assert_eq!(parse_row(&u64::MAX.to_string()), None);
    }

    #[test]
    fn entries_have_the_token_that_they_were_appended_under() {
        let mut mailbox = mailbox();
        mailbox.append(Stamp(1), 10);
        mailbox.append(Stamp(2), 10);
        mailbox.token = Token(9);
        mailbox.append(Stamp(3), 10);
        mailbox.append(Stamp(4), 10);
        let entries: Vec<String> = (7..11).map(|position| mailbox.entry(position)).collect();
        assert_eq!(entries, ["5-7", "5-8", "9-9", "9-10"]);
        // Between the entries: `5-8` is below it, `9-9` is not.
        assert_eq!(mailbox.move_cursor(9), "5-9");
        assert_eq!(mailbox.runs[..], [(9, 9)]);
        assert_eq!(mailbox.move_cursor(10), "9-10");
        assert_eq!(mailbox.entry(10), "9-10");
        assert_eq!(mailbox.move_cursor(11), "9-11");
        assert!(mailbox.is_empty() && mailbox.runs.is_empty());
    }

    #[test]
    fn a_cursor_inside_a_run_keeps_its_token() {
        let mut mailbox = mailbox();
        for stamp in 1..=4 {
            mailbox.append(Stamp(stamp), 1);
        }
        assert_eq!(mailbox.move_cursor(9), "5-9");
        assert_eq!(mailbox.runs[..], [(9, 5)]);
        assert_eq!(mailbox.entry(10), "5-10");
    }
}
