//! The friend service around `friendd-core`.
//!
//! Owns the way from a question to the graph, from the graph to the store, and
//! back. Must not know who is online, or what a change does: that is the
//! core's.
//!
//! ```text
//! grpc ─┐
//!       ├─ FriendHandle ─ Friendd (one task, the graph) ─ lists (committer thread)
//! imd  ─┘       └──────── RedisFriendd (a task for each question) ─ Redis
//! ```

mod bounds;
mod friendd;
pub mod grpc;
mod handle;
mod lists;
mod metrics;
mod record;
mod redis;
pub mod section;
pub mod transfer;

pub use bounds::FriendSettings;
pub use friendd::Friendd;
pub use friendd_core::rules::Blocks;
pub use handle::FriendHandle;
pub use redis::{Answers, RedisFriendd};
