//! The scripts about groups, and the commands that run them.
//!
//! Owns which keys and arguments each has. Must not know when one is needed.

use msgd_core::store::{Claim, GroupWrite, KeptGroup, OPEN_IDENTITIES_MAX};
use proto::group::Range;
use proto::ids::{GroupId, LogEpoch, Stamp, UserId};
use shared::{Command, Script};

use super::keys::SlotKeys;
use crate::store::groups::{entry, record};

/// Bytes with which a row tells which message it is: the longest id has 64.
const HEAD_BYTES: usize = 8 + 8 + 1 + 64 + 1 + 16 + 8;

/// All scripts.
#[derive(Debug)]
pub(super) struct GroupScripts {
    keep: Script,
    open: Script,
    write: Script,
    end: Script,
    read: Script,
}

impl GroupScripts {
    pub(super) fn new() -> Self {
        Self {
            keep: Script::writing(include_str!("lua/keep.lua")),
            open: Script::reading(include_str!("lua/group_open.lua")),
            write: Script::writing(include_str!("lua/group_write.lua")),
            end: Script::writing(include_str!("lua/group_end.lua")),
            read: Script::reading(include_str!("lua/group_read.lua")),
        }
    }

    pub(super) fn all(&self) -> [Script; 5] {
        [&self.keep, &self.open, &self.write, &self.end, &self.read].map(Clone::clone)
    }

    pub(super) fn keep(&self, claim: Claim, user: &UserId, groups: &[KeptGroup]) -> Command {
        let keys = SlotKeys::new(claim.slot);
        let mut row = Vec::new();
        record::encode_kept(groups, &mut row);
        Command::script(&self.keep, &[keys.slot.clone(), keys.groups()])
            .arg(claim.token.0)
            .arg(user.as_bytes())
            .arg(row)
    }

    pub(super) fn open(&self, claim: Claim, group: &GroupId, since: Stamp) -> Command {
        Command::script(&self.open, &whole(claim, group))
            .arg(claim.token.0)
            .arg(since.0)
            .arg(OPEN_IDENTITIES_MAX)
            .arg(HEAD_BYTES)
    }

    /// Entries older than `oldest` go, and of the others all but the newest.
    pub(super) fn write(
        &self,
        claim: Claim,
        group: &GroupId,
        write: &GroupWrite,
        (oldest, log_max): (Option<Stamp>, u64),
    ) -> Command {
        let mut row = Vec::new();
        if let Some(new) = &write.record {
            record::encode(new, &mut row);
        }
        let last = write.entries.last().map(|(entry, _)| entry);
        let mut command = Command::script(&self.write, &whole(claim, group))
            .arg(claim.token.0)
            .arg(epoch_text(write.epoch))
            .arg(write.after)
            .arg(&row)
            .arg(oldest.map_or(0, |oldest| oldest.0))
            .arg(log_max)
            .arg(last.map_or(0, |last| last.messages))
            .arg(last.map_or(0, |last| last.stamp.0))
            .arg(write.entries.len());
        for (entry, fingerprint) in &write.entries {
            entry::encode(entry, *fingerprint, &mut row);
            command = command.arg(&row);
        }
        for (user, member) in &write.members {
            row.clear();
            if let Some(member) = member {
                record::encode_member(member, &mut row);
            }
            command = command.arg(user.as_bytes()).arg(&row);
        }
        command
    }

    pub(super) fn end(&self, claim: Claim, group: &GroupId) -> Command {
        Command::script(&self.end, &whole(claim, group)).arg(claim.token.0)
    }

    pub(super) fn read(
        &self,
        claim: Claim,
        group: &GroupId,
        range: Range,
        (count_max, bytes_max): (usize, usize),
    ) -> Command {
        let keys = SlotKeys::new(claim.slot);
        let named = [keys.slot.clone(), keys.group(group), keys.log(group)];
        let (word, number) = match range {
            Range::After(seq) => ("after", seq),
            Range::Before(seq) => ("before", seq),
            Range::Since(stamp) => ("since", stamp.0),
        };
        Command::script(&self.read, &named)
            .arg(claim.token.0)
            .arg(word)
            .arg(number)
            .arg(count_max)
            .arg(bytes_max)
    }
}

/// Epochs are compared as texts.
pub(crate) fn epoch_text(epoch: LogEpoch) -> String {
    format!("{:020}", epoch.0)
}

fn whole(claim: Claim, group: &GroupId) -> [String; 4] {
    let keys = SlotKeys::new(claim.slot);
    let (of, members, log) = (keys.group(group), keys.members(group), keys.log(group));
    [keys.slot, of, members, log]
}
