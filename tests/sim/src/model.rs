//! The naive model: which messages were written, and what is said of them; which
//! groups there are, and what is in their logs.
//!
//! Owns one line per message, too simple to be wrong. Must not know shards,
//! gateways or stores.

mod groups;

use std::collections::BTreeMap;
use std::fmt;

use proto::codes::Code;
use proto::ids::{DeviceId, GroupId, Identity, UserId};

use crate::agenda::Time;
use crate::observed::{Observed, Process, Verdict};

pub use groups::Groups;

/// To whom a message is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// A user.
    User(UserId),
    /// Whoever is in a group.
    Group(GroupId),
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(f),
            Self::Group(group) => write!(f, "group {group}"),
        }
    }
}

/// A message.
#[derive(Debug)]
pub struct Letter {
    /// Where it was written.
    pub process: Process,
    /// The how-manieth of that process it is.
    pub order: usize,
    /// To whom.
    pub to: To,
    /// What it says.
    pub body: Vec<u8>,
    /// When it was written.
    pub written: Time,
    /// When the first 'Sent' left the cluster.
    pub sent: Option<Time>,
    /// It was called stored.
    pub stored: bool,
    /// It was refused for good.
    pub refused: Option<Code>,
    /// It was called unknown at some time.
    pub unknown: bool,
    /// The connection on which it is without an answer.
    pub open: Option<u64>,
    /// Its client sent it once more before it had an answer.
    pub repeated: bool,
    /// Who took it, and when.
    pub taken: Vec<(Process, Time)>,
}

/// Every message of a world.
#[derive(Debug, Default)]
pub struct Model {
    /// By identity.
    pub letters: BTreeMap<Identity, Letter>,
    /// Of whom the world's clients are, and which devices.
    pub devices: Vec<(UserId, DeviceId)>,
    /// What is in the logs of groups, and what was asked of them.
    pub groups: Groups,
    written: BTreeMap<Process, usize>,
    ended: Vec<Process>,
}

impl Model {
    /// A process is over: nobody waits for its answers.
    pub fn process_ended(&mut self, client: usize) {
        let last = self.written.keys().filter(|p| p.client == client).max();
        self.ended.extend(last);
    }

    /// Takes note of what happened.
    pub fn observe(&mut self, now: Time, observed: &Observed<'_>) {
        self.groups.observe(observed);
        match observed {
            Observed::Written {
                process,
                identity,
                to,
                body,
            } => {
                let order = self.written.entry(*process).or_default();
                *order += 1;
                let letter = Letter {
                    process: *process,
                    order: *order,
                    to: (*to).clone(),
                    body: body.to_vec(),
                    written: now,
                    sent: None,
                    stored: false,
                    refused: None,
                    unknown: false,
                    open: None,
                    repeated: false,
                    taken: Vec::new(),
                };
                self.letters.insert((*identity).clone(), letter);
            }
            Observed::Left {
                identity, verdict, ..
            } => {
                let Some(letter) = self.letters.get_mut(identity) else {
                    return;
                };
                match verdict {
                    Verdict::Delivered(_) | Verdict::Logged(_) => {
                        letter.sent = letter.sent.or(Some(now));
                    }
                    Verdict::Stored => {
                        letter.sent = letter.sent.or(Some(now));
                        letter.stored = true;
                    }
                    Verdict::Rejected(_) | Verdict::Unknown(_) => {}
                }
            }
            Observed::Sends {
                connection,
                identity,
            } => {
                if let Some(letter) = self.letters.get_mut(identity) {
                    letter.repeated |= letter.open == Some(*connection);
                    letter.open = Some(*connection);
                }
            }
            Observed::NotSafe {
                identity,
                refused,
                code,
            } => {
                if let Some(letter) = self.letters.get_mut(identity) {
                    letter.open = None;
                    letter.unknown |= !refused;
                    letter.refused = letter.refused.or(refused.then_some(*code));
                }
            }
            Observed::Showed {
                process, identity, ..
            } => {
                if let Some(letter) = self.letters.get_mut(identity) {
                    letter.taken.push((*process, now));
                }
            }
            _ => {}
        }
    }
}
