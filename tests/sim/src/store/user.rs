//! Users of the simulation's store: a mailbox, receipts, groups.
//!
//! Owns what is kept of one. Must not know ages, nor who asks.

use std::collections::BTreeMap;

use msgd_core::store::{KeptGroup, Letter, MailboxSettings, NOTES_MAX, Position, Seen, Stored};
use proto::ids::Identity;
use proto::server::Receipt;

use super::Kept;

/// Someone.
#[derive(Debug, Default)]
pub(super) struct User {
    pub(super) cursor: Position,
    pub(super) end: Position,
    /// From the cursor to the end.
    pub(super) letters: BTreeMap<Position, Letter>,
    /// Those that were in the mailbox and are no longer.
    pub(super) left: BTreeMap<Identity, Kept>,
    pub(super) notes: Vec<Receipt>,
    pub(super) seen: Option<Seen>,
    pub(super) groups: Vec<KeptGroup>,
}

impl User {
    pub(super) fn append(
        &mut self,
        behind: Position,
        messages: Vec<Letter>,
        settings: &MailboxSettings,
    ) -> (Position, usize) {
        let first = self.end;
        if first < behind {
            return (first, 0);
        }
        let mut count = 0;
        for letter in messages {
            let bytes = self.letters.values().map(body_bytes).sum::<u64>();
            let is_full = self.letters.len() as u64 >= settings.messages_max;
            if is_full || bytes + body_bytes(&letter) > settings.bytes_max {
                break;
            }
            self.letters.insert(self.end, letter);
            self.end = self.end.next();
            count += 1;
        }
        (first, count)
    }

    pub(super) fn read(
        &self,
        from: Position,
        count_max: usize,
        bytes_max: usize,
    ) -> Vec<(Position, Letter)> {
        let mut bytes = 0;
        self.letters
            .range(from..)
            .enumerate()
            .take_while(|(at, (_, letter))| {
                bytes += letter.message.body.len();
                *at < count_max && (*at == 0 || bytes <= bytes_max)
            })
            .map(|(_, (position, letter))| (*position, letter.clone()))
            .collect()
    }

    /// Moves the cursor forward, at most to the end.
    pub(super) fn leave_before(&mut self, cursor: Position, kept: Kept) {
        self.cursor = self.cursor.max(cursor.min(self.end));
        while let Some(entry) = self.letters.first_entry()
            && *entry.key() < self.cursor
        {
            self.left.insert(entry.remove().message.identity(), kept);
        }
    }

    pub(super) fn note(&mut self, receipt: Receipt) {
        let same = |kept: &&mut Receipt| kept.kind == receipt.kind && kept.peer == receipt.peer;
        let is_full = self.notes.len() >= NOTES_MAX;
        match self.notes.iter_mut().find(same) {
            Some(kept) => kept.up_to = kept.up_to.max(receipt.up_to),
            None if is_full => {}
            None => self.notes.push(receipt),
        }
    }
}

/// Without what it says.
pub(super) fn stored((position, letter): (&Position, &Letter)) -> Stored {
    Stored {
        position: *position,
        from: letter.message.from.clone(),
        id: letter.message.id,
        stamp: letter.message.stamp,
        fingerprint: letter.fingerprint,
    }
}

fn body_bytes(letter: &Letter) -> u64 {
    letter.message.body.len() as u64
}
