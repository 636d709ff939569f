//! What happens next.
//!
//! Owns the order of events: by time, and among those of one time by the
//! order in which they were planned. Must not know what they are.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Microseconds since the world began.
pub type Time = u64;

/// One second.
pub const SECOND: Time = 1_000_000;

/// One millisecond.
pub const MS: Time = 1_000;

#[derive(Debug)]
struct Entry<S> {
    at: Time,
    serial: u64,
    step: S,
}

impl<S> PartialEq for Entry<S> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<S> Eq for Entry<S> {}

impl<S> PartialOrd for Entry<S> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<S> Ord for Entry<S> {
    /// The earliest is the greatest: the heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.serial).cmp(&(self.at, self.serial))
    }
}

/// Steps to come.
#[derive(Debug)]
pub struct Agenda<S> {
    heap: BinaryHeap<Entry<S>>,
    serial: u64,
}

impl<S> Default for Agenda<S> {
    fn default() -> Self {
        Self {
            heap: BinaryHeap::new(),
            serial: 0,
        }
    }
}

impl<S> Agenda<S> {
    /// Plans a step.
    pub fn plan(&mut self, at: Time, step: S) {
        self.serial += 1;
        let serial = self.serial;
        self.heap.push(Entry { at, serial, step });
    }

    /// Takes the next step.
    pub fn next(&mut self) -> Option<(Time, S)> {
        self.heap.pop().map(|entry| (entry.at, entry.step))
    }
}
