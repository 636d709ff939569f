//! All accounts of a run, and every message in them.
//!
//! Owns the messages: who sent which, and the words that tell. Must not know
//! how they travel.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use client::{Code, DeviceId, Fate, GroupId, Identity, Message, MessageId, Next, UserId};
use cluster::ledger::Ledger;
use proto::slot::Slot;

use crate::blocks::Blocks;
use crate::order::Order;
use crate::rooms::Rooms;
use crate::service::Service;

/// To whom somebody writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// A user.
    User(UserId),
    /// All members of a group.
    Group(GroupId),
}

impl To {
    /// Where it is served.
    pub fn slot(&self) -> Slot {
        match self {
            Self::User(user) => Slot::of(user),
            Self::Group(group) => Slot::of_group(group),
        }
    }
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => user.fmt(f),
            Self::Group(group) => write!(f, "#{group}"),
        }
    }
}

/// What one user says to another, or to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Who writes.
    pub from: UserId,
    /// To whom.
    pub to: To,
    /// Whether the recipient blocks the sender now and then: a refusal is in
    /// order then, and no service is expected.
    pub is_blocked: bool,
}

/// The accounts.
#[derive(Debug)]
pub struct Accounts {
    /// What was promised, and what came of it.
    pub ledger: Ledger,
    /// What came late.
    pub order: Order,
    /// What was said in groups.
    pub rooms: Rooms,
    /// What came through a block.
    pub blocks: Blocks,
    /// Who is served.
    pub service: Service,
    /// Refusals by their codes.
    pub refused: BTreeMap<u32, usize>,
    /// Messages to who blocks now and then of which it was said that nobody knows
    /// what became of them: they would be refused, and may have come through.
    pub doubtful: usize,
    /// Friends who were told that they are none, or the like.
    pub refused_for_no_reason: Vec<(UserId, To, Code)>,
    /// Sessions that ended for good.
    pub closed: Vec<String>,
    /// When each message was acknowledged.
    pub acknowledged: HashMap<Identity, Instant>,
    /// Users whose connection broke, and when.
    pub broken: Vec<(Instant, UserId)>,
    /// When the messages of each stream were handed over.
    sent: Vec<Vec<Instant>>,
}

/// The accounts, and what everybody writes into them.
#[derive(Debug, Clone)]
pub struct Books {
    routes: Arc<[Route]>,
    accounts: Arc<Mutex<Accounts>>,
}

impl Accounts {
    /// How many messages were handed over.
    pub fn sent(&self) -> usize {
        self.sent.iter().map(Vec::len).sum()
    }
}

impl Books {
    /// Empty, for these streams.
    pub fn of(routes: Vec<Route>) -> Self {
        let accounts = Accounts {
            ledger: Ledger::default(),
            order: Order::default(),
            rooms: Rooms::default(),
            blocks: Blocks::default(),
            service: Service::of(routes.len()),
            refused: BTreeMap::new(),
            doubtful: 0,
            refused_for_no_reason: Vec::new(),
            closed: Vec::new(),
            acknowledged: HashMap::new(),
            broken: Vec::new(),
            sent: routes.iter().map(|_| Vec::new()).collect(),
        };
        Self {
            routes: routes.into(),
            accounts: Arc::new(Mutex::new(accounts)),
        }
    }

    /// Who writes to whom, by the number of the stream.
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The accounts. Nobody waits while holding them.
    pub fn open(&self) -> MutexGuard<'_, Accounts> {
        // Who panicked has ended the run.
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A message of a stream is about to be handed over; gives its number.
    pub fn sends(&self, stream: usize) -> (usize, Instant) {
        let mut accounts = self.open();
        let now = Instant::now();
        accounts.service.sent(now);
        accounts.sent[stream].push(now);
        (accounts.sent[stream].len() - 1, now)
    }

    /// Its sender is told.
    pub fn told(&self, stream: usize, sent: Instant, id: MessageId, fate: Fate) {
        let route = &self.routes[stream];
        let from = route.from.clone();
        let identity = Identity { from, id };
        let mut accounts = self.open();
        let now = Instant::now();
        match &fate {
            Fate::Delivered { .. } | Fate::Stored { .. } | Fate::Logged { .. } => {
                accounts.service.acknowledged(stream, sent, now);
                accounts.acknowledged.insert(identity.clone(), now);
                if let To::User(to) = &route.to {
                    accounts.blocks.came(&route.from, to, sent, now);
                }
            }
            Fate::Rejected { code, .. } => {
                *accounts.refused.entry(code.number()).or_default() += 1;
                if code.next() == Next::Final && !route.is_blocked {
                    let entry = (route.from.clone(), route.to.clone(), *code);
                    accounts.refused_for_no_reason.push(entry);
                }
            }
            Fate::Unknown { code } => {
                let is_doubt = *code == Code::TooOld && route.is_blocked;
                accounts.doubtful += usize::from(is_doubt);
            }
        }
        match (&route.to, fate) {
            (To::Group(group), Fate::Logged { place, .. }) => {
                accounts.rooms.logged(identity, group, place);
            }
            (To::Group(_), Fate::Rejected { .. }) => accounts.rooms.refused(),
            (_, fate) => accounts.ledger.told(identity, fate),
        }
    }

    /// A device shows a message.
    pub fn shown(&self, message: &Message, device: &DeviceId) {
        let mut accounts = self.open();
        let now = Instant::now();
        let is_first = accounts.ledger.shown(message.identity(), device.clone());
        if let Some((stream, number)) = read(&message.body)
            && let Some(route) = self.routes.get(stream)
            && let Some(sent) = accounts.sent[stream].get(number).copied()
        {
            if let To::User(to) = &route.to {
                accounts.blocks.came(&route.from, to, sent, now);
            }
            if is_first {
                accounts.order.shown(stream, device, number, (sent, now));
            }
        }
    }
}

/// What a message of a stream says.
pub fn write(stream: usize, number: usize) -> String {
    format!("{stream} {number} {:.>96}", "")
}

fn read(body: &[u8]) -> Option<(usize, usize)> {
    let text = std::str::from_utf8(body).ok()?;
    let mut words = text.split(' ');
    let stream = words.next()?.parse().ok()?;
    Some((stream, words.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_which_it_is() {
        let text = write(12, 345_678);
        assert!(text.len() > 100);
        assert_eq!(read(text.as_bytes()), Some((12, 345_678)));
        assert_eq!(read(b"hello"), None);
    }
}
