//! A stage for tests with real processes and real sockets.
//!
//! Owns daemons in processes of their own, people at clients, and the account
//! of what was promised to them. Must not know what a test expects. Everything
//! that is started here ends with its value, also when a test panics, and
//! everything that waits does so for a condition, until a deadline.

pub mod admin;
pub mod balancer;
pub mod binaries;
pub mod bystanders;
pub mod daemon;
pub mod imctl;
pub mod imd;
pub mod leased;
pub mod ledger;
pub mod line;
pub mod load;
pub mod patience;
pub mod person;
pub mod port;
pub mod process;
pub mod processes;
pub mod proxy;
pub mod room;
pub mod script;
pub mod terminal;
