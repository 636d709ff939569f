//! The state machine of a shard.
//!
//! [`Shard`] owns, for the users of its slots: sessions, presence, the rights
//! to send, delivery and mailboxes, and a cache of friend lists. It takes an
//! [`Event`] and the time and gives [`Effect`]s. It does no I/O and reads no
//! clock, and it must not know sockets, how a store keeps things, or another
//! shard except through a gateway.

mod effect;
mod event;
pub mod filter;
mod friends;
mod group;
mod inbox;
mod named;
pub mod operator;
mod own_groups;
mod presence;
mod recent;
mod settings;
mod shard;
mod slots;
mod span;
mod steady;
pub mod store;
mod timers;
mod user;
mod waiting;

pub use effect::{Counters, Effect, GraphTicket};
pub use event::{Event, OPERATOR};
pub use settings::{Blocks, Policy, Settings, UnknownWord};
pub use shard::Shard;
