//! The groups: what requests do to them.
//!
//! Owns records, members and logs, and the bounds of those. Must not know claims:
//! who asks may do so.
//!
//! # Rows
//!
//! One keyspace, `groups`. A message to a group is one row, its entry in the log;
//! where the log ends is told by the entry that lies there. The log's own row says
//! under which lives rows lie and where to look for the first entry. It is written
//! as that of a mailbox is: when no entry would tell, or now and then.
//!
//! The oldest entries are removed in the same group as new ones are written. What
//! a group leaves when it ends, or when its log begins anew, lies under lives that
//! are given to nobody again, and is removed piece by piece: some rows beside each
//! write, more when a shard says that it is alive.

pub(crate) mod action;
pub(crate) mod entry;
pub(crate) mod key;
pub(crate) mod log;
pub(crate) mod record;
mod remains;
mod rows;

use msgd_core::store::{Claim, Found, GroupWrite, LogPage, LogSettings, StoredGroup};
use proto::group::Range;
use proto::ids::{GroupId, Stamp};
use store::{Keyspace, Transaction};

use self::key::GroupKey;
use self::log::Log;
use self::remains::Remains;
use self::rows::{PURGED_MAX, Rows};
use super::cache::Cache;
use super::fields::{Damaged, Trouble};
use super::mailbox::is_expired;
use super::metrics::Metrics;

/// The keyspace.
pub(crate) const KEYSPACE: &str = "groups";

/// Groups in memory: about 10 MiB.
pub const GROUPS_MAX: usize = 65_536;

/// All groups.
#[derive(Debug)]
pub(super) struct Groups {
    rows: Rows,
    remains: Remains,
    settings: LogSettings,
    cache: Cache<GroupId, Log>,
    /// As for mailboxes.
    now: Option<Stamp>,
    metrics: Metrics,
}

impl Groups {
    pub(super) fn new(rows: Keyspace, settings: LogSettings, metrics: Metrics) -> Self {
        Self {
            rows: Rows::new(rows),
            remains: Remains::new(rows),
            settings,
            cache: Cache::new(GROUPS_MAX),
            now: None,
            metrics,
        }
    }

    /// What is in the database is all that is known.
    pub(super) fn forget(&mut self) {
        self.cache.clear();
    }

    /// Reads what is in the database and not of one group.
    pub(super) fn load(&mut self, transaction: &Transaction<'_>) -> Result<(), Trouble> {
        self.remains.load(transaction)
    }

    /// Entries age by this.
    pub(super) fn time_is(&mut self, now: Stamp) {
        self.now = Some(now);
    }

    /// Removes some of what is nobody's any more.
    pub(super) fn tidy(&mut self, transaction: &mut Transaction<'_>) {
        self.remains.remove(transaction);
    }

    pub(super) fn open(
        &mut self,
        transaction: &Transaction<'_>,
        claim: Claim,
        group: &GroupId,
        since: Stamp,
    ) -> Result<Found, Trouble> {
        let key = GroupKey::new(claim.slot, group);
        let Some(log) = self.reach(transaction, group, &key)? else {
            return Ok(Found::Nothing);
        };
        let record = self.rows.record(transaction, &key)?;
        let begin = log.begin(&self.settings);
        let (latest, whole) = self.rows.latest(transaction, (&key, &log), begin, since)?;
        Ok(Found::Group(Box::new(StoredGroup {
            record: record.ok_or(Damaged("a group"))?,
            head: log.head(),
            newest: log.newest,
            members: self.rows.members(transaction, &key, log.members)?,
            latest,
            whole,
        })))
    }

    /// Writes all of it, or nothing because the log does not end where it should.
    pub(super) fn write(
        &mut self,
        transaction: &mut Transaction<'_>,
        claim: Claim,
        group: &GroupId,
        write: &GroupWrite,
    ) -> Result<bool, Trouble> {
        let key = GroupKey::new(claim.slot, group);
        let known = self.reach(transaction, group, &key)?;
        if !write.fits(known.map(|log| log.end())) {
            return Ok(false);
        }
        let going_on = known.filter(|log| log.epoch == write.epoch);
        let is_new = going_on.is_none();
        let mut log = match going_on {
            Some(log) => log,
            None => self.begin(transaction, &key, write, known),
        };
        let from = log.first;
        // Of a log that begins nothing is read: nothing fails after the first row
        // that is written.
        (log.first, log.oldest) = self.first_fresh(transaction, (&key, &log))?;
        self.rows.put(transaction, &key, &mut log, write);
        let begin = log.begin(&self.settings).min(from + PURGED_MAX);
        log.first = log.first.max(begin);
        self.rows.purge(transaction, (&key, &mut log), from, is_new);
        self.remains.remove_beside(transaction);
        self.metrics.logged.inc_by(write.entries.len() as u64);
        self.metrics.log_purged.inc_by(log.first - from);
        self.cache.insert(group.clone(), log);
        Ok(true)
    }

    /// A log that begins; the former one goes.
    fn begin(
        &mut self,
        transaction: &mut Transaction<'_>,
        key: &GroupKey,
        write: &GroupWrite,
        former: Option<Log>,
    ) -> Log {
        let life = self.remains.give(transaction);
        if let Some(former) = former {
            self.remains.add(transaction, key.entries(former.life));
        }
        let members = former.map_or(life, |former| former.members);
        Log::new(members, life, write.epoch)
    }

    /// Forgets it: most of it later.
    pub(super) fn end(
        &mut self,
        transaction: &mut Transaction<'_>,
        claim: Claim,
        group: &GroupId,
    ) -> Result<(), Trouble> {
        let key = GroupKey::new(claim.slot, group);
        if let Some(log) = self.reach(transaction, group, &key)? {
            self.rows.forget(transaction, &key);
            self.remains.add(transaction, key.members(log.members));
            self.remains.add(transaction, key.entries(log.life));
            self.remains.remove(transaction);
            self.cache.remove(group);
        }
        Ok(())
    }

    /// A part of the log; none: there is no such group.
    pub(super) fn read(
        &mut self,
        transaction: &Transaction<'_>,
        (claim, group): (Claim, &GroupId),
        range: Range,
        (count_max, bytes_max): (usize, usize),
    ) -> Result<Option<LogPage>, Trouble> {
        let key = GroupKey::new(claim.slot, group);
        let Some(log) = self.reach(transaction, group, &key)? else {
            return Ok(None);
        };
        let of = (&key, &log);
        let first = log.begin(&self.settings);
        let (end, count) = (log.last + 1, count_max as u64);
        let from = |seq: u64| seq..end.min(seq.saturating_add(count));
        let to = |seq: u64| first.max(seq.saturating_sub(count))..seq;
        let (seqs, backwards) = match range {
            Range::After(seq) => (from(seq.saturating_add(1).clamp(first, end)), false),
            Range::Since(stamp) => (from(self.since(transaction, of, stamp)?), false),
            Range::Before(0) => (to(end), true),
            Range::Before(seq) => (to(seq.clamp(first, end)), true),
        };
        let mut entries = Vec::with_capacity((seqs.end - seqs.start) as usize);
        let mut bytes = 0;
        self.rows
            .visit(transaction, of, seqs, backwards, |seq, row| {
                let entry = row.entry(seq)?;
                bytes += entry.weight();
                let fits = entries.is_empty() || bytes <= bytes_max;
                if fits {
                    entries.push(entry);
                }
                Ok(fits)
            })?;
        if backwards {
            entries.reverse();
        }
        self.metrics.log_read.inc_by(entries.len() as u64);
        Ok(Some(LogPage { first, entries }))
    }

    /// The first entry that is kept and not older than a stamp: stamps ascend.
    fn since(
        &self,
        transaction: &Transaction<'_>,
        of: (&GroupKey, &Log),
        stamp: Stamp,
    ) -> Result<u64, Trouble> {
        let (_, log) = of;
        let (mut low, mut high) = (log.begin(&self.settings), log.last + 1);
        if log.newest < stamp {
            return Ok(high);
        }
        if stamp <= log.oldest {
            return Ok(low);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.rows.stamp(transaction, of, middle)? < stamp {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low)
    }

    /// The log, as it lies there; none: there is no such group. Who changes it
    /// puts it back into the cache.
    fn reach(
        &mut self,
        transaction: &Transaction<'_>,
        group: &GroupId,
        key: &GroupKey,
    ) -> Result<Option<Log>, Trouble> {
        if let Some(log) = self.cache.get(group) {
            return Ok(Some(*log));
        }
        let log = self.rows.load(transaction, key)?;
        Ok(log.map(|log| *self.cache.insert(group.clone(), log)))
    }

    /// The first entry that is not too old, or the one behind the last that was
    /// looked at, and a stamp that none from there on has an older one than.
    fn first_fresh(
        &self,
        transaction: &Transaction<'_>,
        (key, log): (&GroupKey, &Log),
    ) -> Result<(u64, Stamp), Trouble> {
        let is_old = |stamp| is_expired(stamp, self.now, self.settings.keep);
        if log.is_empty() || !is_old(log.oldest) {
            return Ok((log.first, log.oldest));
        }
        let end = (log.last + 1).min(log.first + PURGED_MAX);
        let mut fresh = (end, log.oldest);
        let seqs = log.first..end;
        self.rows
            .visit(transaction, (key, log), seqs, false, |seq, row| {
                let is_old = is_old(row.stamp);
                if !is_old {
                    fresh = (seq, row.stamp);
                }
                Ok(is_old)
            })?;
        Ok(fresh)
    }
}
