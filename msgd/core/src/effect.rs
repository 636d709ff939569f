//! What a shard wants done.

use proto::graph::GraphRequest;
use proto::ids::GatewayId;
use proto::link::{Down, Pledge};

use crate::store::Request;

/// Something to do. Effects are carried out in their order.
#[derive(Debug)]
pub enum Effect {
    /// Put an envelope on a gateway's link. If the link is gone or full, it is
    /// dropped, and a full link is cut: the gateway then announces again.
    Send {
        /// Whose.
        gateway: GatewayId,
        /// What.
        envelope: Down,
    },
    /// Ask the store; [`crate::Event::Store`] brings the outcome.
    Store(Request),
    /// Ask the friend service; [`crate::Event::Graph`] brings the answer, or
    /// [`proto::graph::GraphAnswer::Unavailable`] after a second or two.
    AskGraph {
        /// Comes back with the answer.
        ticket: GraphTicket,
        /// What.
        request: GraphRequest,
    },
    /// Another shard has a word about a lease, which is not the core's to judge.
    Pledged {
        /// By which gateway it came, and an answer goes.
        gateway: GatewayId,
        /// What.
        pledge: Pledge,
    },
    /// The lease ran out: the shard holds nothing any more and answers
    /// nothing. Another one, of a new incarnation, takes its place.
    Fenced,
}

/// Names a question to the friend service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GraphTicket(pub u64);

/// What a shard counted since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Sessions accepted.
    pub sessions: u64,
    /// Messages of own users that passed the sender's checks.
    pub accepted: u64,
    /// Messages refused for good.
    pub rejected: u64,
    /// Messages answered as delivered.
    pub delivered: u64,
    /// Messages answered as stored.
    pub stored: u64,
    /// Messages to groups answered as logged.
    pub logged: u64,
    /// Messages that came again.
    pub repeated: u64,
    /// Messages answered as unknown.
    pub unknown: u64,
    /// Messages given back to their windows.
    pub returned: u64,
    /// Copies for further devices dropped because those read too slowly.
    pub copies_shed: u64,
    /// Questions to the friend service.
    pub friendd_requests: u64,
    /// Log-ins for which the friend service was asked.
    pub friendd_logins: u64,
    /// Statuses pushed to sessions.
    pub statuses: u64,
    /// Statuses given up because too many were unanswered.
    pub tells_shed: u64,
    /// Transient messages, receipts and requests dropped for want of room.
    pub shed: u64,
    /// Users dropped from memory for want of room.
    pub users_evicted: u64,
    /// Appends that the store did not carry out.
    pub store_failures: u64,
}
