//! Groups of the simulation's store.
//!
//! Owns what is kept of them. Must not know claims: who asks may do so.

use std::collections::BTreeMap;

use msgd_core::store::{
    Found, GroupRecord, GroupWrite, Known, LogPage, LogSettings, LoggedBefore, MemberRow,
    OPEN_IDENTITIES_MAX, StoredGroup,
};
use proto::group::{Head, LogEntry, Logged, Place, Range};
use proto::ids::{GroupId, Stamp, UserId};

/// All groups.
#[derive(Debug)]
pub(super) struct Groups {
    settings: LogSettings,
    all: BTreeMap<GroupId, Group>,
}

/// A group.
#[derive(Debug)]
pub struct Group {
    /// What it is.
    pub record: GroupRecord,
    /// Whom it knows.
    pub members: BTreeMap<UserId, MemberRow>,
    /// Where its log ends.
    pub head: Head,
    newest: Stamp,
    /// The first that is kept; those before it stay here for who looks.
    pub first: u64,
    log: BTreeMap<u64, (LogEntry, u64)>,
}

impl Groups {
    pub(super) fn new(settings: LogSettings) -> Self {
        Self {
            settings,
            all: BTreeMap::new(),
        }
    }

    /// All of them, for who looks.
    pub(super) fn all(&self) -> impl Iterator<Item = (&GroupId, &Group)> {
        self.all.iter()
    }

    /// One of them, for who looks.
    pub(super) fn get(&self, group: &GroupId) -> Option<&Group> {
        self.all.get(group)
    }

    pub(super) fn open(&self, group: &GroupId, since: Stamp) -> Found {
        let Some(group) = self.all.get(group) else {
            return Found::Nothing;
        };
        let mut latest = Vec::new();
        let mut whole = group.first == 1 || group.newest < since;
        for (_, logged) in group.log.range(group.first..).rev() {
            let is_older = logged.0.stamp < since;
            if is_older || latest.len() == OPEN_IDENTITIES_MAX {
                whole = is_older;
                break;
            }
            latest.extend(identity(logged));
        }
        latest.reverse();
        let members = group.members.clone();
        Found::Group(Box::new(StoredGroup {
            record: group.record.clone(),
            head: group.head,
            newest: group.newest,
            members: members.into_iter().collect(),
            latest,
            whole,
        }))
    }

    pub(super) fn write(&mut self, name: &GroupId, write: GroupWrite, now: Option<Stamp>) -> bool {
        let known = self.all.get(name);
        if !write.fits(known.map(|group| group.head.place)) {
            return false;
        }
        if known.is_none_or(|group| group.head.place.epoch != write.epoch) {
            let Some(record) = write.record.clone() else {
                return false;
            };
            let former = self.all.remove(name);
            let members = former.map(|former| former.members).unwrap_or_default();
            self.all.insert(name.clone(), Group::new(record, members));
        }
        let settings = self.settings;
        if let Some(group) = self.all.get_mut(name) {
            group.drop_old(now, &settings);
            group.write(write, &settings);
        }
        true
    }

    pub(super) fn end(&mut self, group: &GroupId) {
        self.all.remove(group);
    }

    pub(super) fn read(
        &self,
        group: &GroupId,
        range: Range,
        (count_max, bytes_max): (usize, usize),
    ) -> Option<LogPage> {
        let group = self.all.get(group)?;
        let first = group.first;
        let kept = group.log.range(first..).map(|(_, (entry, _))| entry);
        let mut bytes = 0;
        let mut count = 0;
        let fits = |entry: &&LogEntry| {
            bytes += entry.weight();
            count += 1;
            count <= count_max && (count == 1 || bytes <= bytes_max)
        };
        let entries = match range {
            Range::After(seq) => {
                let wanted = kept.filter(|entry| entry.seq > seq);
                wanted.take_while(fits).cloned().collect()
            }
            Range::Since(stamp) => {
                let wanted = kept.filter(|entry| entry.stamp >= stamp);
                wanted.take_while(fits).cloned().collect()
            }
            Range::Before(seq) => {
                let wanted = kept.rev().filter(|entry| seq == 0 || entry.seq < seq);
                let mut entries: Vec<_> = wanted.take_while(fits).cloned().collect();
                entries.reverse();
                entries
            }
        };
        Some(LogPage { first, entries })
    }
}

impl Group {
    /// As what it knows someone.
    pub fn known(&self, user: &UserId) -> Option<&Known> {
        self.members.get(user)?.known.as_ref()
    }

    /// What is kept of its log.
    pub fn entries(&self) -> impl Iterator<Item = &LogEntry> {
        self.log.range(self.first..).map(|(_, (entry, _))| entry)
    }

    fn new(record: GroupRecord, members: BTreeMap<UserId, MemberRow>) -> Self {
        let (epoch, seq) = (record.epoch, 0);
        Self {
            record,
            members,
            head: Head {
                place: Place { epoch, seq },
                messages: 0,
            },
            newest: Stamp(0),
            first: 1,
            log: BTreeMap::new(),
        }
    }

    fn drop_old(&mut self, now: Option<Stamp>, settings: &LogSettings) {
        let Some(now) = now else {
            return;
        };
        let is_fresh = |stamp: Stamp| {
            let dies = u128::from(stamp.0) + settings.keep.as_micros();
            dies >= u128::from(now.0)
        };
        let mut kept = self.log.range(self.first..);
        let fresh = kept.find(|(_, (entry, _))| is_fresh(entry.stamp));
        self.first = fresh.map_or(self.head.place.seq + 1, |(seq, _)| *seq);
    }

    fn write(&mut self, write: GroupWrite, settings: &LogSettings) {
        for (entry, fingerprint) in write.entries {
            self.head.place.seq = entry.seq;
            self.head.messages = entry.messages;
            self.newest = entry.stamp;
            self.log.insert(entry.seq, (entry, fingerprint));
        }
        let kept = (self.head.place.seq + 1).saturating_sub(settings.log_max);
        self.first = self.first.max(kept);
        if let Some(record) = write.record {
            self.record = record;
        }
        for (user, row) in write.members {
            match row {
                Some(row) => drop(self.members.insert(user, row)),
                None => drop(self.members.remove(&user)),
            }
        }
    }
}

fn identity((entry, fingerprint): &(LogEntry, u64)) -> Option<LoggedBefore> {
    let Logged::Message { id, .. } = &entry.what else {
        return None;
    };
    Some(LoggedBefore {
        seq: entry.seq,
        from: entry.from.clone(),
        id: *id,
        stamp: entry.stamp,
        fingerprint: *fingerprint,
    })
}
