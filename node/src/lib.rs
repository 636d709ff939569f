//! What every daemon is: settings, telemetry, metrics, health, shutdown.
//!
//! Owns: what a process needs around its services. Must not know: what any
//! service does, what is in its part of the settings, what its figures mean.
//!
//! A daemon's `main` uses the modules in this order:
//!
//! 1. [`layers`] reads the file ([`settings`]), the environment and [`flags`],
//!    checks them without binding anything, and starts the log ([`telemetry`]).
//! 2. [`limits`] and [`cpu`] say what the machine gives; [`runtime`] runs what
//!    carries messages, [`alarm`] wakes it for what is due. Memory comes from
//!    the allocator that is chosen here.
//! 3. Parts are built from their own piece of the settings and register their
//!    figures in [`metrics`]; [`admin`] shows these and whether all is well.
//! 4. [`reload`] waits for the wish to read the settings again, [`shutdown`]
//!    for the wish to stop; then the daemon drains.

// `section!` names this crate by its name, here as elsewhere.
extern crate self as node;

pub mod admin;
pub mod again;
pub mod alarm;
mod allocator;
pub mod certificates;
pub mod clock;
pub mod cpu;
pub mod ending;
pub mod flags;
pub mod host;
pub mod layers;
pub mod limits;
pub mod links;
pub mod memory;
pub mod metrics;
pub mod reload;
pub mod runtime;
pub mod secure;
pub mod settings;
pub mod shards;
pub mod shutdown;
pub mod telemetry;
