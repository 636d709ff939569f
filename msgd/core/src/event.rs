//! What can happen to a shard.

use std::sync::Arc;

use proto::clock::Moment;
use proto::graph::GraphAnswer;
use proto::ids::GatewayId;
use proto::link::{Batch, Up};
use proto::ring::Ring;

use crate::effect::GraphTicket;
use crate::store::{Claim, Outcome};

/// Stands where a gateway does when the shell asks for an operator: a request
/// ([`Up::Request`]) of a session of this one is for any user of the shard, and
/// needs nobody to be logged in. The session's number comes back with the
/// answer, in an [`crate::Effect::Send`] that the shell keeps. No gateway draws
/// it as its name.
pub const OPERATOR: GatewayId = GatewayId(0);

/// Something happened.
#[derive(Debug)]
pub enum Event {
    /// A gateway's link is there.
    GatewayUp {
        /// Whose.
        gateway: GatewayId,
    },
    /// A gateway's link is gone, and all that was under way on it.
    GatewayLost {
        /// Whose.
        gateway: GatewayId,
    },
    /// A gateway sent a batch.
    Arrived {
        /// Which.
        gateway: GatewayId,
        /// What.
        batch: Batch<Up>,
    },
    /// The store carried something out.
    Store(Outcome),
    /// The store refuses these claims, all of them at once: what
    /// [`Outcome::Refused`] says of one.
    Refused(Vec<Claim>),
    /// The friend service answered.
    Graph {
        /// What.
        ticket: GraphTicket,
        /// How.
        answer: GraphAnswer,
    },
    /// The registry has a newer ring.
    RingChanged(Arc<Ring>),
    /// The lease was renewed: it ends at this time, counted from before the
    /// renewal was asked for.
    Lease {
        /// When.
        until: Moment,
    },
    /// A deadline named by [`crate::Shard::next_deadline`] has come.
    Tick,
    /// The shard stops: what is undelivered is stored, every slot released.
    Stopping,
}
