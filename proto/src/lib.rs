//! What two processes must agree on: packets, frames, envelopes, limits,
//! codes, ids, the slot hash, the ring and the friend-list hash.
//!
//! Owns formats and their meaning. Does no I/O and knows no service.
//! `PROTOCOL.md` beside this crate tells the client's side in prose.

pub mod client;
pub mod clock;
pub mod codes;
pub mod frame;
pub mod friends;
pub mod graph;
pub mod group;
pub mod ids;
pub mod limits;
pub mod link;
pub mod rate;
pub mod ring;
pub mod server;
pub mod slot;
pub mod status;

mod codec;
mod convert;

/// The wire types that the `.proto` files describe. Only codecs name them.
#[allow(missing_docs, clippy::all)]
pub mod wire {
    /// Client packets.
    pub mod client {
        include!(concat!(env!("OUT_DIR"), "/im.client.rs"));
    }
    /// Envelopes of links.
    pub mod link {
        include!(concat!(env!("OUT_DIR"), "/im.link.rs"));
    }
}
