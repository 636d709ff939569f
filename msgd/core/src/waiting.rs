//! The waiting room of rule 4: envelopes for slots that are being claimed, or
//! from a ring that the shard does not know yet.
//!
//! Bounded; who finds it full is sent back. Must not know what envelopes do.

use std::collections::{HashMap, HashSet, VecDeque};

use proto::ids::{Epoch, GatewayId, SessionRef};
use proto::link::Up;
use proto::slot::Slot;

/// An envelope that waits.
#[derive(Debug)]
pub struct Waiting {
    /// Who sent it.
    pub gateway: GatewayId,
    /// By which ring it was routed.
    pub epoch: Epoch,
    /// What it is.
    pub envelope: Up,
}

impl Waiting {
    /// The session whose own announcement, message or request it is.
    pub fn session(&self) -> Option<SessionRef> {
        let session = match &self.envelope {
            Up::Announce(announce) => announce.session,
            Up::Submit(submit) => submit.session,
            Up::Gone { session, .. }
            | Up::Acknowledge { session, .. }
            | Up::Request { session, .. } => *session,
            Up::Relay(_) | Up::ToGroup { .. } => return None,
        };
        let gateway = self.gateway;
        Some(SessionRef { gateway, session })
    }
}

/// Envelopes in the order in which they came.
#[derive(Debug)]
pub struct WaitingRoom {
    waiting: VecDeque<(Slot, Waiting)>,
    /// How many of each session wait: most have none, and end without a search.
    sessions: HashMap<SessionRef, usize, ahash::RandomState>,
    max: usize,
}

impl WaitingRoom {
    /// Room for this many.
    pub fn new(max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            sessions: HashMap::default(),
            max,
        }
    }

    /// Room for this many from now on; who is in stays.
    pub fn set_max(&mut self, max: usize) {
        self.max = max;
    }

    /// Takes an envelope for a user of this slot in, or gives it back.
    pub fn enter(&mut self, slot: Slot, waiting: Waiting) -> Result<(), Waiting> {
        if self.waiting.len() >= self.max {
            return Err(waiting);
        }
        if let Some(at) = waiting.session() {
            *self.sessions.entry(at).or_default() += 1;
        }
        self.waiting.push_back((slot, waiting));
        Ok(())
    }

    /// Takes all out, in order: who must wait on enters again.
    pub fn leave(&mut self) -> Vec<Waiting> {
        self.sessions.clear();
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().map(|(_, waiting)| waiting).collect()
    }

    /// Takes those for a slot out, in order.
    pub fn leave_for(&mut self, slot: Slot) -> Vec<Waiting> {
        if self.waiting.iter().all(|(other, _)| *other != slot) {
            return Vec::new();
        }
        self.take_out(|other, _| other == slot)
    }

    /// The slots that somebody waits for.
    pub fn slots(&self) -> HashSet<Slot> {
        self.waiting.iter().map(|(slot, _)| *slot).collect()
    }

    /// Takes out what a session sent that is gone.
    pub fn leave_of(&mut self, at: SessionRef) -> Vec<Waiting> {
        if !self.sessions.contains_key(&at) {
            return Vec::new();
        }
        self.take_out(|_, waiting| waiting.session() == Some(at))
    }

    fn take_out(&mut self, leaves: impl Fn(Slot, &Waiting) -> bool) -> Vec<Waiting> {
        let (leaving, staying) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<VecDeque<_>, _>(|(slot, waiting)| leaves(*slot, waiting));
        self.waiting = staying;
        let leaving: Vec<Waiting> = leaving.into_iter().map(|(_, waiting)| waiting).collect();
        for at in leaving.iter().filter_map(Waiting::session) {
            if let Some(count) = self.sessions.get_mut(&at) {
                *count -= 1;
                if *count == 0 {
                    self.sessions.remove(&at);
                }
            }
        }
        leaving
    }

    /// Forgets what came from a gateway whose link is gone.
    pub fn forget(&mut self, gateway: GatewayId) {
        self.waiting
            .retain(|(_, waiting)| waiting.gateway != gateway);
        self.sessions.retain(|at, _| at.gateway != gateway);
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}
