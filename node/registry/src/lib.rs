//! The cluster's registry: who is on the ring, and whose lease lives.
//!
//! Owns what is written into Redis for that, the scripts that change it, and
//! what one who watches concludes. Must not know what shards and gateways do.
//!
//! # What is there
//!
//! | key | what |
//! |---|---|
//! | `im:{ring}` | a hash: `epoch`; for each shard `shard:<name>` = `weight since incarnation berth address`; for each that is off the ring and may hold slots yet `gone:<incarnation>` = `name berth`; `weight:<name>` = the weight that an operator gave the name |
//! | `im:{ring}:lease:<incarnation>` | what was last heard of that incarnation: the number of a renewal, that of the newest ring it knew, and until when its lease goes on by the server's clock; or `over` |
//! | `im:{ring}:gateways` | a sorted set: public addresses of gateways by the end of their leases |
//! | `im:{ring}:daemons` | likewise their admin addresses, and those of shards |
//! | `im:{ring}:news` | a stream of one entry, whose id is the epoch: it wakes who waits |
//!
//! # What is promised
//!
//! - Every change of the ring is one script, which raises the epoch: no two
//!   rings have the same number. A server that forgot something (it was
//!   restored, or failed over to a replica that lagged) is told by the first
//!   watcher or renewal that saw more, and goes on above that; nobody is known
//!   then to anybody who has not heard of the new ring.
//! - A lease is counted on from before it was asked for, by the monotonic
//!   clock, for a twentieth less than its length. An incarnation that was called
//!   dead never has a lease again.
//! - Nobody is called dead but by a shard on the ring that has itself seen
//!   nothing of it for that length; see [`registry_core`]. The server's clock
//!   decides nothing about that, nor does what it forgot over a restart.
//! - Nobody is taken off the ring who renews, except by an operator or by
//!   itself; and nobody while nobody lives who could have its slots. A ring is
//!   never empty. A weight that an operator gave is its name's until it leaves
//!   or is removed, over the loss of a lease too.
//! - While the registry is away the last ring stands, for everybody. A shard
//!   whose lease it does not renew asks the others, by way of gateways, whether
//!   it renews theirs as little. While all of them promise not to call it dead
//!   for a lease, it goes on. Without one of these promises it ends when its
//!   lease is over, and comes back as a new incarnation when the registry is
//!   there again; clients stay connected.

pub mod admin;
pub mod announced;
mod answers;
pub mod berth;
pub mod client;
mod error;
pub mod keep;
pub mod keys;
pub mod metrics;
pub mod seat;
pub mod settings;
pub mod watch;

pub use error::RegistryError;
pub use registry_core::{dead, lease, look, tenure, view, watcher};
pub use shared::section::{RedisFlags, RedisSection, address};
pub use shared::{Address, AddressError, Trust};
