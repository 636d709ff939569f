//! What can happen to a gateway.

use std::net::IpAddr;
use std::sync::Arc;

use proto::client::ClientPacket;
use proto::codes::Code;
use proto::ids::{DeviceId, SessionId, ShardId, Stamp, UserId};
use proto::link::{Batch, Down, Up};
use proto::ring::Ring;

use crate::router::LinkId;
use crate::settings::Leaving;

/// Something happened.
#[derive(Debug)]
pub enum Event {
    /// A connection was accepted. The number is never used again.
    Opened {
        /// The shell's number for it.
        session: SessionId,
        /// Where it comes from.
        address: IpAddr,
    },
    /// A packet came from a client, or bytes that are none.
    Received {
        /// From which.
        session: SessionId,
        /// What.
        packet: Result<ClientPacket, Code>,
    },
    /// A token was checked, as [`crate::Effect::Authenticate`] asked.
    Authenticated {
        /// Whose.
        session: SessionId,
        /// What it says.
        claims: Result<Claims, Code>,
    },
    /// A client does not read: what waits for its socket is at its bound.
    Clogged {
        /// Which.
        session: SessionId,
    },
    /// A client reads again for which entries of groups were left out.
    Drained {
        /// Which.
        session: SessionId,
    },
    /// A connection is gone.
    Closed {
        /// Which.
        session: SessionId,
    },
    /// A shard sent a batch.
    Arrived {
        /// By which link.
        link: LinkId,
        /// What.
        batch: Batch<Down>,
    },
    /// A link took an envelope back: its queue is full.
    LinkFull {
        /// What it gives back.
        envelope: Up,
    },
    /// A link is there.
    LinkUp {
        /// To which shard.
        shard: ShardId,
    },
    /// A link is gone, and all that was under way on it.
    LinkDown {
        /// To which shard.
        shard: ShardId,
    },
    /// The registry has a newer ring.
    RingChanged(Arc<Ring>),
    /// A deadline named by [`crate::Gateway::next_deadline`] has come.
    Tick,
    /// The gateway is about to stop: every client is asked to move to another
    /// one, once, and served until it does.
    Leaving(Leaving),
    /// The gateway stops: every client that is left is closed.
    Stopping,
}

/// What a valid token says, or what open mode grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// Who it is.
    pub user: UserId,
    /// The device, where the token names it.
    pub device: Option<DeviceId>,
    /// When it ends.
    pub expires: Option<Stamp>,
}
