//! Messages of this client that have no answer.
//!
//! Owns their order and which of them are on the wire of this connection. Must
//! not know what an answer says.

use std::collections::VecDeque;

use bytes::Bytes;
use proto::group::Mentions;
use proto::ids::{GroupId, MessageId, UserId};

/// For whom a message is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum To {
    /// Another user.
    User(UserId),
    /// A group, and whose attention the message wants.
    Group(GroupId, Mentions),
}

/// A message without an answer.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) id: MessageId,
    pub(super) to: To,
    pub(super) body: Bytes,
    /// It was on a wire before, of this connection or another.
    pub(super) again: bool,
}

/// How much may be unanswered, as the log-in granted it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) messages: usize,
    pub(super) bytes: usize,
}

/// Why a message is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotTaken {
    /// The window has no room.
    Full,
    /// The id is unanswered already.
    UnderWay,
}

/// Unanswered messages, oldest first; at most a window of them.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    messages: VecDeque<Unanswered>,
    bytes: usize,
    /// So many of the oldest are on this connection's wire.
    wired: usize,
    wired_bytes: usize,
}

impl Outbox {
    pub(super) fn admit(&mut self, message: Unanswered, window: Window) -> Result<(), NotTaken> {
        if self.messages.iter().any(|m| m.id == message.id) {
            return Err(NotTaken::UnderWay);
        }
        let bytes = self.bytes + message.body.len();
        if self.messages.len() >= window.messages || bytes > window.bytes {
            return Err(NotTaken::Full);
        }
        self.bytes = bytes;
        self.messages.push_back(message);
        Ok(())
    }

    /// The next message for the wire. A window granted later may be smaller
    /// than the one under which messages were admitted; the first goes out
    /// whatever its size, so that the server can answer it.
    pub(super) fn transmit(&mut self, window: Window) -> Option<&Unanswered> {
        let message = self.messages.get(self.wired)?;
        let bytes = self.wired_bytes + message.body.len();
        let fits = self.wired < window.messages && bytes <= window.bytes;
        if self.wired > 0 && !fits {
            return None;
        }
        self.wired += 1;
        self.wired_bytes = bytes;
        Some(message)
    }

    /// Takes an answered message out; `false` if it has its answer already.
    pub(super) fn answered(&mut self, id: MessageId) -> bool {
        let Some(at) = self.messages.iter().position(|m| m.id == id) else {
            return false;
        };
        let Some(message) = self.messages.remove(at) else {
            return false;
        };
        self.bytes -= message.body.len();
        if at < self.wired {
            self.wired -= 1;
            self.wired_bytes -= message.body.len();
        }
        true
    }

    /// The connection is gone: all go out again, in order.
    pub(super) fn lost(&mut self) {
        for message in self.messages.iter_mut().take(self.wired) {
            message.again = true;
        }
        self.wired = 0;
        self.wired_bytes = 0;
    }

    /// Empties it.
    pub(super) fn give_up(&mut self) -> impl Iterator<Item = MessageId> {
        std::mem::take(self).messages.into_iter().map(|m| m.id)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Window = Window {
        messages: 3,
        bytes: 100,
    };

    fn message(n: u8, bytes: usize) -> Unanswered {
        Unanswered {
            id: MessageId::from_bytes([n; 16]),
            to: To::User(UserId::new("ben").unwrap()),
            body: vec![n; bytes].into(),
            again: false,
        }
    }

    fn wire(outbox: &mut Outbox, window: Window) -> Vec<u8> {
        std::iter::from_fn(|| outbox.transmit(window).map(|m| m.id.as_bytes()[0])).collect()
    }

    #[test]
    fn a_full_window_takes_nothing_until_an_answer() {
        let mut outbox = Outbox::default();
        for n in 1..=3 {
            assert_eq!(outbox.admit(message(n, 10), WIDE), Ok(()));
        }
        assert_eq!(outbox.admit(message(4, 10), WIDE), Err(NotTaken::Full));
        assert_eq!(outbox.admit(message(2, 10), WIDE), Err(NotTaken::UnderWay));
        assert!(outbox.answered(MessageId::from_bytes([2; 16])));
        assert!(!outbox.answered(MessageId::from_bytes([2; 16])));
        assert_eq!(outbox.admit(message(4, 81), WIDE), Err(NotTaken::Full));
        assert_eq!(outbox.admit(message(4, 80), WIDE), Ok(()));
    }

    #[test]
    fn what_is_unanswered_goes_out_again_in_order_and_once() {
        let mut outbox = Outbox::default();
        for n in 1..=3 {
            outbox.admit(message(n, 10), WIDE).unwrap();
        }
        assert_eq!(wire(&mut outbox, WIDE), [1, 2, 3]);
        assert!(outbox.answered(MessageId::from_bytes([2; 16])));
        outbox.admit(message(4, 10), WIDE).unwrap();
        assert_eq!(wire(&mut outbox, WIDE), [4]);
        outbox.admit(message(5, 90), WIDE).unwrap_err();
        outbox.lost();
        assert!(outbox.answered(MessageId::from_bytes([1; 16])));
        outbox.admit(message(5, 10), WIDE).unwrap();
        let again =
            |outbox: &mut Outbox| outbox.transmit(WIDE).map(|m| (m.id.as_bytes()[0], m.again));
        assert_eq!(again(&mut outbox), Some((3, true)));
        assert_eq!(again(&mut outbox), Some((4, true)));
        assert_eq!(again(&mut outbox), Some((5, false)));
    }

    #[test]
    fn a_smaller_window_later_holds_back_but_never_stalls() {
        let mut outbox = Outbox::default();
        for n in 1..=3 {
            outbox.admit(message(n, 30), WIDE).unwrap();
        }
        let narrow = Window {
            messages: 3,
            bytes: 20,
        };
        assert_eq!(wire(&mut outbox, narrow), [1]);
        assert!(outbox.answered(MessageId::from_bytes([1; 16])));
        assert_eq!(wire(&mut outbox, narrow), [2]);
    }
}
