//! What the friend service was asked.
//!
//! Owns what is kept until it answers. Must not know what an answer does.

use proto::graph::Change;
use proto::ids::{GatewayId, UserId};

/// What was asked.
#[derive(Debug)]
pub(super) enum Question {
    /// A user's list.
    List(UserId),
    /// A change.
    Change(Changing),
}

/// A change that the friend service was asked for.
#[derive(Debug)]
pub(super) struct Changing {
    /// Which.
    pub change: Change,
    /// How often, this time too.
    pub attempts: u32,
    /// For whom.
    pub reply: Reply,
}

/// Who waits for it.
#[derive(Debug)]
pub(super) enum Reply {
    /// An act of this shard.
    Own(u64),
    /// An act of another shard, by this gateway.
    Relayed(GatewayId, u64),
}
