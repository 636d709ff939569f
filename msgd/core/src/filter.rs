//! The hook that may refuse a message before it goes on its way.

use std::fmt;

use proto::ids::UserId;
use proto::link::Recipient;
use smol_str::SmolStr;

/// Looks at each message of the shard's users, once per sending.
///
/// It runs on the path of every message: it must not block.
pub trait Filter: fmt::Debug + Send {
    /// Passes the message, or says in words why not (at most
    /// [`proto::limits::TEXT_BYTES_MAX`] bytes).
    fn check(&self, from: &UserId, to: &Recipient, body: &[u8]) -> Result<(), SmolStr>;
}

/// Refuses bodies that contain one of its words.
///
/// Words are compared bytewise with ASCII letters folded, so it serves plain
/// text; a cluster whose clients encrypt needs none.
#[derive(Debug)]
pub struct WordList {
    words: Vec<Vec<u8>>,
}

impl WordList {
    /// Takes the words; empty ones are left out.
    pub fn new<'a>(words: impl IntoIterator<Item = &'a str>) -> Self {
        let fold = |word: &str| word.trim().to_ascii_lowercase().into_bytes();
        Self {
            words: words
                .into_iter()
                .map(fold)
                .filter(|word| !word.is_empty())
                .collect(),
        }
    }
}

impl Filter for WordList {
    fn check(&self, _from: &UserId, _to: &Recipient, body: &[u8]) -> Result<(), SmolStr> {
        let folded = body.to_ascii_lowercase();
        let found = |word: &Vec<u8>| folded.windows(word.len()).any(|window| window == word);
        if self.words.iter().any(found) {
            return Err(SmolStr::new_static(
                "the message holds a word that is not allowed",
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_word_is_refused_in_any_case() {
        let list = WordList::new(["Darn", " ", ""]);
        let ann = UserId::new("ann").unwrap();
        let ben = Recipient::User(UserId::new("ben").unwrap());
        assert!(list.check(&ann, &ben, b"well, dARN it").is_err());
        assert!(list.check(&ann, &ben, b"well").is_ok());
        assert!(list.check(&ann, &ben, b"").is_ok());
    }
}
