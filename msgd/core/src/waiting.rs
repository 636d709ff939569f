//! The waiting room of rule 4: envelopes for slots that are being claimed, or
//! from a ring that the shard does not know yet.
//!
//! Bounded; who finds it full is sent back. Must not know what envelopes do.

use std::collections::VecDeque;

use proto::ids::{Epoch, GatewayId};
use proto::link::Up;

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

/// Envelopes in the order in which they came.
#[derive(Debug)]
pub struct WaitingRoom {
    waiting: VecDeque<Waiting>,
    max: usize,
}

impl WaitingRoom {
    /// Room for this many.
    pub fn new(max: usize) -> Self {
        Self {
            waiting: VecDeque::new(),
            max,
        }
    }

    /// Takes an envelope in, or gives it back.
    pub fn enter(&mut self, waiting: Waiting) -> Result<(), Waiting> {
        if self.waiting.len() >= self.max {
            return Err(waiting);
        }
        self.waiting.push_back(waiting);
        Ok(())
    }

    /// Takes all out, in order: who must wait on enters again.
    pub fn leave(&mut self) -> VecDeque<Waiting> {
        std::mem::take(&mut self.waiting)
    }

    /// Forgets what came from a gateway whose link is gone.
    pub fn forget(&mut self, gateway: GatewayId) {
        self.waiting.retain(|waiting| waiting.gateway != gateway);
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }
}
