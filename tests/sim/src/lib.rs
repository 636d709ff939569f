//! The cluster in one thread from a seed.
//!
//! The cores are the real ones; links, stores, clocks, the registry and
//! clients are simulated. A world has its troubles from its seed, then a quiet
//! time in which everything must settle. See the README beside this crate.

mod agenda;
mod brief;
mod check;
mod client;
mod dice;
mod model;
mod observed;
mod plan;
pub mod registry;
pub mod run;
pub mod store;
mod trace;
mod world;
