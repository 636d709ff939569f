//! What is of unknown fate is sent again.
//!
//! Owns when. Must not know how messages are written.

use std::time::Instant;

use anyhow::{Result, bail};
use proto::codes::Code;
use proto::ids::MessageId;

use super::{PAUSE, Post};
use crate::ledger::MessageNumber;

impl Post {
    pub(super) fn unknown(&mut self, at: usize, id: MessageId, code: Code) -> Result<()> {
        let number = MessageNumber::of(id);
        let client = &mut self.clients[at];
        if !client.unanswered.contains(&number) {
            bail!("{} got {code} for what is answered", client.seat.user);
        }
        self.unknown += 1;
        client.unknown.push_back((Instant::now() + PAUSE, number));
        self.repeating.insert(at);
        Ok(())
    }

    pub(super) fn repeat_unknown(&mut self) {
        let now = Instant::now();
        for at in std::mem::take(&mut self.repeating) {
            // Who is lost writes all that is unanswered when they are back.
            while self.is_there(at)
                && let Some((when, number)) = self.clients[at].unknown.pop_front()
            {
                if when > now {
                    self.clients[at].unknown.push_front((when, number));
                    self.repeating.insert(at);
                    break;
                }
                self.put_again(at, number);
            }
        }
    }
}
