//! A change of two lists that have no server in common.
//!
//! Owns its bytes, from which anybody can bring it to its end: one of format,
//! 1; sixteen that are the change's alone; the second user; the edition that is
//! replaced there; then the first user's new list and the second's, each as its
//! edition and its record. What has no fixed length stands behind its length,
//! in four bytes, big endian.

use std::sync::Arc;

use proto::friends::FriendList;
use proto::ids::UserId;

use super::edition::Edition;
use crate::record;

/// The newest format written and read.
const FORMAT: u8 = 1;

/// What a change is known by.
pub(super) type Id = [u8; 16];

/// A list to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) edition: Edition,
    pub(super) record: Vec<u8>,
}

impl Written {
    pub(super) fn new(list: &Arc<FriendList>) -> Self {
        Self {
            edition: Edition::of(list),
            record: record::encode(list),
        }
    }
}

/// A change of two lists. It is pending at the first user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Intent {
    pub(super) id: Id,
    /// Comes behind the first in the order of users.
    pub(super) second: UserId,
    /// What the second's list replaces.
    pub(super) replaces: Edition,
    pub(super) new_first: Written,
    pub(super) new_second: Written,
}

impl Intent {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend(self.id);
        let parts = [
            self.second.as_bytes(),
            self.replaces.bytes(),
            self.new_first.edition.bytes(),
            &self.new_first.record,
            self.new_second.edition.bytes(),
            &self.new_second.record,
        ];
        for part in parts {
            // A record is far below that.
            bytes.extend((part.len() as u32).to_be_bytes());
            bytes.extend(part);
        }
        bytes
    }

    /// `None` if the bytes are none, or of a newer program.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (&FORMAT, rest) = bytes.split_first()? else {
            return None;
        };
        let (id, mut rest) = rest.split_first_chunk()?;
        let mut part = || {
            let (length, after) = rest.split_first_chunk()?;
            let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
            let (part, after) = after.split_at_checked(length)?;
            rest = after;
            Some(part)
        };
        let intent = Self {
            id: *id,
            second: UserId::new(part()?).ok()?,
            replaces: Edition::read(part()?)?,
            new_first: Written {
                edition: Edition::read(part()?)?,
                record: part()?.to_vec(),
            },
            new_second: Written {
                edition: Edition::read(part()?)?,
                record: part()?.to_vec(),
            },
        };
        rest.is_empty().then_some(intent)
    }
}

#[cfg(test)]
mod tests {
    use proto::friends::{FriendEntry, ListVersion, Relation};

    use super::*;

    fn list(version: u64) -> Arc<FriendList> {
        let entry = FriendEntry {
            user: UserId::new("ann").unwrap(),
            relation: Relation::Invited,
            blocked: false,
        };
        Arc::new(FriendList::new(ListVersion(version), vec![entry]).unwrap())
    }

    #[test]
    fn an_intent_comes_back_as_it_was_and_cut_it_is_none() {
        for replaces in [FriendList::nobody(), list(6)] {
            let intent = Intent {
                id: *b"sixteen bytes do",
                second: UserId::new("ben").unwrap(),
                replaces: Edition::of(&replaces),
                new_first: Written::new(&list(1)),
                new_second: Written::new(&list(7)),
            };
            let bytes = intent.encode();
            assert_eq!(&bytes[1..17], &intent.id, "where the scripts look for it");
            assert_eq!(Intent::decode(&bytes), Some(intent));
            for length in 0..bytes.len() {
                assert_eq!(Intent::decode(&bytes[..length]), None, "{length}");
            }
            assert_eq!(Intent::decode(&[&bytes[..], b"x"].concat()), None);
            assert_eq!(Intent::decode(&[b"\x02", &bytes[1..]].concat()), None);
        }
    }
}
