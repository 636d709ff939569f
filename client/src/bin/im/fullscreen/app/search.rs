//! A search in a conversation.
//!
//! Owns what is looked for and which entry was found. Must not know the keys.

use super::talk::Talk;
use crate::fullscreen::text::find_all;

/// The longest text that is looked for, in bytes.
const WANTED_BYTES_MAX: usize = 256;

/// A search.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Search {
    pub wanted: String,
    /// The entry that was found.
    pub found: Option<i64>,
}

impl Search {
    /// More is looked for, from the newest entry back.
    pub fn add(&mut self, text: &str, talk: &Talk) {
        let text = text.replace(char::is_control, " ");
        if self.wanted.len() + text.len() <= WANTED_BYTES_MAX {
            self.wanted.push_str(&text);
            self.find(talk);
        }
    }

    /// Less is looked for.
    pub fn shorten(&mut self, talk: &Talk) {
        self.wanted.pop();
        self.find(talk);
    }

    fn find(&mut self, talk: &Talk) {
        self.found = None;
        self.older(talk);
    }

    /// The next older entry that has it; stays where it is at the last one.
    pub fn older(&mut self, talk: &Talk) {
        let before = self.found.unwrap_or(i64::MAX);
        let entries = talk.entries().iter().rev();
        let mut older = entries.filter(|entry| entry.serial < before);
        let found = older.find(|entry| self.is_in(&entry.text));
        self.found = found.map(|entry| entry.serial).or(self.found);
    }

    /// The next newer one, likewise.
    pub fn newer(&mut self, talk: &Talk) {
        let after = self.found.unwrap_or(i64::MAX);
        let mut newer = talk.entries().iter().filter(|entry| entry.serial > after);
        let found = newer.find(|entry| self.is_in(&entry.text));
        self.found = found.map(|entry| entry.serial).or(self.found);
    }

    fn is_in(&self, text: &str) -> bool {
        !find_all(text, &self.wanted).is_empty()
    }
}
