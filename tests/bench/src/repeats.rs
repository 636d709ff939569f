//! Deliveries that are not the first of their message: which a restart
//! explains, and which nothing does.
//!
//! Owns when messages came, and when parts of the cluster were gone. Must not
//! know clients.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::ledger::MessageNumber;

/// What came so shortly before a part went may come again: its acknowledgement
/// may not have been seen, or was not yet on the disk. And who is back needs
/// as long to be told what they have.
const GRACE: Duration = Duration::from_secs(5);

/// The repeats of one run.
#[derive(Default)]
pub struct Repeats {
    /// When a message first came, by number; 16 bytes each.
    came_at: Vec<Option<Instant>>,
    written_again: HashSet<usize>,
    /// From when to when something was gone; the last may not be over.
    restarts: Vec<(Instant, Option<Instant>)>,
    explained: u64,
    unexplained: u64,
}

impl Repeats {
    /// A part is about to go.
    pub fn restart_begins(&mut self, now: Instant) {
        self.restarts.push((now, None));
    }

    /// It is back.
    pub fn restart_ends(&mut self, now: Instant) {
        if let Some((_, end)) = self.restarts.last_mut() {
            *end = Some(now);
        }
    }

    /// A message was written to the server once more.
    pub fn written_again(&mut self, number: MessageNumber) {
        self.written_again.insert(number.index());
    }

    /// A message came for the first time.
    pub fn came(&mut self, number: MessageNumber, now: Instant) {
        let at = number.index();
        if self.came_at.len() <= at {
            self.came_at.resize(at + 1, None);
        }
        self.came_at[at] = Some(now);
    }

    /// A message came once more.
    pub fn came_again(&mut self, number: MessageNumber) {
        if self.is_explained(number) {
            self.explained += 1;
        } else {
            self.unexplained += 1;
        }
    }

    fn is_explained(&self, number: MessageNumber) -> bool {
        if self.written_again.contains(&number.index()) {
            return true;
        }
        let Some(Some(came)) = self.came_at.get(number.index()) else {
            return false;
        };
        let around = |(begin, end): &(Instant, Option<Instant>)| {
            *came + GRACE >= *begin && end.is_none_or(|end| *came <= end + GRACE)
        };
        self.restarts.iter().any(around)
    }

    /// Repeats of what was written again, or came around a restart.
    pub fn explained(&self) -> u64 {
        self.explained
    }

    /// All others.
    pub fn unexplained(&self) -> u64 {
        self.unexplained
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;

    #[test]
    fn only_what_a_restart_explains_may_come_again() {
        let mut ledger = Ledger::new(5);
        let numbers = [0; 5].map(|_| ledger.start(1, 0).unwrap());
        let [early, before, within, after, rewritten] = numbers;
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let mut repeats = Repeats::default();
        repeats.restart_begins(at(100));
        repeats.restart_ends(at(110));
        for (number, secs) in [
            (early, 94),
            (before, 96),
            (within, 105),
            (after, 116),
            (rewritten, 50),
        ] {
            repeats.came(number, at(secs));
        }
        repeats.written_again(rewritten);
        let explained = numbers.map(|number| repeats.is_explained(number));
        assert_eq!(explained, [false, true, true, false, true]);
        for number in numbers {
            repeats.came_again(number);
        }
        assert_eq!((repeats.explained(), repeats.unexplained()), (3, 2));
        // While it is gone, all that comes may come again.
        repeats.restart_begins(at(120));
        assert!(repeats.is_explained(after));
    }
}
