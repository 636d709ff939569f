//! Which messages were shown, and which carbons told.
//!
//! Owns bounded memories. What must outlive the process is the application's
//! to keep.

use std::collections::{HashSet, VecDeque};
use std::hash::Hash;

use proto::ids::{Identity, MessageId};

/// The most identities kept in memory. A server sends a message again when its
/// acknowledgement was lost, which concerns a window or two of the newest.
pub(super) const SEEN_MAX: usize = 8_192;

/// The most messages of other devices that are remembered: what comes twice
/// comes soon.
const CARBONS_MAX: usize = 1_024;

/// Messages that were shown.
pub(super) type Seen = Newest<Identity, SEEN_MAX>;

/// This user's messages that another device sent and that were told.
pub(super) type Carbons = Newest<MessageId, CARBONS_MAX>;

/// The newest `MAX` of what was remembered; the oldest goes first.
#[derive(Debug)]
pub(super) struct Newest<T, const MAX: usize> {
    known: HashSet<T>,
    order: VecDeque<T>,
}

impl<T, const MAX: usize> Default for Newest<T, MAX> {
    fn default() -> Self {
        Self {
            known: HashSet::new(),
            order: VecDeque::new(),
        }
    }
}

impl<T: Clone + Eq + Hash, const MAX: usize> Newest<T, MAX> {
    pub(super) fn contains(&self, one: &T) -> bool {
        self.known.contains(one)
    }

    /// `false`: it is remembered already.
    pub(super) fn remember(&mut self, one: T) -> bool {
        if !self.known.insert(one.clone()) {
            return false;
        }
        self.order.push_back(one);
        if self.order.len() > MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proto::ids::{MessageId, UserId};

    fn identity(n: usize) -> Identity {
        Identity {
            from: UserId::new("ann").unwrap(),
            id: MessageId::mint(n as u64, [0; 10]),
        }
    }

    #[test]
    fn the_oldest_goes_first() {
        let mut seen = Seen::default();
        for n in 0..=SEEN_MAX {
            seen.remember(identity(n));
            seen.remember(identity(n));
        }
        assert!(!seen.contains(&identity(0)));
        assert!(seen.contains(&identity(1)));
        assert!(seen.contains(&identity(SEEN_MAX)));
        assert_eq!(seen.known.len(), SEEN_MAX);
        assert_eq!(seen.order.len(), SEEN_MAX);
    }
}
