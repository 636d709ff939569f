//! The scripts, and the commands that run them.
//!
//! Owns which keys and arguments each has. Must not know when one is needed.

use msgd_core::store::{Claim, NOTES_MAX, OPEN_IDENTITIES_MAX, Remembered};
use proto::ids::{Incarnation, Stamp, Token, UserId};
use proto::server::{Receipt, ReceiptKind};
use proto::slot::Slot;
use shared::{Command, Script};

use super::group_script::GroupScripts;
use super::keys::SlotKeys;
use crate::store::recent;

/// Seconds for which is kept what the next holder of a slot is to know; answers
/// are remembered for a day at the most.
pub(crate) const RECENT_SECONDS: u64 = 24 * 60 * 60;
/// Bytes with which a row tells all but the body: the longest id has 64.
const HEAD_BYTES: usize = 8 + 8 + 8 + 16 + 1 + 64;
/// Messages dropped for their age at once.
const DROPPED_MAX: u64 = 1_024;
/// Stamps are of many shards, so those in a mailbox are not quite in order:
/// how much older than wanted one must be for all before it to be so too.
const DISORDER_US: u64 = 60_000_000;

/// All scripts.
#[derive(Debug)]
pub(super) struct Scripts {
    claim: Script,
    release: Script,
    load: Script,
    latest: Script,
    create: Script,
    close: Script,
    see: Script,
    note: Script,
    take: Script,
    pub(super) groups: GroupScripts,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            claim: Script::writing(include_str!("lua/claim.lua")),
            release: Script::writing(include_str!("lua/release.lua")),
            load: Script::writing(include_str!("lua/load.lua")),
            latest: Script::reading(include_str!("lua/latest.lua")),
            create: Script::writing(include_str!("lua/create.lua")),
            close: Script::writing(include_str!("lua/close.lua")),
            see: Script::writing(include_str!("lua/see.lua")),
            note: Script::writing(include_str!("lua/note.lua")),
            take: Script::writing(include_str!("lua/take.lua")),
            groups: GroupScripts::new(),
        }
    }

    pub(super) fn all(&self) -> Vec<Script> {
        let all = [
            &self.claim,
            &self.release,
            &self.load,
            &self.latest,
            &self.create,
            &self.close,
            &self.see,
            &self.note,
            &self.take,
        ];
        let of_groups = self.groups.all();
        all.into_iter().cloned().chain(of_groups).collect()
    }

    /// `dead` is known to be so; `told` is the last token that was granted here.
    pub(super) fn claim(
        &self,
        slot: Slot,
        shard: Incarnation,
        dead: Option<Incarnation>,
        told: Option<Token>,
    ) -> Command {
        let keys = SlotKeys::new(slot);
        let named = [keys.slot.clone(), keys.recent(), keys.mail(), keys.users()];
        Command::script(&self.claim, &named)
            .arg(shard.0)
            .arg(dead.map(|dead| dead.0.to_string()).unwrap_or_default())
            .arg(keys.streams())
            .arg(RECENT_SECONDS)
            .arg(told.map(|told| told.0.to_string()).unwrap_or_default())
    }

    pub(super) fn release(&self, claim: Claim, recent: &[Remembered]) -> Command {
        let keys = SlotKeys::new(claim.slot);
        Command::script(&self.release, &[keys.slot.clone(), keys.recent()])
            .arg(claim.token.0)
            .arg(recent::encode(recent))
            .arg(RECENT_SECONDS)
    }

    /// Messages older than `oldest` are dropped from the front.
    pub(super) fn load(&self, claim: Claim, user: &UserId, oldest: Option<Stamp>) -> Command {
        let keys = SlotKeys::new(claim.slot);
        let named = [
            keys.slot.clone(),
            keys.stream(user),
            keys.users(),
            keys.notes(user),
        ];
        Command::script(&self.load, &named)
            .arg(claim.token.0)
            .arg(user.as_bytes())
            .arg(oldest.map_or(0, |oldest| oldest.0))
            .arg(DROPPED_MAX)
            .arg(HEAD_BYTES)
    }

    pub(super) fn latest(&self, claim: Claim, user: &UserId, since: Stamp) -> Command {
        let keys = SlotKeys::new(claim.slot);
        Command::script(&self.latest, &[keys.stream(user)])
            .arg(since.0)
            .arg(OPEN_IDENTITIES_MAX)
            .arg(DISORDER_US)
            .arg(HEAD_BYTES)
    }

    pub(super) fn create(&self, claim: Claim, user: &UserId, entry: &str, row: &[u8]) -> Command {
        let keys = SlotKeys::new(claim.slot);
        let named = [keys.slot.clone(), keys.stream(user), keys.mail()];
        Command::script(&self.create, &named)
            .arg(claim.token.0)
            .arg(user.as_bytes())
            .arg(entry)
            .arg(row)
    }

    pub(super) fn close(&self, claim: Claim, user: &UserId) -> Command {
        let keys = SlotKeys::new(claim.slot);
        let named = [
            keys.slot.clone(),
            keys.stream(user),
            keys.mail(),
            keys.users(),
        ];
        Command::script(&self.close, &named)
            .arg(claim.token.0)
            .arg(user.as_bytes())
    }

    pub(super) fn see(&self, claim: Claim, user: &UserId, seen: &str) -> Command {
        let keys = SlotKeys::new(claim.slot);
        Command::script(&self.see, &[keys.slot.clone(), keys.users()])
            .arg(claim.token.0)
            .arg(user.as_bytes())
            .arg(seen)
    }

    pub(super) fn note(&self, claim: Claim, user: &UserId, receipt: &Receipt) -> Command {
        let keys = SlotKeys::new(claim.slot);
        Command::script(&self.note, &[keys.slot.clone(), keys.notes(user)])
            .arg(claim.token.0)
            .arg(note_field(receipt))
            .arg(receipt.up_to.0)
            .arg(NOTES_MAX)
    }

    pub(super) fn take_notes(&self, claim: Claim, user: &UserId) -> Command {
        let keys = SlotKeys::new(claim.slot);
        Command::script(&self.take, &[keys.slot.clone(), keys.notes(user)]).arg(claim.token.0)
    }
}

/// Where a receipt is among those of its user.
pub(crate) fn note_field(receipt: &Receipt) -> String {
    let kind = match receipt.kind {
        ReceiptKind::Delivered => 'd',
        ReceiptKind::Read => 'r',
    };
    format!("{kind}{}", receipt.peer)
}
