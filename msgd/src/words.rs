//! The word list of a shard, which SIGHUP may replace.
//!
//! Owns the list in force and how its file is read. Must not know what a
//! message is.

use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use msgd_core::filter::{Filter, WordList};
use node::settings::sheet::{Reload, Sheet};
use proto::ids::UserId;
use proto::link::Recipient;
use smol_str::SmolStr;

/// What `words` may be.
const ALLOWED: &str = "a file of words in UTF-8, one per line";

/// A filter by words. Clones share their list; each shard has one of its own,
/// so nobody else waits for its lock but a reload.
#[derive(Clone, Default)]
pub struct Words(Arc<RwLock<Option<WordList>>>);

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Words")
    }
}

impl Words {
    /// From now on messages with one of these words are refused; without a
    /// text none is.
    pub fn replace(&self, text: Option<&str>) {
        let list = text.map(|text| WordList::new(text.lines()));
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = list;
    }
}

impl Filter for Words {
    fn check(&self, from: &UserId, to: &Recipient, body: &[u8]) -> Result<(), SmolStr> {
        // A list is replaced whole: a thread that panicked left a whole one.
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match &*list {
            Some(list) => list.check(from, to, body),
            None => Ok(()),
        }
    }
}

/// Reads the file of words, one per line; the sheet is told if that fails.
pub fn open(file: Option<&PathBuf>, sheet: &mut Sheet) -> Option<String> {
    let file = file?;
    match std::fs::read_to_string(file) {
        Ok(text) => Some(text),
        Err(error) => {
            sheet.section("");
            let value = format!("\"{}\" ({error})", file.display());
            sheet.wrong("words", value, ALLOWED);
            None
        }
    }
}

/// Puts the file's name on the sheet, under `words`.
pub fn describe(file: Option<&PathBuf>, sheet: &mut Sheet) {
    let file = file.map(|file| format!("\"{}\"", file.display()));
    sheet.optional("words", file, ALLOWED, Reload::Yes);
}
