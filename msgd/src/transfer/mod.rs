//! Mailboxes and groups of a directory, as they go into a Redis.
//!
//! Owns which keys and rows of the one become which of the other: both keep the
//! same rows of messages, and positions stay, so a cursor is where it was. Must
//! not know when that is done.
//!
//! Messages lie in Redis under a token below all that are granted: the first
//! shard that claims a slot raises its streams above it, as after any other
//! holder. Who is said to be here was last seen when their shard was last
//! alive.

mod groups;
mod source;

use msgd_core::store::Seen;
use proto::ids::UserId;
use proto::server::Receipt;
use proto::slot::Slot;
use shared::transfer::{Step, Thing};
use shared::{Command, Value};
use store::Slice;

use crate::redis::keys::{SlotKeys, entry};
use crate::redis::mailbox::seen_text;
use crate::redis::script::{RECENT_SECONDS, note_field};

pub use groups::{Groups, OfGroup};
pub use source::{Mailboxes, SourceError};

/// Tokens that are granted are microseconds since 1970.
const TOKEN: u64 = 1;

/// Something that a directory keeps of mailboxes.
#[derive(Debug)]
pub enum Kept {
    /// A message that is not acknowledged.
    Letter {
        /// Of the recipient.
        slot: Slot,
        /// The recipient.
        user: UserId,
        /// Its place in the mailbox.
        position: u64,
        /// Bytes of its body.
        body_bytes: u64,
        /// As it is stored.
        row: Slice,
    },
    /// All else of a user, after their messages.
    User {
        /// Of the user.
        slot: Slot,
        /// Who.
        user: UserId,
        /// Messages in the mailbox.
        messages: u64,
        /// Where the next message goes.
        end: u64,
        /// When the user was last there.
        seen: Option<Seen>,
        /// For the user, who is away.
        receipts: Vec<Receipt>,
        /// The groups that the user belongs to, as they are stored.
        groups: Option<Slice>,
    },
    /// What the next holder of a slot is to know.
    Recent {
        /// Which slot.
        slot: Slot,
        /// As it is stored.
        row: Slice,
    },
}

impl Thing for Kept {
    fn name(&self) -> String {
        match self {
            Self::Letter { user, position, .. } => format!("message {position} of {user}"),
            Self::User { user, .. } => format!("the mailbox of {user}"),
            Self::Recent { slot, .. } => format!("answers of slot {slot}"),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Letter { row, .. } | Self::Recent { row, .. } => row.len(),
            Self::User {
                receipts, groups, ..
            } => {
                let groups = groups.as_ref().map_or(0, |groups| groups.len());
                receipts.len() * size_of::<Receipt>() + groups
            }
        }
    }

    fn writes(&self) -> Vec<Step> {
        match self {
            Self::Letter {
                slot,
                user,
                position,
                row,
                ..
            } => {
                let id = entry(TOKEN, *position);
                let key = SlotKeys::new(*slot).stream(user);
                let append = Command::write("XADD", key).arg(&id).arg("m").arg(&row[..]);
                vec![(append, text(id))]
            }
            Self::User { slot, .. } => self.write_user(&SlotKeys::new(*slot)),
            Self::Recent { slot, row } => {
                let keep = Command::write("SET", SlotKeys::new(*slot).recent()).arg(&row[..]);
                vec![(keep.arg("EX").arg(RECENT_SECONDS), Value::Okay)]
            }
        }
    }

    fn looks(&self) -> Vec<Step> {
        match self {
            Self::Letter {
                slot,
                user,
                position,
                row,
                ..
            } => {
                let id = entry(TOKEN, *position);
                let key = SlotKeys::new(*slot).stream(user);
                let read = Command::read("XRANGE", key).arg(&id).arg(&id);
                let fields = Value::Array(vec![text("m"), text(&row[..])]);
                let found = Value::Array(vec![text(id), fields]);
                vec![(read, Value::Array(vec![found]))]
            }
            Self::User { slot, .. } => self.look_at_user(&SlotKeys::new(*slot)),
            Self::Recent { slot, row } => {
                let read = Command::read("GET", SlotKeys::new(*slot).recent());
                vec![(read, text(&row[..]))]
            }
        }
    }
}

impl Kept {
    fn write_user(&self, keys: &SlotKeys) -> Vec<Step> {
        let Self::User {
            user,
            messages,
            receipts,
            groups,
            ..
        } = self
        else {
            return Vec::new();
        };
        let row = Command::write("HSET", keys.users());
        let row = row.arg(user.as_bytes()).arg(self.user_row());
        // Whoever is there already is in another directory too.
        let mut steps = vec![(row, Value::Int(1))];
        if *messages > 0 {
            let mail = Command::write("SADD", keys.mail()).arg(user.as_bytes());
            steps.push((mail, Value::Int(1)));
        }
        if !receipts.is_empty() {
            let notes = Command::write("HSET", keys.notes(user));
            let put = |notes: Command, receipt: &Receipt| {
                notes.arg(note_field(receipt)).arg(receipt.up_to.0)
            };
            let notes = receipts.iter().fold(notes, put);
            steps.push((notes, count(receipts.len() as u64)));
        }
        if let Some(groups) = groups {
            let keep = Command::write("HSET", keys.groups()).arg(user.as_bytes());
            steps.push((keep.arg(&groups[..]), Value::Int(1)));
        }
        steps
    }

    fn look_at_user(&self, keys: &SlotKeys) -> Vec<Step> {
        let Self::User {
            user,
            messages,
            receipts,
            groups,
            ..
        } = self
        else {
            return Vec::new();
        };
        let row = Command::read("HGET", keys.users()).arg(user.as_bytes());
        let mail = Command::read("SISMEMBER", keys.mail()).arg(user.as_bytes());
        let length = Command::read("XLEN", keys.stream(user));
        let notes = Command::read("HLEN", keys.notes(user));
        let kept = Command::read("HGET", keys.groups()).arg(user.as_bytes());
        let expected = groups
            .as_ref()
            .map_or(Value::Nil, |groups| text(&groups[..]));
        let mut steps = vec![
            (kept, expected),
            (row, text(self.user_row())),
            (mail, Value::Int(i64::from(*messages > 0))),
            (length, count(*messages)),
            (notes, count(receipts.len() as u64)),
        ];
        steps.extend(receipts.iter().map(|receipt| {
            let note = Command::read("HGET", keys.notes(user)).arg(note_field(receipt));
            (note, text(receipt.up_to.0.to_string()))
        }));
        steps
    }

    /// Where the mailbox ends, and when the user was last there.
    fn user_row(&self) -> String {
        match self {
            Self::User { end, seen, .. } => {
                let seen = seen.map(seen_text).unwrap_or_default();
                format!("{}{seen}", end - 1)
            }
            _ => String::new(),
        }
    }
}

fn text(bytes: impl AsRef<[u8]>) -> Value {
    Value::BulkString(bytes.as_ref().to_vec())
}

/// Counts are far below the bound of the type.
fn count(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// What is found in a Redis that shards use or have used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A shard has had a slot.
    Slot,
    /// Mail, or something else of a user or a group.
    Kept,
}

impl Key {
    /// Whether a key is one of shards, and which.
    pub fn of(key: &[u8]) -> Option<Self> {
        let rest = key.strip_prefix(b"im:{")?;
        let end = rest.iter().position(|byte| *byte == b'}')?;
        let (slot, rest) = rest.split_at(end);
        let is_slot = !slot.is_empty() && slot.iter().all(u8::is_ascii_digit);
        is_slot.then_some(match rest {
            b"}" => Self::Slot,
            _ => Self::Kept,
        })
    }
}

#[cfg(test)]
mod tests {
    use proto::ids::GroupId;

    use super::*;

    #[test]
    fn keys_of_shards_are_told_from_others() {
        let slot = SlotKeys::new(Slot::new(12).unwrap());
        let ann = UserId::new("ann").unwrap();
        let team = GroupId::new("team").unwrap();
        assert_eq!(Key::of(slot.slot.as_bytes()), Some(Key::Slot));
        for key in [
            slot.recent(),
            slot.mail(),
            slot.users(),
            slot.stream(&ann),
            slot.notes(&ann),
            slot.groups(),
            slot.group(&team),
            slot.members(&team),
            slot.log(&team),
        ] {
            assert_eq!(Key::of(key.as_bytes()), Some(Key::Kept), "{key}");
        }
        for key in [
            "im:{ring}",
            "im:{ring}:news",
            "im:friends:{12}",
            "im:{}",
            "im:{12",
        ] {
            assert_eq!(Key::of(key.as_bytes()), None, "{key}");
        }
    }
}
