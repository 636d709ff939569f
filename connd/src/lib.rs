//! The gateway's shell: client sockets, links and clocks around `connd-core`.
//!
//! Owns bytes and tasks. Must not know friends, storage, or what a packet
//! means: that is the core's. A gateway runs on one thread, with all its
//! sessions; a process runs several of them, each a gateway of its own to the
//! shards.

pub mod access;
pub mod doors;
pub mod frames;
pub mod gateway;
pub mod keys;
pub mod lines;
pub mod links;
pub mod listen;
pub mod metrics;
pub mod section;
pub mod tls;
pub mod token;

mod handshakes;
mod holding;
mod secure;
mod session;
mod socket;
mod spread;
mod trace;
mod turn;
