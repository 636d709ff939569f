//! What is to be asked of the server for a round of requests.
//!
//! Owns the commands and whose replies they bring. Must not know what requests
//! mean.

use std::collections::HashMap;
use std::ops::Range;

use msgd_core::store::{Claim, Mailbox, Position};
use proto::ids::Token;
use proto::slot::Slot;
use shared::Command;

use super::keys::SlotKeys;

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
    /// Heads of rows if there are messages, then when the incarnation was last
    /// alive if the user is where that is.
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
    wanted: Vec<Claim>,
}

impl Plan {
    pub(super) fn push(&mut self, command: Command) {
        self.commands.push(command);
    }

    /// The answers count only if the claim is the newest after them.
    pub(super) fn check(&mut self, claim: Claim) {
        if self.checks.insert(claim, usize::MAX).is_none() {
            self.wanted.push(claim);
        }
    }

    /// Nothing is pushed after this.
    pub(super) fn finish(&mut self) {
        for claim in self.wanted.drain(..) {
            self.checks.insert(claim, self.commands.len());
            self.commands.push(holds(claim.slot));
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
        _ => None,
    }
}
