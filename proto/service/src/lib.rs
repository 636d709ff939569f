//! The gRPC services between daemons, and what `proto` says of the friend graph
//! as their messages.
//!
//! Owns the generated clients and servers, and a link between gateway and
//! shard of either kind: a channel or a gRPC stream ([`link`]), fed by a queue
//! that makes batches ([`queue`]), plain or by TLS ([`tls`]); and what an operator asks
//! ([`admin`]). Must not know what stands behind them.

pub mod admin;
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

/// What the system or TLS said, below what the transport makes of it.
fn root(error: &tonic::transport::Error) -> String {
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}
