//! The gRPC services between daemons, and what `proto` says of the friend graph
//! as their messages.
//!
//! Owns the generated clients and servers. Must not know how they are served,
//! over which transport, or what stands behind them. Batches of links are
//! converted in `proto`; only what has a message of its own here is in
//! [`graph`].

pub mod graph;

/// The services that `service.proto` describes: `link_client`, `link_server`,
/// `friends_client`, `friends_server`, and the messages of the latter.
#[allow(missing_docs, clippy::all)]
pub mod wire {
    tonic::include_proto!("im.service");
}
