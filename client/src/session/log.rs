//! One group's log as this client hears it.
//!
//! Owns the order: the application is told each sequence number once and
//! without a gap, or is told which ones it is not told. Must not know how
//! entries are asked for, nor what they say.

use std::collections::BTreeMap;

use proto::group::{Head, LogEntry, Place};
use proto::ids::LogEpoch;
use proto::limits::{PAGE_BYTES_MAX, PAGE_MAX};
use proto::server::History;

/// The most entries of all groups that wait for the application. One more
/// finds no room; it is asked for when there is room again.
pub(super) const HELD_MAX: usize = 4_096;

/// The most bytes in them, likewise.
const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most entries of all groups that wait for earlier ones, and their bytes;
/// others are asked for again.
const EARLY_MAX: usize = 1_024;
const EARLY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most of them in one group.
const EARLY_IN_GROUP_MAX: usize = 64;

/// If more than this is missing in a group, only the newest page is asked for.
pub(super) const MISSED_MAX: u64 = 2_000;

/// What is held of all groups, so that its sum has a bound.
#[derive(Debug, Default)]
pub(super) struct Held {
    entries: usize,
    bytes: usize,
    early: usize,
    early_bytes: usize,
}

impl Held {
    fn take(&mut self, bytes: usize) -> bool {
        let has_room = self.entries < HELD_MAX && self.bytes + bytes <= HELD_BYTES_MAX;
        if has_room {
            self.entries += 1;
            self.bytes += bytes;
        }
        has_room
    }

    /// The application has it.
    pub(super) fn release(&mut self, bytes: usize) {
        self.entries -= 1;
        self.bytes -= bytes;
    }

    fn take_early(&mut self, bytes: usize) -> bool {
        let has_room = self.early < EARLY_MAX && self.early_bytes + bytes <= EARLY_BYTES_MAX;
        if has_room {
            self.early += 1;
            self.early_bytes += bytes;
        }
        has_room
    }

    fn release_early(&mut self, bytes: usize) {
        self.early -= 1;
        self.early_bytes -= bytes;
    }

    /// Whether so many pages would find room.
    pub(super) fn fits(&self, pages: usize) -> bool {
        self.entries + pages * PAGE_MAX <= HELD_MAX
            && self.bytes + pages * PAGE_BYTES_MAX <= HELD_BYTES_MAX
    }
}

/// What the application is told of a log.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// The log began anew.
    Anew,
    /// These are not told, from the first to the last.
    Skipped(u64, u64),
    /// The next one.
    Entry(LogEntry),
}

/// Where a client stands in a log.
#[derive(Debug)]
pub(super) struct Log {
    /// As far as it is known.
    head: Head,
    /// The last entry that the application is told of, or of which it is told
    /// that it is not.
    last: u64,
    /// Entries that came before an earlier one did.
    early: BTreeMap<u64, LogEntry>,
    /// The application is to be told that it began anew.
    is_anew: bool,
    /// What is missing was asked for since it began.
    is_asked: bool,
    /// What is missing cannot be had; until something new is heard it is not
    /// asked for.
    is_in_vain: bool,
}

impl Log {
    /// What comes after this end is told.
    pub(super) fn after(head: Head) -> Self {
        Self {
            head,
            last: head.place.seq,
            early: BTreeMap::new(),
            is_anew: false,
            is_asked: false,
            is_in_vain: false,
        }
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn epoch(&self) -> LogEpoch {
        self.head.place.epoch
    }

    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Whether something is to be asked for.
    pub(super) fn is_behind(&self) -> bool {
        self.is_anew || (self.last < self.head.place.seq && !self.is_in_vain)
    }

    /// What is missing is refused.
    pub(super) fn is_refused(&mut self) {
        self.is_in_vain = true;
    }

    /// Where the log ends, by the server.
    pub(super) fn ends(&mut self, head: Head, held: &mut Held, told: &mut Vec<Told>) {
        if self.follows(head.place.epoch, held) {
            self.reaches(head.place.seq, head.messages);
            self.flush(held, told);
        }
    }

    /// An entry came by itself.
    pub(super) fn hear(
        &mut self,
        epoch: LogEpoch,
        entry: LogEntry,
        held: &mut Held,
        told: &mut Vec<Told>,
    ) {
        if self.follows(epoch, held) {
            self.reaches(entry.seq, entry.messages);
            self.flush(held, told);
            self.offer(entry, held, told);
        }
    }

    /// The answer to what [`Log::missing`] asked for.
    pub(super) fn page(&mut self, page: History, held: &mut Held, told: &mut Vec<Told>) {
        if !self.follows(page.epoch, held) {
            return;
        }
        self.flush(held, told);
        // Older ones are kept no more.
        let is_shortened = page.first > self.last + 1;
        if is_shortened && !self.skip(page.first - 1, held, told) {
            return;
        }
        let next = self.last + 1;
        // An answer to what was asked of the former log says nothing of this one.
        let is_answer = std::mem::take(&mut self.is_asked);
        let is_of_use = is_shortened || page.entries.iter().any(|entry| entry.seq == next);
        self.reaches(page.last, 0);
        for entry in page.entries {
            self.reaches(entry.seq, entry.messages);
            self.offer(entry, held, told);
        }
        self.is_in_vain = is_answer && !is_of_use;
    }

    /// After which entry the missing ones are to be asked for. Of too many only
    /// the last page is.
    pub(super) fn missing(&mut self, held: &mut Held, told: &mut Vec<Told>) -> Option<u64> {
        self.flush(held, told);
        let end = self.head.place.seq;
        if end - self.last.min(end) > MISSED_MAX {
            self.skip(end - PAGE_MAX as u64, held, told);
            self.drain(held, told);
        }
        self.is_asked = self.last < end;
        self.is_asked.then_some(self.last)
    }

    /// Lets go of everything.
    pub(super) fn forget(&mut self, held: &mut Held) {
        for entry in std::mem::take(&mut self.early).into_values() {
            held.release_early(entry.weight());
        }
    }

    /// Whether it is about this log, which begins anew for a later epoch.
    fn follows(&mut self, epoch: LogEpoch, held: &mut Held) -> bool {
        if epoch > self.head.place.epoch {
            self.forget(held);
            let place = Place { epoch, seq: 0 };
            let messages = 0;
            *self = Self::after(Head { place, messages });
            self.is_anew = true;
        }
        epoch == self.head.place.epoch
    }

    fn reaches(&mut self, seq: u64, messages: u64) {
        if seq > self.head.place.seq {
            self.head.place.seq = seq;
            self.is_in_vain = false;
        }
        self.head.messages = self.head.messages.max(messages);
    }

    fn skip(&mut self, to: u64, held: &mut Held, told: &mut Vec<Told>) -> bool {
        let has_room = !self.is_anew && held.take(0);
        if has_room {
            told.push(Told::Skipped(self.last + 1, to));
            self.last = to;
        }
        has_room
    }

    fn offer(&mut self, entry: LogEntry, held: &mut Held, told: &mut Vec<Told>) {
        if entry.seq <= self.last || self.early.contains_key(&entry.seq) {
            return;
        }
        let weight = entry.weight();
        if entry.seq == self.last + 1 && !self.is_anew {
            if held.take(weight) {
                self.last = entry.seq;
                told.push(Told::Entry(entry));
                self.drain(held, told);
            }
        } else if self.early.len() < EARLY_IN_GROUP_MAX && held.take_early(weight) {
            self.early.insert(entry.seq, entry);
        }
    }

    fn flush(&mut self, held: &mut Held, told: &mut Vec<Told>) {
        if self.is_anew && held.take(0) {
            self.is_anew = false;
            told.push(Told::Anew);
        }
        if !self.is_anew {
            self.drain(held, told);
        }
    }

    /// What waited for an earlier one that came, or is skipped.
    fn drain(&mut self, held: &mut Held, told: &mut Vec<Told>) {
        while let Some(first) = self.early.first_entry() {
            let (seq, weight) = (*first.key(), first.get().weight());
            let is_next = seq == self.last + 1;
            if seq > self.last + 1 || (is_next && !held.take(weight)) {
                return;
            }
            let entry = first.remove();
            held.release_early(weight);
            if is_next {
                self.last = seq;
                told.push(Told::Entry(entry));
            }
        }
    }
}

#[cfg(test)]
mod tests;
