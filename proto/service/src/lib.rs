//! The gRPC services between daemons, and what `proto` says of the friend graph
//! as their messages.
//!
//! Owns the generated clients and servers, and a link between gateway and
//! shard of either kind: a channel or a gRPC stream ([`link`]), fed by a queue
//! that makes batches ([`queue`]), plain or by TLS ([`tls`]). Must not know what stands behind them.

pub mod graph;
pub mod link;
pub mod queue;
pub mod tls;

/// The services that `service.proto` describes: `link_client`, `link_server`,
/// `friends_client`, `friends_server`, and the messages of the latter.
#[allow(missing_docs, clippy::all)]
pub mod wire {
    tonic::include_proto!("im.service");
}
