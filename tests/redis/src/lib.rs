//! Redis servers of tests.
//!
//! Owns processes of `redis-server` on free ports of 127.0.0.1, each in a
//! temporary directory of its own, and ends them. Must not know who uses them.

mod cluster;
mod power;
mod sentinel;
mod server;

pub use cluster::{Cluster, Moving};
pub use power::Cut;
pub use sentinel::Watched;
pub use server::{Server, free_port};
