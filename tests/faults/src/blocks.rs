//! Blocks, and messages that came through them.
//!
//! Owns from when to when a block held for certain. Must not know how one is
//! set.

use std::collections::HashMap;
use std::time::Instant;

use client::UserId;

/// From the acknowledgement of a block until the moment at which it began to be
/// lifted.
#[derive(Debug)]
struct Held {
    since: Instant,
    until: Option<Instant>,
}

/// The account of blocks.
#[derive(Debug, Default)]
pub struct Blocks {
    /// By who is blocked, and by whom.
    held: HashMap<(UserId, UserId), Vec<Held>>,
    set: usize,
    through: Vec<(UserId, UserId)>,
}

impl Blocks {
    /// A block was acknowledged by now.
    pub fn holds(&mut self, blocked: &UserId, by: &UserId, since: Instant) {
        let key = (blocked.clone(), by.clone());
        let held = Held { since, until: None };
        self.held.entry(key).or_default().push(held);
        self.set += 1;
    }

    /// From now on it may hold or not: it is about to be lifted.
    pub fn is_lifted(&mut self, blocked: &UserId, by: &UserId, now: Instant) {
        let key = (blocked.clone(), by.clone());
        let last = self.held.get_mut(&key).and_then(|held| held.last_mut());
        if let Some(last) = last {
            last.until.get_or_insert(now);
        }
    }

    /// A message that was handed over at `sent` was shown, or acknowledged.
    pub fn came(&mut self, from: &UserId, to: &UserId, sent: Instant, now: Instant) {
        let key = (from.clone(), to.clone());
        let held = self.held.get(&key).map_or(&[][..], Vec::as_slice);
        let through = |held: &Held| held.since < sent && held.until.is_none_or(|end| now < end);
        if held.iter().any(through) {
            self.through.push(key);
        }
    }

    /// How many blocks were acknowledged.
    pub fn set(&self) -> usize {
        self.set
    }

    /// Messages that were sent after a block was acknowledged, and came
    /// through while it held: from whom to whom.
    pub fn through(&self) -> &[(UserId, UserId)] {
        &self.through
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn only_what_was_sent_and_came_while_it_held_came_through() {
        let start = Instant::now();
        let at = |secs| start + Duration::from_secs(secs);
        let [ann, ben]: [UserId; 2] = ["ann", "ben"].map(|name| name.parse().unwrap());
        let mut blocks = Blocks::default();
        blocks.holds(&ann, &ben, at(10));
        let through = |blocks: &mut Blocks, from: &UserId, sent, came| {
            let before = blocks.through().len();
            let to = if from == &ann { &ben } else { &ann };
            blocks.came(from, to, at(sent), at(came));
            blocks.through().len() > before
        };
        assert!(!through(&mut blocks, &ann, 9, 11));
        assert!(through(&mut blocks, &ann, 11, 12));
        // The other one is not blocked.
        assert!(!through(&mut blocks, &ben, 11, 12));
        blocks.is_lifted(&ann, &ben, at(20));
        blocks.is_lifted(&ann, &ben, at(25));
        assert!(!through(&mut blocks, &ann, 11, 21));
        assert!(through(&mut blocks, &ann, 11, 19));
        assert!(!through(&mut blocks, &ann, 21, 22));
        blocks.holds(&ann, &ben, at(30));
        assert!(through(&mut blocks, &ann, 31, 32));
        assert_eq!(blocks.set(), 2);
    }
}
