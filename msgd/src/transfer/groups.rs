//! Groups of a directory, one thing after the other, as they go into a Redis.
//!
//! Owns the walk through their rows, what is nobody's is passed over, and which
//! keys they become. Numbers in a log stay, so who has read to one has.

use std::collections::VecDeque;

use proto::ids::GroupId;
use proto::slot::Slot;
use shared::transfer::{Step, Thing};
use shared::{Command, Value};
use store::{Rows, Scan, Slice, Unreadable, Unused};

use super::source::SourceError;
use super::{count, text};
use crate::redis::group_script::epoch_text;
use crate::redis::keys::{SlotKeys, log_entry};
use crate::store::fields::Damaged;
use crate::store::groups::entry::EntryRow;
use crate::store::groups::key::{self, GroupKey, Kind};
use crate::store::groups::log::Log;
use crate::store::groups::{KEYSPACE, record};

/// Something that a directory keeps of groups.
#[derive(Debug)]
pub enum OfGroup {
    /// An entry of a log.
    Entry {
        /// Of the group.
        slot: Slot,
        /// Which.
        group: GroupId,
        /// Its place in the log.
        seq: u64,
        /// As it is stored.
        row: Slice,
    },
    /// Someone whom a group knows.
    Member {
        /// Of the group.
        slot: Slot,
        /// Which.
        group: GroupId,
        /// Who.
        user: Vec<u8>,
        /// As it is stored.
        row: Slice,
    },
    /// All else of a group, after those.
    Group {
        /// Of the group.
        slot: Slot,
        /// Which.
        group: GroupId,
        /// What it is, as it is stored.
        row: Slice,
        /// Where its log begins and ends, as fields.
        fields: [(&'static str, String); 5],
        /// Entries in it.
        entries: u64,
        /// Whom it knows.
        members: u64,
    },
}

impl OfGroup {
    fn of(&self) -> (SlotKeys, &GroupId) {
        match self {
            Self::Entry { slot, group, .. }
            | Self::Member { slot, group, .. }
            | Self::Group { slot, group, .. } => (SlotKeys::new(*slot), group),
        }
    }
}

impl Thing for OfGroup {
    fn name(&self) -> String {
        match self {
            Self::Entry { group, seq, .. } => format!("entry {seq} of group {group}"),
            Self::Member { group, user, .. } => {
                format!("{} in group {group}", String::from_utf8_lossy(user))
            }
            Self::Group { group, .. } => format!("group {group}"),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Entry { row, .. } | Self::Member { row, .. } | Self::Group { row, .. } => {
                row.len()
            }
        }
    }

    fn writes(&self) -> Vec<Step> {
        let (keys, group) = self.of();
        match self {
            Self::Entry { seq, row, .. } => {
                let id = log_entry(*seq);
                let append = Command::write("XADD", keys.log(group));
                let append = append.arg(&id).arg("m").arg(&row[..]);
                vec![(append, text(id))]
            }
            // What is there already is in another directory too.
            Self::Member { user, row, .. } => {
                let put = Command::write("HSET", keys.members(group));
                vec![(put.arg(user).arg(&row[..]), Value::Int(1))]
            }
            Self::Group { row, fields, .. } => {
                let put = Command::write("HSET", keys.group(group));
                let put = put.arg("record").arg(&row[..]);
                let with = |put: Command, (name, value): &(&str, String)| put.arg(name).arg(value);
                let put = fields.iter().fold(put, with);
                vec![(put, count(1 + fields.len() as u64))]
            }
        }
    }

    fn looks(&self) -> Vec<Step> {
        let (keys, group) = self.of();
        match self {
            Self::Entry { seq, row, .. } => {
                let id = log_entry(*seq);
                let read = Command::read("XRANGE", keys.log(group)).arg(&id).arg(&id);
                let fields = Value::Array(vec![text("m"), text(&row[..])]);
                let found = Value::Array(vec![text(id), fields]);
                vec![(read, Value::Array(vec![found]))]
            }
            Self::Member { user, row, .. } => {
                let read = Command::read("HGET", keys.members(group)).arg(user);
                vec![(read, text(&row[..]))]
            }
            Self::Group {
                row,
                fields,
                entries,
                members,
                ..
            } => {
                let read = Command::read("HMGET", keys.group(group)).arg("record");
                let read = fields.iter().fold(read, |read, (name, _)| read.arg(name));
                let values = fields.iter().map(|(_, value)| text(value));
                let expected = [text(&row[..])].into_iter().chain(values).collect();
                vec![
                    (read, Value::Array(expected)),
                    (Command::read("XLEN", keys.log(group)), count(*entries)),
                    (Command::read("HLEN", keys.members(group)), count(*members)),
                ]
            }
        }
    }
}

/// What a directory keeps of groups, in the order of its keys.
pub struct Groups<'a> {
    rows: Rows<'a>,
    scan: Scan,
    reading: Option<Reading>,
    ready: VecDeque<OfGroup>,
    ended: bool,
}

/// The group whose rows are read.
struct Reading {
    slot: Slot,
    group: GroupId,
    record: Slice,
    log: Log,
    entries: u64,
    members: u64,
}

impl<'a> Groups<'a> {
    /// Those of a directory; `None`: it keeps none, nor can it.
    pub fn of(directory: &'a Unused) -> Option<Self> {
        let rows = directory.rows(KEYSPACE)?;
        Some(Self {
            rows,
            scan: rows.all(),
            reading: None,
            ready: VecDeque::new(),
            ended: false,
        })
    }

    fn take(&mut self, row: Result<(Slice, Slice), Unreadable>) -> Result<(), SourceError> {
        let (key, value) = row?;
        let Some((slot, group, kind)) = key::parse(&key) else {
            // The highest life and what goes: this directory's own.
            return match key.starts_with(key::LIFE) || key.starts_with(key::REMAINS) {
                true => Ok(()),
                false => Err(Damaged("a key").into()),
            };
        };
        let same = |reading: &Reading| reading.slot == slot && reading.group == group;
        if !self.reading.as_ref().is_some_and(same) {
            self.close();
            self.reading = self.begin(slot, &group)?;
        }
        // What is left of a group that has ended is nobody's.
        let Some(reading) = &mut self.reading else {
            return Ok(());
        };
        match kind {
            Kind::Entry { life, seq } if life == reading.log.life && seq >= reading.log.first => {
                let (stamp, messages) = {
                    let row = EntryRow::decode(&value)?;
                    (row.stamp, row.messages)
                };
                if reading.entries == 0 {
                    reading.log.first = seq;
                }
                reading.entries += 1;
                reading.log.last = seq;
                reading.log.messages = messages;
                reading.log.newest = stamp;
                let row = value;
                self.ready.push_back(OfGroup::Entry {
                    slot,
                    group,
                    seq,
                    row,
                });
            }
            Kind::Member { life, user } if life == reading.log.members => {
                record::decode_member(&value)?;
                reading.members += 1;
                self.ready.push_back(OfGroup::Member {
                    slot,
                    group,
                    user: user.as_bytes().to_vec(),
                    row: value,
                });
            }
            _ => {}
        }
        Ok(())
    }

    /// The rows of a group that lie behind its entries.
    fn begin(&self, slot: Slot, group: &GroupId) -> Result<Option<Reading>, SourceError> {
        let key = GroupKey::new(slot, group);
        let Some(log) = self.rows.get(&key.log())? else {
            return Ok(None);
        };
        let record = self.rows.get(&key.record())?;
        let record = record.ok_or(Damaged("a group"))?;
        record::decode(&record)?;
        Ok(Some(Reading {
            slot,
            group: group.clone(),
            record,
            log: Log::decode(&log)?,
            entries: 0,
            members: 0,
        }))
    }

    /// All rows of the group are read.
    fn close(&mut self) {
        let Some(reading) = self.reading.take() else {
            return;
        };
        let log = reading.log;
        self.ready.push_back(OfGroup::Group {
            slot: reading.slot,
            group: reading.group,
            row: reading.record,
            fields: [
                ("epoch", epoch_text(log.epoch)),
                ("first", log.first.to_string()),
                ("last", log.last.to_string()),
                ("messages", log.messages.to_string()),
                ("newest", log.newest.0.to_string()),
            ],
            entries: reading.entries,
            members: reading.members,
        });
    }
}

impl Iterator for Groups<'_> {
    type Item = Result<OfGroup, SourceError>;

    /// Nothing comes after an error.
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(thing) = self.ready.pop_front() {
                return Some(Ok(thing));
            }
            if self.ended {
                return None;
            }
            let taken = match self.scan.next() {
                Some(row) => self.take(row),
                None => {
                    self.close();
                    self.ended = true;
                    Ok(())
                }
            };
            if let Err(error) = taken {
                self.ended = true;
                return Some(Err(error));
            }
        }
    }
}
