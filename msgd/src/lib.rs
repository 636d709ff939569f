//! The shard's shell: links, the store and the friend service around
//! `msgd-core`.
//!
//! Owns tasks and clocks. Must not know what an envelope means: that is the
//! core's. A shard runs on one thread; a process runs several of them, each
//! with its own place on the ring.

pub mod friends;
pub mod links;
pub mod mail;
pub mod mailboxes;
pub mod metrics;
pub mod outcomes;
pub mod pledges;
pub mod redis;
mod relays;
pub mod section;
pub mod shard;
pub mod store;
pub mod transfer;
pub mod words;

mod trace;
