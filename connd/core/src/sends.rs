//! The window of one session's messages that have no answer.
//!
//! Owns what was sent and not answered, in order, and the generation under
//! which it was last sent. Must not know where it goes.

use std::collections::VecDeque;

use bytes::Bytes;
use proto::clock::Moment;
use proto::ids::{Generation, MessageId};
use proto::link::{Attempt, Recipient};

/// A message without an answer.
#[derive(Debug)]
pub struct Outstanding {
    /// The sender's id for it.
    pub id: MessageId,
    /// To whom.
    pub to: Recipient,
    /// As the client sent it.
    pub body: Bytes,
    /// When it came.
    pub since: Moment,
    /// As what it goes out next.
    pub attempt: Attempt,
}

/// What became of a message offered to the window.
#[derive(Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is the newest of the window.
    New,
    /// The same message is in the window already.
    Again,
    /// The same id is in the window with another body or recipient.
    Reused,
    /// There is no room.
    Exceeded,
}

/// Messages in order, bounded in number and bytes.
#[derive(Debug, Default)]
pub struct SendWindow {
    messages: VecDeque<Outstanding>,
    bytes: usize,
    generation: Generation,
    /// The last under which something was sent.
    sent: Generation,
}

impl SendWindow {
    /// Takes a message if there is room.
    pub fn admit(&mut self, message: Outstanding, count_max: u32, bytes_max: u32) -> Admitted {
        if let Some(same) = self.messages.iter().find(|m| m.id == message.id) {
            let equal = same.to == message.to && same.body == message.body;
            return if equal {
                Admitted::Again
            } else {
                Admitted::Reused
            };
        }
        let full = self.messages.len() >= count_max as usize
            || self.bytes + message.body.len() > bytes_max as usize;
        if full {
            return Admitted::Exceeded;
        }
        self.bytes += message.body.len();
        self.messages.push_back(message);
        Admitted::New
    }

    /// Takes an answered message out; `None` if it has its answer already.
    pub fn answered(&mut self, id: MessageId) -> Option<Outstanding> {
        let at = self.messages.iter().position(|m| m.id == id)?;
        let message = self.messages.remove(at)?;
        self.bytes -= message.body.len();
        Some(message)
    }

    /// Takes out the oldest if it came at `before` or earlier.
    pub fn expired(&mut self, before: Moment) -> Option<Outstanding> {
        if self.messages.front()?.since > before {
            return None;
        }
        let message = self.messages.pop_front()?;
        self.bytes -= message.body.len();
        Some(message)
    }

    /// Begins the next generation: what comes back under the old is dropped.
    pub fn next_generation(&mut self) {
        self.generation.0 = self.generation.0.wrapping_add(1);
    }

    /// What comes back under another is dropped.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// Something is sent under the generation.
    pub fn go_out(&mut self) -> Generation {
        self.sent = self.generation;
        self.sent
    }

    /// Whether nothing was sent under a later generation than this: then no
    /// copy is under way that could come through after a refusal of this one.
    pub fn is_last(&self, generation: Generation) -> bool {
        self.sent == generation
    }

    /// The messages, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Outstanding> {
        self.messages.iter()
    }

    /// The same, to be sent again.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Outstanding> {
        self.messages.iter_mut()
    }

    /// Whether all is answered.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// When the oldest came.
    pub fn oldest(&self) -> Option<Moment> {
        self.messages.front().map(|m| m.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_holds_until_a_later_copy_is_under_way() {
        let mut window = SendWindow::default();
        let first = window.go_out();
        assert!(window.is_last(first));
        // It waits for a pause to end: no copy is out but the first.
        window.next_generation();
        assert!(window.is_last(first));
        assert_ne!(window.generation(), first);
        let second = window.go_out();
        assert!(window.is_last(second) && !window.is_last(first));
    }
}
