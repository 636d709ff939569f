//! Clients come, are lost, come back and leave.
//!
//! Owns where each of them is. Must not know what they write or take.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use proto::client::ClientPacket;
use proto::server::LoginOk;

use super::{PAUSE, Post};
use crate::correspondent::Place;
use crate::session;

impl Post {
    /// A client begins to log in.
    pub fn enter(&mut self, at: usize) -> Result<()> {
        let client = &mut self.clients[at];
        let opened = self.pool.open(at, client.seat.address);
        if opened.is_err() && self.rules.come_back {
            return self.lose(at, PAUSE);
        }
        opened?;
        client.place = Place::Entering;
        let login = ClientPacket::Login(Box::new(session::login(&client.seat)));
        self.pool.put(at, &login);
        Ok(())
    }

    /// Whether a client is logged in.
    pub fn is_there(&self, at: usize) -> bool {
        self.clients[at].place == Place::There
    }

    /// Whether a client is not connected, and not about to be.
    pub fn is_away(&self, at: usize) -> bool {
        self.clients[at].place == Place::Away
    }

    /// A client that is there logs out. What comes then is not taken: it comes
    /// again.
    pub fn leave(&mut self, at: usize) {
        self.clients[at].place = Place::Leaving;
        self.pool.put(at, &ClientPacket::Logout);
    }

    pub(super) fn may_be_lost(&self, at: usize) -> bool {
        self.rules.come_back || matches!(self.clients[at].place, Place::Lost(_))
    }

    /// Comes back after `pause`, unless a longer one is under way.
    pub(super) fn lose(&mut self, at: usize, pause: Duration) -> Result<()> {
        let client = &mut self.clients[at];
        let mut back_at = Instant::now() + pause;
        if let Place::Lost(later) = client.place {
            back_at = back_at.max(later);
        }
        client.place = Place::Lost(back_at);
        self.lost.insert(at);
        Ok(())
    }

    pub(super) fn come_back(&mut self) -> Result<()> {
        let now = Instant::now();
        let due = |at: &usize| matches!(self.clients[*at].place, Place::Lost(when) if when <= now);
        let due: Vec<usize> = self.lost.iter().copied().filter(due).collect();
        for at in due {
            self.lost.remove(&at);
            self.clients[at].place = Place::Away;
            self.enter(at)?;
        }
        Ok(())
    }

    /// What is unanswered is written again, in its order, before what is new.
    pub(super) fn entered(&mut self, at: usize, granted: &LoginOk) -> Result<()> {
        ensure!(
            self.rules.window <= granted.window_messages as usize,
            "{} messages per user are wanted at once, the server grants {}",
            self.rules.window,
            granted.window_messages
        );
        self.clock = (granted.server_time.as_ms(), Instant::now());
        let client = &mut self.clients[at];
        client.place = Place::There;
        (client.taken, client.acknowledged) = (0, 0);
        client.unknown.clear();
        for number in client.unanswered.clone() {
            self.put_again(at, number);
        }
        Ok(())
    }
}
