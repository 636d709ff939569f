//! The store of shards in a Redis or Valkey: mailboxes that outlive a machine.
//!
//! Owns: how [`msgd_core::store`]'s requests are carried out by commands of
//! Redis, in which keys, on a thread of its own, and which shard of this
//! process gets which outcome. Must not know: what a shard does with an
//! outcome, links, sessions; how commands get to a server, which is `shared`'s.
//!
//! # What is promised
//!
//! - A shard's requests are carried out in their order.
//! - Every outcome is told after the server has answered, so what was told is
//!   as durable as the server makes what it answers. With `appendfsync always`
//!   it is on the disk. With `everysec` the last second of it may go, more if
//!   the disk is slow: when the power does, and when the server dies while it
//!   waits for the disk. Without `appendonly` all goes with the server. Where
//!   replicas are to confirm, so many have it in memory. What was not told may
//!   have been done or not.
//! - What fails is answered as [`Request::failed`] says, and what the same
//!   batch asked later of the same user fails with it. Nothing is lost here but
//!   caches.
//!
//! # Claims
//!
//! A slot is a hash with the newest token and, until it is released, the
//! holder. `claim` and `release` are scripts. A claim is granted when nobody
//! holds the slot, or the asker itself does, or the registry calls the holder
//! dead: that stands at a key of its own, and is final. A holder of which the
//! registry has forgotten everything is dead when it has been unknown for as
//! long as it could count on anything. Tokens are taken from the server's clock,
//! and are above all before: where a fail-over has lost the last one it is not
//! given again.
//!
//! # Mailboxes
//!
//! A mailbox is a stream, the id of an entry is token and position. An append
//! is a plain `XADD` with the token, and the stream counts on. A claim raises the last id of every stream
//! of its slot to one with the new token: from then on Redis itself refuses
//! what a former holder appends, however late it comes. A stream is made and
//! removed by scripts that look at the token, since a plain `XADD` would make
//! one anew: nobody has a stream but those who have mail, or had it seconds
//! ago.
//!
//! The cursor is where the stream begins: acknowledging trims it. What is
//! trimmed late was acknowledged, so that harms nobody. Reads count only if the
//! token was still the newest after them, in the same pipeline; so do the
//! answers to whatever else no script and no id has checked.
//!
//! The first message of a mailbox, a look into one that is not cached, notes
//! and "last seen" are scripts. So is what a log-in asks for: the newest
//! identities come without the bodies.
//!
//! # Groups
//!
//! A group is a hash with its record and where its log begins and ends, a hash
//! with a row for each whom it knows, and its log: a stream whose ids are the
//! numbers of entries. A stream is read from a number on and back from one, is
//! trimmed at its front, and takes little more memory than its rows; a list is
//! walked to the place asked for, a sorted set takes as much again. Where a time
//! begins is found in it by halves: stamps ascend. The groups of users are one hash
//! for a slot. Every request about groups is one script that looks at the token,
//! and a write compares where the log ends: so it is done whole or not at all, and
//! nothing of a group is kept in this process.
//!
//! # What it takes
//!
//! Memory of the server, with 100,000 messages of 100 bytes in Redis 7.0.15, by
//! `memory_of_messages` of `tests/store/tests/redis.rs`: 200 bytes for a message
//! in a mailbox of 100 or more, 455 in one of 10, 4,451 in one that has nothing
//! else. A stream takes room for 4 KiB with its first entry;
//! `stream-node-max-bytes` of the server bounds that. An empty mailbox has no
//! stream after ten seconds, and an entry in a hash. The server is to have
//! `maxmemory-policy noeviction`: an error is told, what is evicted is lost.

mod claims;
mod closing;
mod dead;
mod empties;
mod group_reply;
pub(crate) mod group_script;
mod groups;
mod handle;
mod keeper;
pub(crate) mod keys;
mod kind;
mod load;
mod looking;
pub(crate) mod mailbox;
mod mailboxes;
mod plan;
mod queue;
pub(crate) mod script;
mod settle;
mod slots;
mod stride;

pub use handle::{RedisStore, ShardStore};
