//! The cluster's registry: who is on the ring, and whose lease lives.
//!
//! Owns what is written into Redis for that, the scripts that change it, and
//! what one who watches concludes. Must not know what shards and gateways do.
//!
//! # What is there
//!
//! | key | what |
//! |---|---|
//! | `im:{ring}` | a hash: `epoch`, and for each shard `shard:<name>` = `weight incarnation address` |
//! | `im:{ring}:lease:<incarnation>` | there while that incarnation lives, with a time to live |
//! | `im:{ring}:gateways` | a sorted set: public addresses of gateways by the end of their leases |
//! | `im:{ring}:daemons` | likewise their admin addresses, and those of shards |
//! | `im:{ring}:news` | a stream of one entry, whose id is the epoch: it wakes who waits |
//!
//! # What is promised
//!
//! - Every change of the ring is one script, which raises the epoch: no two
//!   rings have the same number. A server that forgot something (it was
//!   restored, or failed over to a replica that lagged) is told by the first
//!   watcher that saw more, and goes on above that.
//! - A lease is counted on from before it was asked for, by the monotonic
//!   clock, for a twentieth less than the server keeps it. An incarnation whose
//!   lease is over never has one again.
//! - Nobody is taken off the ring while its lease lives, except by an operator
//!   or by itself; and nobody while nobody lives who could have its slots. A
//!   ring is never empty.
//! - While the registry is away the last ring stands, for everybody. No lease
//!   is renewed then, so shards end when theirs are over and come back as new
//!   incarnations when it is there again; clients stay connected. That is
//!   harsh, and all that is safe: a shard that hears nothing of the registry
//!   cannot know whether others hear as little, and are not giving its slots
//!   away.

pub mod announced;
pub mod client;
pub mod keep;
pub mod keys;
pub mod look;
pub mod metrics;
pub mod seat;
pub mod settings;
pub mod view;
pub mod watch;
pub mod watcher;

pub use shared::section::{RedisFlags, RedisSection, address};
pub use shared::{Address, AddressError, Trust};
