//! A look at the journals before the database opens them.
//!
//! The database takes the first entry of a journal that it cannot read for the
//! end of what a crash left, and cuts off all that follows, without a word.
//! That is right for the last group, which nobody was told of; it is a silent
//! loss if a byte in the middle has changed. Groups are synced one by one, so
//! there is a difference: behind a group that a crash broke off no other one
//! begins.
//!
//! Owns how entries of a journal are laid out (fjall 3). Changes nothing.
//! Must not know what they mean.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// What fjall calls its journals: a number with this behind it.
const EXTENSION: &str = "jnl";

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const CLEAR: u8 = 4;
/// The last bytes of a group.
const TRAILER: &[u8] = b"FJL\x03";
const START_BYTES: usize = 1 + 4 + 8;
const END_BYTES: usize = 1 + 8 + TRAILER.len();
const CLEAR_BYTES: usize = 1 + 8;
/// Before key and value: tag, kind, compression, keyspace, three lengths.
const ITEM_BYTES: usize = 1 + 1 + 1 + 8 + 2 + 4 + 4;

/// What is wrong with the journals of a database.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Finding {
    /// A journal is not there: there is none, or one between two others.
    Missing,
    /// At this byte of this journal something is no entry, and groups follow.
    Damaged {
        /// The journal.
        path: PathBuf,
        /// Where the last good group ends.
        at: usize,
    },
}

/// Looks at the journals of a database. Says in the log where a crash has
/// broken off a last group.
pub(crate) fn look(database: &Path) -> io::Result<Option<Finding>> {
    let mut journals = Vec::new();
    for entry in fs::read_dir(database)? {
        let path = entry?.path();
        if path
            .extension()
            .is_none_or(|extension| extension != EXTENSION)
        {
            continue;
        }
        let number = path.file_stem().and_then(|stem| stem.to_str());
        // What has no number the database refuses itself.
        let number = number.and_then(|number| number.parse::<u64>().ok());
        journals.extend(number.map(|number| (number, path)));
    }
    journals.sort();
    let gap = journals.windows(2).any(|two| two[1].0 != two[0].0 + 1);
    if journals.is_empty() || gap {
        return Ok(Some(Finding::Missing));
    }
    for (_, path) in journals {
        let bytes = used(&path)?;
        let good = good(&bytes);
        let rest = &bytes[good..];
        if is_followed(rest) {
            return Ok(Some(Finding::Damaged { path, at: good }));
        }
        if !rest.is_empty() {
            tracing::warn!(
                journal = %path.display(),
                bytes = rest.len(),
                "the last group was broken off; nobody was told that it is stored"
            );
        }
    }
    Ok(None)
}

/// What was written to a journal; the zeros behind it are room.
fn used(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    let end = bytes.iter().rposition(|byte| *byte != 0);
    bytes.truncate(end.map_or(0, |last| last + 1));
    Ok(bytes)
}

/// The end of the last good group.
fn good(bytes: &[u8]) -> usize {
    let (mut at, mut good) = (0, 0);
    let mut in_group = false;
    while let Some(length) = entry(&bytes[at..]) {
        let tag = bytes[at];
        // A group begins once, and only inside of it is anything else.
        if (tag == START) == in_group {
            break;
        }
        in_group = tag != END;
        at += length;
        if tag == END {
            good = at;
        }
    }
    good
}

/// The length of the entry that these bytes begin with; `None`: it is none, or
/// not whole.
fn entry(bytes: &[u8]) -> Option<usize> {
    let length = match *bytes.first()? {
        START => START_BYTES,
        CLEAR => CLEAR_BYTES,
        END if bytes.get(..END_BYTES)?.ends_with(TRAILER) => END_BYTES,
        ITEM => {
            let head = bytes.get(..ITEM_BYTES)?;
            // The lengths of the key, of the value, and of that as written.
            let key = u16::from_le_bytes([head[11], head[12]]);
            let value = u32::from_le_bytes([head[17], head[18], head[19], head[20]]);
            ITEM_BYTES + usize::from(key) + value as usize
        }
        _ => return None,
    };
    (length <= bytes.len()).then_some(length)
}

/// Whether after the end of a group another one begins in here.
fn is_followed(rest: &[u8]) -> bool {
    let mut ends = rest.windows(END_BYTES + START_BYTES);
    ends.any(|bytes| {
        let (end, start) = bytes.split_at(END_BYTES);
        end[0] == END && end.ends_with(TRAILER) && start[0] == START
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(text: &[u8]) -> Vec<u8> {
        let mut bytes = vec![START, 1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0];
        bytes.extend([ITEM, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0]);
        let length = (text.len() as u32).to_le_bytes();
        bytes.extend([length, length].concat());
        bytes.extend(b"ab");
        bytes.extend(text);
        bytes.extend([END, 7, 7, 7, 7, 7, 7, 7, 7]);
        bytes.extend(TRAILER);
        bytes
    }

    fn look_at(journal: &[u8]) -> Option<Finding> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("0.jnl");
        fs::write(&path, journal).unwrap();
        let found = look(home.path()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), journal, "nothing is changed");
        found.map(|finding| match finding {
            Finding::Damaged { at, .. } => Finding::Damaged {
                path: PathBuf::new(),
                at,
            },
            Finding::Missing => Finding::Missing,
        })
    }

    #[test]
    fn whole_groups_and_one_that_is_broken_off_anywhere_are_fine() {
        let whole = [group(b"one"), group(b"two"), group(b"")].concat();
        for end in 0..=whole.len() {
            for room in [0, 1_000] {
                let journal = [&whole[..end], &vec![0; room]].concat();
                assert_eq!(look_at(&journal), None, "{end} bytes");
            }
        }
    }

    #[test]
    fn damage_before_other_groups_is_found() {
        let (one, two) = (group(b"one"), group(b"two"));
        let whole = [one.clone(), two.clone(), group(b"three"), group(b"four")].concat();
        // Tags, lengths and trailers of the second group; what is inside of
        // an item the database checks itself.
        let second = one.len();
        for at in [0, 13, 24, 30, two.len() - 13, two.len() - 1] {
            let mut journal = whole.clone();
            journal[second + at] ^= 0x55;
            let damaged = Finding::Damaged {
                path: PathBuf::new(),
                at: second,
            };
            assert_eq!(look_at(&journal), Some(damaged), "byte {at}");
        }
    }

    #[test]
    fn a_journal_that_is_not_there_is_missed() {
        let home = tempfile::tempdir().unwrap();
        assert_eq!(look(home.path()).unwrap(), Some(Finding::Missing));
        for name in ["3.jnl", "5.jnl"] {
            fs::write(home.path().join(name), b"").unwrap();
        }
        assert_eq!(look(home.path()).unwrap(), Some(Finding::Missing));
        fs::write(home.path().join("4.jnl"), b"").unwrap();
        assert_eq!(look(home.path()).unwrap(), None);
    }
}
