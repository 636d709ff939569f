//! A small keeper of groups: it opens what was written, and writes when the scene
//! says so.
//!
//! Owns what is durable. Must not know who asks.

use std::collections::BTreeMap;

use msgd_core::Event;
use msgd_core::store::{
    Claim, Found, GroupRecord, GroupWrite, LogPage, LoggedBefore, MemberRow, OPEN_IDENTITIES_MAX,
    Outcome, Request, StoredGroup,
};
use proto::group::{Head, LogEntry, Logged, Place, Range};
use proto::ids::{GroupId, UserId};

use crate::hall::Hall;

/// What is durable of a group.
pub struct Stored {
    pub record: GroupRecord,
    pub rows: BTreeMap<UserId, MemberRow>,
    pub log: Vec<(LogEntry, u64)>,
}

/// A write or a reading that the scene has not let through.
pub enum Held {
    Write(Claim, GroupId, GroupWrite),
    Read(Claim, GroupId, u64, Range, usize),
}

impl Hall {
    pub fn carry_out(&mut self, request: Request) {
        let outcome = match request {
            Request::OpenGroup { claim, group, .. } => {
                let found = self.found(&group);
                Outcome::GroupOpened {
                    claim,
                    group,
                    found,
                }
            }
            Request::WriteGroup {
                claim,
                group,
                write,
            } => {
                self.writes.push((*write).clone());
                self.held.push_back(Held::Write(claim, group, *write));
                if !self.holds_writes {
                    self.lets_write(true);
                }
                return;
            }
            Request::ReadLog {
                claim,
                group,
                reader,
                range,
                count_max,
                ..
            } => {
                let read = Held::Read(claim, group, reader, range, count_max);
                self.held.push_back(read);
                if !self.holds_reads {
                    self.lets_read();
                }
                return;
            }
            Request::EndGroup { group, .. } => {
                if !self.loses_ends {
                    self.stored.remove(&group);
                }
                return;
            }
            Request::KeepGroups {
                claim,
                user,
                groups,
            } => {
                let done = !self.loses_lists;
                if done {
                    self.lists.insert(user.clone(), groups);
                }
                Outcome::GroupsKept { claim, user, done }
            }
            _ => return,
        };
        self.stage.handle(Event::Store(outcome));
    }

    fn found(&self, group: &GroupId) -> Found {
        let Some(stored) = self.stored.get(group) else {
            return Found::Nothing;
        };
        let message = |(entry, fingerprint): &(LogEntry, u64)| match &entry.what {
            Logged::Message { id, .. } => Some(LoggedBefore {
                seq: entry.seq,
                from: entry.from.clone(),
                id: *id,
                stamp: entry.stamp,
                fingerprint: *fingerprint,
            }),
            Logged::Change(_) => None,
        };
        let latest: Vec<LoggedBefore> = stored.log.iter().filter_map(message).collect();
        let last = stored.log.last().map(|(entry, _)| entry);
        let place = Place {
            epoch: stored.record.epoch,
            seq: last.map_or(0, |entry| entry.seq),
        };
        Found::Group(Box::new(StoredGroup {
            record: stored.record.clone(),
            head: Head {
                place,
                messages: last.map_or(0, |entry| entry.messages),
            },
            newest: last.map(|entry| entry.stamp).unwrap_or_default(),
            members: stored
                .rows
                .iter()
                .map(|(user, row)| (user.clone(), row.clone()))
                .collect(),
            whole: latest.len() <= OPEN_IDENTITIES_MAX,
            latest: latest[latest.len().saturating_sub(OPEN_IDENTITIES_MAX)..].to_vec(),
        }))
    }

    /// The oldest write that is held is done, or fails.
    pub fn lets_write(&mut self, done: bool) {
        let at = self
            .held
            .iter()
            .position(|held| matches!(held, Held::Write(..)));
        let Some(Held::Write(claim, group, write)) = at.and_then(|at| self.held.remove(at)) else {
            panic!("no write is held");
        };
        let done = done && self.write(&group, write);
        let outcome = Outcome::GroupWritten { claim, group, done };
        self.stage.handle(Event::Store(outcome));
        self.settle();
    }

    fn write(&mut self, group: &GroupId, write: GroupWrite) -> bool {
        let end = self.stored.get(group).map(|stored| Place {
            epoch: stored.record.epoch,
            seq: stored.log.last().map_or(0, |(entry, _)| entry.seq),
        });
        if !write.fits(end) {
            return false;
        }
        if end.is_none_or(|end| end.epoch < write.epoch)
            && let Some(record) = write.record.clone()
        {
            // Whom it knows stays.
            let before = self.stored.remove(group);
            let stored = Stored {
                record,
                rows: before.map(|before| before.rows).unwrap_or_default(),
                log: Vec::new(),
            };
            self.stored.insert(group.clone(), stored);
        }
        let Some(stored) = self.stored.get_mut(group) else {
            return false;
        };
        stored.log.extend(write.entries);
        stored.record = write.record.unwrap_or(stored.record.clone());
        for (user, row) in write.members {
            match row {
                Some(row) => stored.rows.insert(user, row),
                None => stored.rows.remove(&user),
            };
        }
        true
    }

    /// The oldest reading that is held is done.
    pub fn lets_read(&mut self) {
        let at = self
            .held
            .iter()
            .position(|held| matches!(held, Held::Read(..)));
        let Some(Held::Read(claim, group, reader, range, max)) =
            at.and_then(|at| self.held.remove(at))
        else {
            panic!("no reading is held");
        };
        let max = max.min(self.page_max);
        let stored = self.stored.get(&group).filter(|_| !self.no_pages);
        let page = stored.map(|stored| {
            let entries = stored.log.iter().map(|(entry, _)| entry);
            let entries: Vec<LogEntry> = match range {
                Range::After(seq) => entries.filter(|e| e.seq > seq).take(max).cloned().collect(),
                Range::Since(at) => entries
                    .filter(|e| e.stamp >= at)
                    .take(max)
                    .cloned()
                    .collect(),
                Range::Before(seq) => {
                    let before: Vec<LogEntry> = entries
                        .filter(|e| seq == 0 || e.seq < seq)
                        .cloned()
                        .collect();
                    before[before.len().saturating_sub(max)..].to_vec()
                }
            };
            LogPage { first: 1, entries }
        });
        self.stage.handle(Event::Store(Outcome::LogRead {
            claim,
            group,
            reader,
            page,
        }));
        self.settle();
    }
}
