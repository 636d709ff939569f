//! Friend lists of a directory, as they go into a Redis.
//!
//! Owns which record becomes which fields: the list is the same, its edition
//! stands beside it. Must not know when that is done.

use std::sync::Arc;

use proto::ids::{IdError, UserId};
use shared::transfer::{Step, Thing};
use shared::{Command, Value};
use store::{Slice, Unreadable, Unused};
use thiserror::Error;

use crate::friendd::KEYSPACE;
use crate::record::{self, RecordError};
use crate::redis::edition::Edition;
use crate::redis::script::{KEYS, key};

/// Why the walk ends early. The operator must act.
#[derive(Debug, Error)]
#[error("friend lists: {0}")]
pub struct SourceError(Trouble);

#[derive(Debug, Error)]
enum Trouble {
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
    #[error("no user has this key: {0}")]
    User(#[from] IdError),
    #[error(transparent)]
    Record(#[from] RecordError),
}

/// The friend list of a user.
#[derive(Debug)]
pub struct Kept {
    user: UserId,
    edition: Edition,
    record: Slice,
    entries: usize,
}

impl Kept {
    /// How many users are on it.
    pub fn entries(&self) -> usize {
        self.entries
    }
}

/// The friend lists of a directory; `None`: it keeps none.
pub fn lists(
    directory: &Unused,
) -> Option<impl Iterator<Item = Result<Kept, SourceError>> + use<'_>> {
    let rows = directory.rows(KEYSPACE)?.all();
    Some(rows.map(|row| kept(row).map_err(SourceError)))
}

fn kept(row: Result<(Slice, Slice), Unreadable>) -> Result<Kept, Trouble> {
    let (key, record) = row?;
    let user = UserId::new(&key[..])?;
    let list = Arc::new(record::decode(&record)?);
    Ok(Kept {
        user,
        edition: Edition::of(&list),
        record,
        entries: list.entries().len(),
    })
}

impl Thing for Kept {
    fn name(&self) -> String {
        format!("the friend list of {}", self.user)
    }

    fn bytes(&self) -> usize {
        self.record.len()
    }

    fn writes(&self) -> Vec<Step> {
        let write = Command::write("HSET", key(&self.user))
            .arg("edition")
            .arg(self.edition.bytes())
            .arg("list")
            .arg(&self.record[..]);
        // Whoever has one already is in another directory too.
        vec![(write, Value::Int(2))]
    }

    fn looks(&self) -> Vec<Step> {
        let look = Command::read("HMGET", key(&self.user));
        let look = look.arg("edition").arg("list").arg("pending");
        let text = |bytes: &[u8]| Value::BulkString(bytes.to_vec());
        let found = vec![text(self.edition.bytes()), text(&self.record), Value::Nil];
        vec![(look, Value::Array(found))]
    }
}

/// Whether a key is that of a friend list.
pub fn is_list(key: &[u8]) -> bool {
    key.starts_with(KEYS.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_lists_are_told_from_others() {
        assert!(is_list(key(&UserId::new("ann").unwrap()).as_bytes()));
        assert!(!is_list(b"im:{12}:users"));
    }
}
