//! Messages that other devices of this user sent.
//!
//! Owns which of them were told already: after a failure the same one may come
//! twice. Must not know what a message says.

use std::collections::{HashSet, VecDeque};

use proto::ids::MessageId;
use proto::server::{Carbon, Did};

/// The most ids that are remembered: what comes twice comes soon.
const KNOWN_MAX: usize = 1_024;

/// The newest [`KNOWN_MAX`] ids; the oldest goes first.
#[derive(Debug, Default)]
pub(super) struct Carbons {
    known: HashSet<MessageId>,
    order: VecDeque<MessageId>,
}

impl Carbons {
    /// Whether it is to be told. It counts as told from now on.
    pub(super) fn is_new(&mut self, carbon: &Carbon) -> bool {
        let Did::Sent(sent) = &carbon.did else {
            return true;
        };
        if !self.known.insert(sent.id) {
            return false;
        }
        self.order.push_back(sent.id);
        if self.order.len() > KNOWN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}
