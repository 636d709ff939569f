//! A device took messages: the proof that they are safe.

use proto::ids::{Identity, Stamp};

use super::{Inbox, Next, PendingState, Settled};
use crate::store::Position;

/// What an acknowledged message was.
#[derive(Debug)]
pub enum Took {
    /// Nothing that is known: taken before, or of another shard's time.
    Nothing,
    /// It was in memory without an outcome.
    Pending(Settled),
    /// It was in the mailbox: its sender was told so, and gets a receipt.
    Stored {
        /// The message.
        identity: Identity,
        /// When it was accepted.
        stamp: Stamp,
    },
}

impl Took {
    /// What is told of a message that lay in several places: that which answers
    /// its sender comes first.
    fn or(self, other: Option<Self>) -> Self {
        match (self, other) {
            (Self::Nothing, Some(other)) => other,
            (_, Some(other @ Self::Pending(_))) => other,
            (own, _) => own,
        }
    }
}

impl Inbox {
    /// A session's client took a message.
    pub fn take(&mut self, reader: Option<usize>, identity: &Identity) -> Took {
        let mut took = None;
        if let Some(index) = reader {
            // After a failure of the store a message may lie in several places;
            // its client hears and takes it once.
            while let Some(place) = self.readers[index].take(identity) {
                took = Some(self.take_at(place).or(took));
            }
        }
        // What a session took before it was announced again is found by name.
        took.unwrap_or_else(|| match self.find(identity) {
            Some(place) => self.take_at(place),
            None => Took::Nothing,
        })
    }

    fn take_at(&mut self, place: Next) -> Took {
        match place {
            Next::Memory(ordinal) => match self.index_of(ordinal) {
                None => Took::Nothing,
                Some(index) => self.take_pending(index),
            },
            Next::Mailbox(position) => self.take_stored(position),
        }
    }

    fn find(&self, identity: &Identity) -> Option<Next> {
        let pending = self
            .pending
            .iter()
            .zip(self.first.0..)
            .filter(|(p, _)| p.state != PendingState::Refused)
            .find(|(p, _)| p.message.id == identity.id && p.message.from == identity.from);
        if let Some((_, ordinal)) = pending {
            return Some(Next::Memory(super::Ordinal(ordinal)));
        }
        let stored = self.mailbox.iter().find(|(_, m)| m.identity == *identity);
        stored.map(|(position, _)| Next::Mailbox(*position))
    }

    fn take_pending(&mut self, index: usize) -> Took {
        let pending = &mut self.pending[index];
        let state = match pending.state {
            PendingState::Waiting => PendingState::Taken,
            PendingState::Storing => PendingState::StoringTaken,
            PendingState::Taken | PendingState::StoringTaken | PendingState::Refused => {
                return Took::Nothing;
            }
        };
        pending.state = state;
        Took::Pending(Settled {
            identity: pending.message.identity(),
            fingerprint: pending.fingerprint,
            stamp: pending.message.stamp,
            askers: std::mem::take(&mut pending.askers),
        })
    }

    fn take_stored(&mut self, position: Position) -> Took {
        let Some(stored) = self.mailbox.get_mut(&position) else {
            return Took::Nothing;
        };
        if stored.taken {
            return Took::Nothing;
        }
        stored.taken = true;
        let took = Took::Stored {
            identity: stored.identity.clone(),
            stamp: stored.stamp,
        };
        self.run_cursor();
        took
    }

    /// Rule 10: the cursor moves over an unbroken run of acknowledged
    /// positions only.
    pub(super) fn run_cursor(&mut self) {
        while let Some(entry) = self.mailbox.first_entry()
            && *entry.key() == self.cursor
            && entry.get().taken
        {
            entry.remove();
            self.cursor = self.cursor.next();
        }
    }
}
