//! The embedded store of shards: mailboxes and groups in one database of this
//! process.
//!
//! Owns: how [`msgd_core::store`]'s requests are carried out on the committer
//! thread of a data directory, in which keys and rows, and which shard of this
//! process gets which outcome. Must not know: what a shard does with an
//! outcome, links, sessions.
//!
//! # What is promised
//!
//! - A shard's requests are carried out in their order, those of several
//!   shards each in theirs.
//! - Every outcome is told after the fsync of the group that it was written
//!   in. What was told survives the death of the process; what was not told
//!   may have been done or not. So a cursor whose [`Advanced`] was not told
//!   may be found where it was: its messages are delivered again, and the
//!   client drops them.
//! - A request that a full disk or a defective row kept from being carried out
//!   is answered as [`Request::failed`] says. After a failed group the engine
//!   opens the database again by itself, and nothing here is lost but caches.
//!
//! # Claims
//!
//! The data directory belongs to one process, so whoever held a slot before
//! this process is dead. Within the process each shard has one incarnation at
//! a time: when a shard claims as a new one, its former one is dead.
//!
//! All slots of a claim get the same token, one above all tokens given before:
//! one row holds it, so claiming every slot costs as much as claiming one.
//! Which token a slot has is in memory: none that was given before the process
//! started is good.
//!
//! # Rows
//!
//! Groups have a keyspace of their own, see [`groups`]. All else is in another,
//! `mailboxes`. A message's key is slot, user, position. Its row
//! carries the sum of the body bytes before it, so an append writes that row
//! and nothing else. Beside the messages lie a row with the cursor and when the
//! user was last there, a row with receipts, and one with the user's groups. Slots
//! and incarnations have rows of their own.
//!
//! Moving a cursor removes the messages before it in the same group, a bounded
//! number at once. The row with the cursor is written only when no message
//! would tell where it is, or when it is far off. So a scan passes a bounded
//! number of removed messages, and only where a mailbox is looked up that was
//! not used lately.
//!
//! [`Advanced`]: msgd_core::store::Outcome::Advanced
//! [`Request::failed`]: msgd_core::store::Request::failed

pub(crate) mod alive;
pub(crate) mod cache;
mod claims;
pub(crate) mod fields;
pub(crate) mod groups;
mod handle;
mod kept;
pub(crate) mod key;
pub(crate) mod letter;
pub(crate) mod mailbox;
mod mailboxes;
pub(crate) mod metrics;
pub(crate) mod notes;
pub(crate) mod recent;
mod rows;
mod service;

pub use groups::GROUPS_MAX;
pub use handle::{Answers, EmbeddedStore, ShardStore};
pub use mailboxes::MAILBOXES_MAX;
pub use metrics::Metrics;
pub use msgd_core::store::StoreSettings;

/// The keyspace of what is kept of users.
pub(crate) const KEYSPACE: &str = "mailboxes";
