//! A Redis or Valkey that daemons share: where it is, and how commands get
//! there and replies back; what an operator may say of it.
//!
//! Owns addresses, connections to one server, to the primary that Sentinels
//! name or to the primaries of a Cluster, and what becomes of commands when one
//! is lost. Must not know any key but the mark of a copy that is not whole.
//!
//! # What is promised
//!
//! - Commands of one call are carried out in their order, in one pipeline for
//!   each server. In a Cluster that order holds among keys with the same tag:
//!   those of different tags may be on different servers. While keys are on
//!   their way it holds for what only reads and comes last: it is as new as what
//!   stands before it.
//! - Each command gets one reply. What a server says to one is that one's. A
//!   connection that is lost, or silent for too long, fails all that it has not
//!   answered, and each of these may have been done or not.
//! - Nothing is sent a second time, except to where the keys of a slot are on
//!   their way. A slot that has another server by now is `MOVED`: that was not
//!   done, and the next call goes there. Who knows what is kept in Redis looks
//!   again then: after a fail-over some of it may be gone.
//! - A command may be for one life of a server only. What a server has once
//!   answered may be forgotten in the next: it was started again, or another
//!   has taken over.
//! - After a failure the next call connects again, but not before a pause that
//!   grows; until then all fails at once.
//!
//! The routing to servers of a Cluster is here and not in the driver: that one
//! sends a whole pipeline again when one command was sent on, or when a
//! connection was lost.

mod address;
mod client;
mod cluster;
mod command;
pub mod durability;
mod failure;
mod hash;
mod life;
pub mod mark;
mod pause;
pub mod section;
mod sentinel;
mod server;
mod servers;
mod settings;
pub mod transfer;

pub use address::{Address, AddressError};
pub use client::Redis;
pub use command::{Command, Script};
pub use failure::{Failure, Reply};
pub use life::Life;
pub use redis::Value;
pub use servers::Primary;
pub use settings::{Confirm, Settings, Trust};
