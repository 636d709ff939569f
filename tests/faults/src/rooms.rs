//! What was written in groups, and what their members were told of it.
//!
//! Owns the account, and what is wrong with it. Must not know how a log is read.

use std::collections::{HashMap, HashSet};

use client::{
    DeviceId, GroupEntry, GroupId, GroupSkipped, Identity, LogEntry, LogEpoch, Logged, Place,
    UserId,
};

/// A device of a member of a group.
pub type Seat = (GroupId, UserId, DeviceId);

/// The account.
#[derive(Debug, Default)]
pub struct Rooms {
    /// Messages that were told logged, and where.
    logged: HashMap<Identity, (GroupId, Place)>,
    refused: usize,
    /// How far each device was told.
    heard: HashMap<Seat, Place>,
    /// What was told of each place.
    told: HashMap<(GroupId, Place), LogEntry>,
    mistold: Vec<String>,
}

/// What is wrong with it: each is to be empty.
#[derive(Debug, Default)]
pub struct Wrong {
    /// Told logged, and not in the log where that was said.
    pub lost: Vec<String>,
    /// More than once in a log.
    pub twice: Vec<String>,
    /// A member was told an entry twice, out of order, another one, or not.
    pub mistold: Vec<String>,
}

/// A log as it was read in the end.
#[derive(Debug)]
pub struct Log {
    /// Of which group.
    pub group: GroupId,
    /// Which log.
    pub epoch: LogEpoch,
    /// All that is kept of it.
    pub entries: Vec<LogEntry>,
}

impl Rooms {
    /// A sender was told that a message is logged.
    pub fn logged(&mut self, message: Identity, group: &GroupId, place: Place) {
        self.logged.insert(message, (group.clone(), place));
    }

    /// A sender was told that a message is not.
    pub fn refused(&mut self) {
        self.refused += 1;
    }

    /// How many messages have an answer.
    pub fn answered(&self) -> usize {
        self.logged.len() + self.refused
    }

    /// How many were told logged.
    pub fn messages(&self) -> usize {
        self.logged.len()
    }

    /// How many different entries were told to anybody.
    pub fn entries(&self) -> usize {
        self.told.len()
    }

    /// A device is told an entry.
    pub fn entry(&mut self, user: &UserId, device: &DeviceId, told: &GroupEntry) {
        let place = Place {
            epoch: told.epoch,
            seq: told.entry.seq,
        };
        let seat = (told.group.clone(), user.clone(), device.clone());
        if let Some(before) = self.heard.insert(seat, place)
            && (before.epoch, before.seq + 1) != (place.epoch, place.seq)
        {
            let group = &told.group;
            let words = format!("{user} was told {place:?} of {group} after {before:?}");
            self.mistold.push(words);
        }
        let key = (told.group.clone(), place);
        let first = self.told.entry(key).or_insert_with(|| told.entry.clone());
        if *first != told.entry {
            let words = format!("{user} was told {:?}, others {first:?}", told.entry);
            self.mistold.push(words);
        }
    }

    /// A device is told that it is not told some: too many were missed.
    pub fn skipped(&mut self, user: &UserId, device: &DeviceId, skipped: &GroupSkipped) {
        let seat = (skipped.group.clone(), user.clone(), device.clone());
        let last = Place {
            epoch: skipped.epoch,
            seq: skipped.last,
        };
        self.heard.insert(seat, last);
    }

    /// Whether every device was told all of this log.
    pub fn is_told(&self, log: &Log) -> bool {
        self.untold(log).next().is_none()
    }

    fn untold<'a>(&'a self, log: &'a Log) -> impl Iterator<Item = (&'a Seat, &'a Place)> {
        let last = log.entries.last().map(|entry| Place {
            epoch: log.epoch,
            seq: entry.seq,
        });
        let seats = self.heard.iter();
        seats.filter(move |(seat, heard)| seat.0 == log.group && Some(**heard) != last)
    }

    /// What is wrong, given what is in all logs.
    pub fn wrong(&self, logs: &[Log]) -> Wrong {
        let mut wrong = Wrong {
            mistold: self.mistold.clone(),
            ..Wrong::default()
        };
        let mut found: HashMap<(GroupId, Place), Identity> = HashMap::new();
        for log in logs {
            let mut messages = HashSet::new();
            for entry in &log.entries {
                let Some(message) = message(entry) else {
                    continue;
                };
                if !messages.insert(message.clone()) {
                    wrong.twice.push(format!("{message:?} in {}", log.group));
                }
                let place = Place {
                    epoch: log.epoch,
                    seq: entry.seq,
                };
                found.insert((log.group.clone(), place), message);
            }
            let untold = self.untold(log);
            wrong.mistold.extend(untold.map(|(seat, heard)| {
                let last = log.entries.last().map(|entry| entry.seq);
                format!("{seat:?} was told up to {heard:?} of {last:?}")
            }));
        }
        for (message, place) in &self.logged {
            if found.get(place) != Some(message) {
                wrong.lost.push(format!("{message:?} at {place:?}"));
            }
        }
        for (place, entry) in &self.told {
            if found.get(place) != message(entry).as_ref() {
                wrong.mistold.push(format!("{entry:?} is not at {place:?}"));
            }
        }
        wrong
    }
}

fn message(entry: &LogEntry) -> Option<Identity> {
    match entry.what {
        Logged::Message { id, .. } => Some(Identity {
            from: entry.from.clone(),
            id,
        }),
        Logged::Change(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use client::{Action, MessageId, Stamp};

    use super::*;

    const EPOCH: LogEpoch = LogEpoch(1_001);

    fn entry(seq: u64, message: u64) -> LogEntry {
        LogEntry {
            seq,
            messages: seq,
            stamp: Stamp(seq),
            from: "u1001".parse().unwrap(),
            what: match message {
                0 => Logged::Change(Action::Join),
                _ => Logged::Message {
                    id: identity(message).id,
                    body: Bytes::new(),
                    mentions: Vec::new(),
                },
            },
        }
    }

    fn identity(message: u64) -> Identity {
        Identity {
            from: "u1001".parse().unwrap(),
            id: MessageId::from_bytes(u128::from(message).to_be_bytes()),
        }
    }

    fn room() -> GroupId {
        "room-1001".parse().unwrap()
    }

    fn log(entries: &[(u64, u64)]) -> Log {
        Log {
            group: room(),
            epoch: EPOCH,
            entries: entries.iter().map(|(seq, id)| entry(*seq, *id)).collect(),
        }
    }

    fn rooms(told: &[(u64, u64)], logged: &[(u64, u64)]) -> Rooms {
        let mut rooms = Rooms::default();
        for (seq, message) in told {
            let told = GroupEntry {
                group: room(),
                epoch: EPOCH,
                entry: entry(*seq, *message),
                mentions_me: false,
                is_echo: false,
            };
            rooms.entry(&"u1002".parse().unwrap(), &"phone".parse().unwrap(), &told);
        }
        for (seq, message) in logged {
            let place = Place {
                epoch: EPOCH,
                seq: *seq,
            };
            rooms.logged(identity(*message), &room(), place);
        }
        rooms
    }

    fn wrong(rooms: &Rooms, entries: &[(u64, u64)]) -> [usize; 3] {
        let wrong = rooms.wrong(&[log(entries)]);
        [wrong.lost.len(), wrong.twice.len(), wrong.mistold.len()]
    }

    #[test]
    fn what_was_told_logged_is_there_once_and_told_in_order() {
        let whole = [(1, 0), (2, 7), (3, 8)];
        let good = rooms(&whole, &[(2, 7), (3, 8)]);
        assert_eq!(wrong(&good, &whole), [0, 0, 0]);
        assert!(good.is_told(&log(&whole)));
        // Lost, and with it the end that was told.
        assert_eq!(wrong(&good, &whole[..2]), [1, 0, 2]);
        // Elsewhere than was said.
        assert_eq!(wrong(&good, &[(1, 0), (2, 8), (3, 7)]), [2, 0, 2]);
        let twice = [(1, 0), (2, 7), (3, 8), (4, 7)];
        assert_eq!(wrong(&rooms(&twice, &[(2, 7), (3, 8)]), &twice), [0, 1, 0]);
        assert_eq!(wrong(&rooms(&[(1, 0), (3, 8)], &[]), &whole), [0, 0, 1]);
        assert_eq!(wrong(&rooms(&whole[..2], &[]), &whole), [0, 0, 1]);
        let again = [(1, 0), (2, 7), (2, 7), (3, 8)];
        assert_eq!(wrong(&rooms(&again, &[]), &whole), [0, 0, 1]);
    }

    #[test]
    fn who_is_told_that_some_are_not_told_goes_on_after_them() {
        let mut rooms = rooms(&[(1, 0)], &[]);
        let skipped = GroupSkipped {
            group: room(),
            epoch: EPOCH,
            first: 2,
            last: 3,
        };
        rooms.skipped(
            &"u1002".parse().unwrap(),
            &"phone".parse().unwrap(),
            &skipped,
        );
        assert_eq!(wrong(&rooms, &[(1, 0), (2, 7), (3, 8)]), [0, 0, 0]);
    }
}
