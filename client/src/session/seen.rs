//! Which messages were shown.
//!
//! Owns a bounded memory. What must outlive the process is the application's
//! to keep.

use std::collections::{HashSet, VecDeque};

use proto::ids::Identity;

/// The most identities kept in memory. A server sends a message again when its
/// acknowledgement was lost, which concerns a window or two of the newest.
pub(super) const SEEN_MAX: usize = 8_192;

/// The newest [`SEEN_MAX`] identities; the oldest goes first.
#[derive(Debug, Default)]
pub(super) struct Seen {
    known: HashSet<Identity>,
    order: VecDeque<Identity>,
}

impl Seen {
    pub(super) fn contains(&self, identity: &Identity) -> bool {
        self.known.contains(identity)
    }

    pub(super) fn remember(&mut self, identity: Identity) {
        if !self.known.insert(identity.clone()) {
            return;
        }
        self.order.push_back(identity);
        if self.order.len() > SEEN_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
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
