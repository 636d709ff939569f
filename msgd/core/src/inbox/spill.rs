//! Messages without an outcome go to the mailbox, the oldest first.

use std::time::Duration;

use proto::clock::Moment;

use super::{
    APPEND_BYTES_MAX, APPEND_MAX, InMailbox, Inbox, Next, Ordinal, Pending, PendingState, Settled,
};
use crate::store::{Letter, Position};

/// What became of messages that were to be appended.
#[derive(Debug, Default)]
pub struct Spilled {
    /// Durable now, and told to nobody before: these are `Stored`.
    pub stored: Vec<Settled>,
    /// Did not get in, and no session was given them: their senders are told.
    pub refused: Vec<Settled>,
}

impl Inbox {
    /// When the oldest message without an outcome is to be stored.
    pub fn spill_at(&self, patience: Duration) -> Option<Moment> {
        if self.storing > 0 {
            return None;
        }
        let oldest = self
            .pending
            .iter()
            .find(|p| p.state == PendingState::Waiting)?;
        Some(oldest.since + patience)
    }

    /// Whether messages wait without any session to give them to, or beyond
    /// what is to wait in memory.
    ///
    /// What did not get in before `failed_before` is not tried at once again.
    pub fn must_spill(&self, failed_before: Moment, count_max: usize, bytes_max: usize) -> bool {
        let waiting = |p: &Pending| p.state == PendingState::Waiting;
        if self.storing > 0 {
            return false;
        }
        if self.readers.is_empty() {
            return self.pending.iter().any(waiting);
        }
        let is_full = self.pending.len() >= count_max || self.bytes >= bytes_max;
        is_full && self.failed.is_none_or(|failed| failed < failed_before)
    }

    /// Takes the oldest part of what is pending for an append: up to the last
    /// message that came at `before` or earlier, with all before it (rule 10).
    pub fn spill(&mut self, before: Moment) -> Vec<Letter> {
        debug_assert_eq!(self.storing, 0, "one append at a time");
        let due = |p: &Pending| p.state == PendingState::Waiting && p.since <= before;
        let Some(last) = self.pending.iter().rposition(due) else {
            return Vec::new();
        };
        let mut letters = Vec::new();
        let mut bytes = 0;
        for pending in self.pending.iter_mut().take(last + 1) {
            if letters.len() >= APPEND_MAX || bytes >= APPEND_BYTES_MAX {
                break;
            }
            self.storing += 1;
            if matches!(pending.state, PendingState::Taken | PendingState::Refused) {
                continue;
            }
            bytes += pending.message.body.len();
            pending.state = PendingState::Storing;
            letters.push(Self::letter(pending));
        }
        letters
    }

    /// An append is durable for the first `count` of its messages; the others
    /// did not fit.
    pub fn appended(&mut self, now: Moment, first: Position, count: usize) -> Spilled {
        debug_assert!(first >= self.end);
        // What lies between was appended although the append was called failed.
        let unknown = self.end..first;
        let mut stored = Vec::with_capacity(count);
        let mut position = first;
        while self.storing > 0 && position.0 - first.0 < count as u64 {
            let ordinal = self.first;
            let Some(pending) = self.pop_front() else {
                break;
            };
            self.storing -= 1;
            if matches!(pending.state, PendingState::Taken | PendingState::Refused) {
                continue;
            }
            stored.extend(self.settle(ordinal, position, pending));
            position = position.next();
        }
        for reader in &mut self.readers {
            let Next::Memory(ordinal) = reader.next else {
                continue;
            };
            if ordinal < self.first {
                // It stood within the stored part and reads on in the mailbox.
                reader.next = Next::Mailbox(unknown.start);
            } else if !unknown.is_empty() {
                let start = reader.detour.take().map_or(unknown.start, |d| d.start);
                reader.detour = Some(start..unknown.end);
            }
        }
        self.end = self.end.max(position);
        self.run_cursor();
        let refused = self.append_failed(now);
        Spilled { stored, refused }
    }

    /// A stored message: who was given it may still take it. Gives whom to
    /// tell, unless a device took it while the append was under way.
    fn settle(
        &mut self,
        ordinal: Ordinal,
        position: Position,
        pending: Pending,
    ) -> Option<Settled> {
        let identity = pending.message.identity();
        let taken = pending.state == PendingState::StoringTaken;
        let given = self.readers.iter().any(|r| r.holds(Next::Memory(ordinal)));
        if given || taken {
            let in_mailbox = InMailbox {
                identity: identity.clone(),
                stamp: pending.message.stamp,
                taken,
            };
            self.mailbox.insert(position, in_mailbox);
        }
        for reader in &mut self.readers {
            reader.stored(ordinal, position);
        }
        (!taken).then(|| Settled {
            identity,
            fingerprint: pending.fingerprint,
            stamp: pending.message.stamp,
            askers: pending.askers,
        })
    }

    /// What is left of an append was not carried out. What a session was given
    /// may still be taken by it, and waits on; the senders of the others are
    /// to be told.
    pub fn append_failed(&mut self, now: Moment) -> Vec<Settled> {
        let mut refused = Vec::new();
        let mut ordinal = self.first;
        for pending in self.pending.iter_mut().take(self.storing) {
            let given = self.readers.iter().any(|r| r.holds(Next::Memory(ordinal)));
            ordinal.0 += 1;
            match pending.state {
                PendingState::Storing if given => {
                    pending.state = PendingState::Waiting;
                    pending.since = now;
                    self.failed = Some(now);
                }
                PendingState::Storing => {
                    pending.state = PendingState::Refused;
                    refused.push(Settled {
                        identity: pending.message.identity(),
                        fingerprint: pending.fingerprint,
                        stamp: pending.message.stamp,
                        askers: std::mem::take(&mut pending.askers),
                    });
                }
                PendingState::StoringTaken => pending.state = PendingState::Taken,
                PendingState::Waiting | PendingState::Taken | PendingState::Refused => {}
            }
        }
        self.storing = 0;
        self.drop_taken();
        refused
    }
}

impl Inbox {
    /// The slot goes to another shard: everything without an outcome that has
    /// no append under way, in order, in appends of the usual size. Each
    /// stands behind all before it, one under way too: where that does not get
    /// in, its senders send it again, and what came later is not to be first.
    pub fn leave(&mut self) -> Vec<(Position, Vec<Letter>)> {
        let mut behind = self.end;
        let mut waiting = Vec::new();
        for pending in &self.pending {
            match pending.state {
                PendingState::Storing | PendingState::StoringTaken => behind = behind.next(),
                PendingState::Waiting => waiting.push(Self::letter(pending)),
                PendingState::Taken | PendingState::Refused => {}
            }
        }
        let mut appends = Vec::new();
        for letters in waiting.chunks(APPEND_MAX) {
            appends.push((behind, letters.to_vec()));
            behind.0 += letters.len() as u64;
        }
        appends
    }
}
