//! The state machines of a gateway.
//!
//! [`Gateway`] owns the live sessions, their windows, and the routes between
//! clients and shards and between shards. It takes an [`Event`] and the time
//! and gives [`Effect`]s. It does no I/O and reads no clock, and it must not
//! know friends, storage or what a client's bytes look like.

mod admission;
mod deliveries;
mod effect;
mod event;
mod excess;
mod gateway;
mod groups;
pub mod operator;
mod router;
mod sends;
mod session;
mod settings;
mod timers;

pub use effect::{Counters, Effect};
pub use event::{Claims, Event};
pub use gateway::Gateway;
pub use router::LinkId;
pub use settings::{Leaving, Settings};
