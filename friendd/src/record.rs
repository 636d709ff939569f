//! A friend list as it is stored.
//!
//! Owns the bytes: one byte of format, 1; eight bytes of version, big endian;
//! then for each entry one byte of id length, the id, one byte of relation
//! (0 to 3), one byte of mark (1: blocked). Must not know where they are kept.

use proto::friends::{FriendEntry, FriendList, ListError, ListVersion, Relation};
use proto::ids::{IdError, UserId};
use thiserror::Error;

/// The newest format written and read.
const FORMAT: u8 = 1;
const HEAD_BYTES: usize = 9;

/// A record that cannot be read. The operator must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum RecordError {
    /// A newer version of this program wrote it, or nothing of ours did.
    #[error("a friend list has format {0}, this program knows {FORMAT}")]
    Format(u8),
    /// It ends before it should.
    #[error("a friend list is cut short")]
    Cut,
    /// A byte has no meaning.
    #[error("a friend list has an unknown relation or mark")]
    Meaning,
    /// An entry's user is none.
    #[error("a friend list has an invalid user: {0}")]
    User(#[from] IdError),
    /// The entries are not a list.
    #[error(transparent)]
    List(#[from] ListError),
}

pub(crate) fn encode(list: &FriendList) -> Vec<u8> {
    let ids = list.entries().iter().map(|e| e.user.as_bytes().len() + 3);
    let mut record = Vec::with_capacity(HEAD_BYTES + ids.sum::<usize>());
    record.push(FORMAT);
    record.extend(list.version().0.to_be_bytes());
    for entry in list.entries() {
        let id = entry.user.as_bytes();
        // An id has at most 64 bytes.
        record.push(id.len() as u8);
        record.extend(id);
        record.push(relation_to_byte(entry.relation));
        record.push(u8::from(entry.blocked));
    }
    record
}

pub(crate) fn decode(record: &[u8]) -> Result<FriendList, RecordError> {
    let version = version(record)?;
    let mut rest = &record[HEAD_BYTES..];
    let mut entries = Vec::new();
    while !rest.is_empty() {
        let (entry, after) = decode_entry(rest)?;
        entries.push(entry);
        rest = after;
    }
    Ok(FriendList::new(version, entries)?)
}

/// The version alone, without a look at the entries.
pub(crate) fn version(record: &[u8]) -> Result<ListVersion, RecordError> {
    let (format, rest) = record.split_first().ok_or(RecordError::Cut)?;
    if *format != FORMAT {
        return Err(RecordError::Format(*format));
    }
    let version = rest.first_chunk().ok_or(RecordError::Cut)?;
    Ok(ListVersion(u64::from_be_bytes(*version)))
}

fn decode_entry(bytes: &[u8]) -> Result<(FriendEntry, &[u8]), RecordError> {
    let (len, rest) = bytes.split_first().ok_or(RecordError::Cut)?;
    let (id, rest) = rest
        .split_at_checked(usize::from(*len))
        .ok_or(RecordError::Cut)?;
    let ([relation, mark], rest) = rest.split_first_chunk().ok_or(RecordError::Cut)?;
    let entry = FriendEntry {
        user: UserId::new(id)?,
        relation: relation_from_byte(*relation)?,
        blocked: match mark {
            0 => false,
            1 => true,
            _ => return Err(RecordError::Meaning),
        },
    };
    Ok((entry, rest))
}

fn relation_to_byte(relation: Relation) -> u8 {
    match relation {
        Relation::None => 0,
        Relation::Requested => 1,
        Relation::Invited => 2,
        Relation::Friend => 3,
    }
}

fn relation_from_byte(byte: u8) -> Result<Relation, RecordError> {
    match byte {
        0 => Ok(Relation::None),
        1 => Ok(Relation::Requested),
        2 => Ok(Relation::Invited),
        3 => Ok(Relation::Friend),
        _ => Err(RecordError::Meaning),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written down so that a later program still reads it.
    const GOLDEN: &[u8] = b"\x01\0\0\0\0\0\0\x01\x02\
        \x03ann\x03\0\x03ben\0\x01\x03kim\x01\0\x03lee\x02\x01";

    #[test]
    fn a_list_comes_back_as_it_was() {
        let list = a_list();
        assert_eq!(encode(&list), GOLDEN);
        assert_eq!(decode(GOLDEN), Ok(list));
        assert_eq!(version(GOLDEN), Ok(ListVersion(258)));
        let empty = FriendList::new(ListVersion(7), Vec::new()).unwrap();
        assert_eq!(decode(&encode(&empty)), Ok(empty));
    }

    #[test]
    fn every_cut_inside_the_head_or_an_entry_is_told() {
        let whole = [9, 15, 21, 27];
        for len in 0..GOLDEN.len() {
            let cut = decode(&GOLDEN[..len]);
            if whole.contains(&len) {
                assert!(cut.is_ok(), "{len}");
            } else {
                assert_eq!(cut, Err(RecordError::Cut), "{len}");
            }
        }
    }

    #[test]
    fn what_has_no_meaning_is_told() {
        for (at, byte, error) in [
            (0, 2, RecordError::Format(2)),
            (10, b' ', RecordError::User(IdError::Byte(b' '))),
            (13, 4, RecordError::Meaning),
            (14, 2, RecordError::Meaning),
            // The second entry is a second ann.
            (16, b'a', RecordError::List(ListError::Twice)),
        ] {
            let mut record = GOLDEN.to_vec();
            record[at] = byte;
            if error == RecordError::List(ListError::Twice) {
                record[16..19].copy_from_slice(b"ann");
            }
            assert_eq!(decode(&record), Err(error));
        }
    }

    fn a_list() -> FriendList {
        let entry = |user: &str, relation, blocked| FriendEntry {
            user: UserId::new(user).unwrap(),
            relation,
            blocked,
        };
        let entries = vec![
            entry("ann", Relation::Friend, false),
            entry("ben", Relation::None, true),
            entry("kim", Relation::Requested, false),
            entry("lee", Relation::Invited, true),
        ];
        FriendList::new(ListVersion(258), entries).unwrap()
    }
}
