//! What shards say to each other about their leases.
//!
//! Owns how it comes to who judges it. Must not know what is promised.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;

use proto::ids::GatewayId;
use proto::link::Pledge;
use tokio::sync::Notify;

/// More than this at once come from nobody who means it.
const PLEDGES_MAX: usize = 8_192;

/// What came and is not judged yet.
#[derive(Debug, Default)]
pub struct Pledges {
    came: RefCell<VecDeque<(GatewayId, Pledge)>>,
    notify: Notify,
    /// How many ways questions have taken so far.
    turn: Cell<usize>,
}

impl Pledges {
    pub(crate) fn put(&self, gateway: GatewayId, pledge: Pledge) {
        let mut came = self.came.borrow_mut();
        if came.len() < PLEDGES_MAX {
            came.push_back((gateway, pledge));
            self.notify.notify_one();
        }
    }

    /// With which gateway to begin, where questions leave by so many.
    pub(crate) fn turn(&self, ways: usize) -> usize {
        let turn = self.turn.get();
        self.turn.set(turn.wrapping_add(ways));
        turn
    }

    /// Waits for the next, and the gateway by which it came.
    pub async fn next(&self) -> (GatewayId, Pledge) {
        loop {
            let came = self.came.borrow_mut().pop_front();
            match came {
                Some(came) => return came,
                None => self.notify.notified().await,
            }
        }
    }
}
