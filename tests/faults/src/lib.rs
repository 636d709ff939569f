//! The fault suite: real processes over a real Redis, people who write to each
//! other and block each other all the while, and faults from a seed. Then the
//! ledger: what was promised, and what came of it.
//!
//! Owns the stage, the people, the schedule and the ledger. Must not know how a
//! daemon does what it promises.
//!
//! A run is: the cluster comes up, people come and begin to write; one fault
//! after another is begun, shown to have happened, and healed, and in between
//! everybody is served again; at the end all that is on its way arrives, and
//! the accounts are closed.

mod act;
mod blocks;
mod books;
mod cast;
mod device;
mod fault;
mod order;
mod plan;
mod power;
mod presence;
mod report;
mod rest;
mod rooms;
mod run;
mod service;
mod stage;
mod streams;
mod visits;

pub use fault::What;
pub use power::{Loss, Losses, Outages, power};
pub use report::Report;
pub use run::{Fsync, Orders, run};
