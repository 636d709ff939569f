//! The rows of groups in the database.
//!
//! Owns how a log is put together from them, found in them and removed. Must not
//! know bounds and ages.

use std::ops::Range;

use msgd_core::store::{GroupRecord, GroupWrite, LoggedBefore, MemberRow, OPEN_IDENTITIES_MAX};
use proto::group::LogEntry;
use proto::ids::{Stamp, UserId};
use store::{Keyspace, Scan, Slice, Transaction};

use super::entry::{self, EntryRow};
use super::key::{self, GroupKey};
use super::log::Log;
use super::record;
use crate::store::fields::{Damaged, Trouble};

/// Entries removed by one request at most. The next one goes on.
pub(super) const PURGED_MAX: u64 = 1_024;
/// Entries that are removed before the row says so. Who finds the row skips so
/// many.
const UNWRITTEN_MAX: u64 = 64;
/// Entries that are read one by one: a scan costs as much as some of them to
/// begin with.
const GETS_MAX: u64 = 8;

/// Where groups are kept.
#[derive(Debug)]
pub(super) struct Rows {
    keyspace: Keyspace,
    /// Lent to whom writes a row.
    value: Vec<u8>,
}

impl Rows {
    pub(super) fn new(keyspace: Keyspace) -> Self {
        Self {
            keyspace,
            value: Vec::new(),
        }
    }

    /// The log of a group, if there is such a group.
    pub(super) fn load(
        &self,
        transaction: &Transaction<'_>,
        key: &GroupKey,
    ) -> Result<Option<Log>, Trouble> {
        let Some(value) = transaction.get(self.keyspace, &key.log())? else {
            return Ok(None);
        };
        let mut log = Log::decode(&value)?;
        let mut scan = self.scan(transaction, key, &log, log.first..u64::MAX);
        let Some(last) = scan.next_back().transpose()? else {
            return Ok(Some(log));
        };
        let row = EntryRow::decode(&last.1)?;
        log.last = seq(&last.0)?;
        (log.messages, log.newest) = (row.messages, row.stamp);
        let front = scan.next().transpose()?.unwrap_or(last);
        log.first = seq(&front.0)?;
        log.oldest = EntryRow::decode(&front.1)?.stamp;
        Ok(Some(log))
    }

    pub(super) fn record(
        &self,
        transaction: &Transaction<'_>,
        key: &GroupKey,
    ) -> Result<Option<GroupRecord>, Trouble> {
        let value = transaction.get(self.keyspace, &key.record())?;
        Ok(value.map(|value| record::decode(&value)).transpose()?)
    }

    /// Ascending, as the keys are.
    pub(super) fn members(
        &self,
        transaction: &Transaction<'_>,
        key: &GroupKey,
        life: u64,
    ) -> Result<Vec<(UserId, MemberRow)>, Trouble> {
        let prefix = key.members(life);
        let member = |entry: Result<(Slice, Slice), _>| {
            let (key, value) = entry?;
            let user = key::user(&key, prefix.len()).ok_or(Damaged("a member"))?;
            Ok((user, record::decode_member(&value)?))
        };
        let scan = transaction.prefix(self.keyspace, &prefix);
        scan.map(member).collect()
    }

    /// Messages among entries, newest first in the database, oldest first in what
    /// is returned, and whether they are all from that time on.
    pub(super) fn latest(
        &self,
        transaction: &Transaction<'_>,
        (key, log): (&GroupKey, &Log),
        begin: u64,
        since: Stamp,
    ) -> Result<(Vec<LoggedBefore>, bool), Trouble> {
        let mut latest = Vec::new();
        let mut whole = begin == 1;
        // Stamps ascend.
        if begin > log.last || log.newest < since {
            return Ok((latest, whole || log.newest < since));
        }
        let scan = self.scan(transaction, key, log, begin..log.last + 1);
        for entry in scan.rev() {
            let (place, value) = entry?;
            let row = EntryRow::decode(&value)?;
            if row.stamp < since || latest.len() == OPEN_IDENTITIES_MAX {
                whole = row.stamp < since;
                break;
            }
            latest.extend(row.identity(seq(&place)?)?);
        }
        latest.reverse();
        Ok((latest, whole))
    }

    /// Shows entries, which are all there, until told `false`.
    pub(super) fn visit(
        &self,
        transaction: &Transaction<'_>,
        (key, log): (&GroupKey, &Log),
        seqs: Range<u64>,
        backwards: bool,
        mut show: impl FnMut(u64, EntryRow<'_>) -> Result<bool, Damaged>,
    ) -> Result<(), Trouble> {
        if seqs.end <= seqs.start.saturating_add(GETS_MAX) {
            let (start, end) = (seqs.start, seqs.end);
            for nth in seqs {
                let seq = if backwards {
                    start + end - 1 - nth
                } else {
                    nth
                };
                let value = self.entry(transaction, (key, log), seq)?;
                if !show(seq, EntryRow::decode(&value)?)? {
                    break;
                }
            }
            return Ok(());
        }
        let mut scan = self.scan(transaction, key, log, seqs);
        loop {
            let next = if backwards {
                scan.next_back()
            } else {
                scan.next()
            };
            let Some((place, value)) = next.transpose()? else {
                return Ok(());
            };
            if !show(seq(&place)?, EntryRow::decode(&value)?)? {
                return Ok(());
            }
        }
    }

    /// When an entry that is there was accepted.
    pub(super) fn stamp(
        &self,
        transaction: &Transaction<'_>,
        of: (&GroupKey, &Log),
        seq: u64,
    ) -> Result<Stamp, Trouble> {
        let value = self.entry(transaction, of, seq)?;
        Ok(EntryRow::decode(&value)?.stamp)
    }

    fn entry(
        &self,
        transaction: &Transaction<'_>,
        (key, log): (&GroupKey, &Log),
        seq: u64,
    ) -> Result<Slice, Trouble> {
        let value = transaction.get(self.keyspace, &key.entry(log.life, seq))?;
        Ok(value.ok_or(Damaged("an entry of a log"))?)
    }

    fn scan(
        &self,
        transaction: &Transaction<'_>,
        key: &GroupKey,
        log: &Log,
        seqs: Range<u64>,
    ) -> Scan {
        let entry = |seq| key.entry(log.life, seq);
        transaction.range(self.keyspace, entry(seqs.start)..entry(seqs.end))
    }

    /// Writes all but the log's own row.
    pub(super) fn put(
        &mut self,
        transaction: &mut Transaction<'_>,
        key: &GroupKey,
        log: &mut Log,
        write: &GroupWrite,
    ) {
        for (entry, fingerprint) in &write.entries {
            self.put_entry(transaction, key, log, (entry, *fingerprint));
        }
        if let Some(record) = &write.record {
            record::encode(record, &mut self.value);
            transaction.put(self.keyspace, &key.record(), &self.value);
        }
        for (user, row) in &write.members {
            let key = key.member(log.members, user);
            match row {
                Some(row) => {
                    record::encode_member(row, &mut self.value);
                    transaction.put(self.keyspace, &key, &self.value);
                }
                None => transaction.remove(self.keyspace, &key),
            }
        }
    }

    fn put_entry(
        &mut self,
        transaction: &mut Transaction<'_>,
        key: &GroupKey,
        log: &mut Log,
        (entry, fingerprint): (&LogEntry, u64),
    ) {
        log.append(entry.stamp, entry.messages);
        entry::encode(entry, fingerprint, &mut self.value);
        transaction.put(self.keyspace, &key.entry(log.life, log.last), &self.value);
    }

    /// Removes entries from one to the first. Writes the row if it is new, or
    /// would mislead whoever finds it: no entry is there, or many removed ones lie
    /// before the first.
    pub(super) fn purge(
        &mut self,
        transaction: &mut Transaction<'_>,
        (key, log): (&GroupKey, &mut Log),
        from: u64,
        is_new: bool,
    ) {
        for seq in from..log.first {
            transaction.remove(self.keyspace, &key.entry(log.life, seq));
        }
        let misleads = log.first > from && log.is_empty();
        if is_new || misleads || log.first - log.written >= UNWRITTEN_MAX {
            log.written = log.first;
            log.encode(&mut self.value);
            transaction.put(self.keyspace, &key.log(), &self.value);
        }
    }

    /// Removes what there is one row of.
    pub(super) fn forget(&self, transaction: &mut Transaction<'_>, key: &GroupKey) {
        transaction.remove(self.keyspace, &key.record());
        transaction.remove(self.keyspace, &key.log());
    }
}

fn seq(key: &[u8]) -> Result<u64, Damaged> {
    key::seq(key).ok_or(Damaged("an entry of a log"))
}
