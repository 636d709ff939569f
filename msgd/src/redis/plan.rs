//! What is to be asked of the server for a round of requests.
//!
//! Owns the commands and whose replies they bring. Must not know what requests
//! mean.

use std::collections::HashMap;
use std::ops::Range;

use msgd_core::store::{Claim, Mailbox, Position};
use proto::ids::Token;
use proto::slot::Slot;
use shared::{Command, Failure, Life};

use super::keys::SlotKeys;

/// Bytes that the reads of a round are to bring at most, about.
const READ_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// What a request becomes.
#[derive(Debug)]
pub(super) enum Step {
    /// Each reply is that of one message.
    Append {
        first: Position,
        count: usize,
    },
    /// One reply with entries, or none if there is nothing to read.
    Read {
        bytes_max: usize,
    },
    /// Trimmed, and what is at the front then; no reply if it did not move.
    Advance,
    /// Heads of rows if there are messages, then the user's groups, then when the
    /// incarnation was last alive if the user is where that is.
    Open {
        mailbox: Mailbox,
        heads: bool,
        here: bool,
    },
    Note,
    TakeNotes,
    Seen,
}

/// A step, whose request it is, and its replies among all.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) request: usize,
    pub(super) step: Step,
    pub(super) replies: Range<usize>,
}

/// Commands in the order in which they are to be carried out, and what they are
/// for.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) commands: Vec<Command>,
    pub(super) steps: Vec<Planned>,
    /// Requests for which something must be looked up first.
    pub(super) deferred: Vec<usize>,
    /// Where the reply to the check of a claim is.
    checks: HashMap<Claim, usize>,
    wanted: Vec<(Claim, Option<Life>)>,
    /// Where the claim is good of whom commands are for.
    life: Option<Life>,
    /// Bytes that reads will bring, about.
    read_bytes: u64,
}

impl Plan {
    /// What is pushed from now on is under a claim that is good there.
    pub(super) fn under(&mut self, life: Option<Life>) {
        self.life = life;
    }

    pub(super) fn push(&mut self, command: Command) {
        self.commands.push(command.only_in(self.life.clone()));
    }

    /// A command about what is no slot's.
    pub(super) fn push_free(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// Whether a read that will bring about so many bytes is for this round:
    /// the first is, whatever it brings.
    pub(super) fn has_room(&mut self, bytes: u64) -> bool {
        let has_room = self.read_bytes == 0 || self.read_bytes + bytes <= READ_BYTES_MAX;
        if has_room {
            self.read_bytes += bytes.max(1);
        }
        has_room
    }

    /// The answers count only if the claim is the newest after them.
    pub(super) fn check(&mut self, claim: Claim) {
        if self.checks.insert(claim, usize::MAX).is_none() {
            self.wanted.push((claim, self.life.clone()));
        }
    }

    /// Nothing is pushed after this.
    pub(super) fn finish(&mut self) {
        for (claim, life) in self.wanted.drain(..) {
            self.checks.insert(claim, self.commands.len());
            self.commands.push(holds(claim.slot).only_in(life));
        }
    }

    /// Where the reply to the check of a claim is, if it was asked for.
    pub(super) fn check_of(&self, claim: Claim) -> Option<usize> {
        self.checks.get(&claim).copied()
    }
}

/// Asks for the newest token of a slot and whether it is held.
pub(super) fn holds(slot: Slot) -> Command {
    let keys = SlotKeys::new(slot);
    Command::read("HMGET", keys.slot).arg("token").arg("holder")
}

/// What the answer to [`holds`] says of a token; `None`: nothing.
pub(super) fn is_held(token: Token, reply: &shared::Reply) -> Option<bool> {
    match reply {
        Ok(shared::Value::Array(parts)) => match &parts[..] {
            [shared::Value::BulkString(newest), holder] => {
                let same = newest.as_slice() == token.0.to_string().as_bytes();
                Some(same && *holder != shared::Value::Nil)
            }
            _ => Some(false),
        },
        Err(Failure::Another) => Some(false),
        _ => None,
    }
}
