//! Who is who in a mixed load: chatters, who write to each other, then
//! senders, who write to the rest, who are away.
//!
//! Owns the order of the clients. Must not know when they write.

use std::ops::Range;

use anyhow::Result;

use crate::correspondent::Route;
use crate::offline::seat;
use crate::post::{Post, Rules};
use crate::target::Target;

/// How many there are of each.
#[derive(Debug, Clone, Copy)]
pub struct Seats {
    /// Pairs of chatters.
    pub pairs: usize,
    /// Who write to those who are away.
    pub senders: usize,
    /// Those who are away.
    pub users: usize,
}

impl Seats {
    /// Who write to each other: the first, each pair side by side.
    pub fn chatters(self) -> usize {
        2 * self.pairs
    }

    /// Who write, senders behind chatters.
    pub fn writers(self) -> usize {
        self.chatters() + self.senders
    }

    /// Everybody.
    pub fn all(self) -> usize {
        self.writers() + self.users
    }

    /// Those who are away, the last.
    pub fn away(self) -> Range<usize> {
        self.writers()..self.all()
    }

    /// Everybody's clients, not connected yet.
    ///
    /// # Errors
    /// A token cannot be signed.
    pub fn post(self, window: usize, size: usize, target: &Target) -> Result<Post> {
        let client = |at| {
            let route = match at {
                _ if at < self.chatters() => Route::Peer(at ^ 1),
                _ if at < self.writers() => Route::Away,
                _ => Route::Nobody,
            };
            Ok((seat(at, target)?, route))
        };
        let rules = Rules {
            window,
            size,
            away: self.away(),
            come_back: true,
        };
        Post::new(rules, (0..self.all()).map(client).collect::<Result<_>>()?)
    }
}
