//! The shard daemon.

pub mod store;
