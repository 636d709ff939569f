//! What every daemon is: settings, telemetry, metrics, health, shutdown.
//!
//! Owns: what a process needs around its services. Must not know: what any
//! service does, what is in its part of the settings, what its figures mean.
//!
//! A daemon's `main` uses the modules in this order:
//!
//! 1. [`settings`] reads the file, without binding anything.
//! 2. [`telemetry`] starts the log; [`limits`] and [`cpu`] say what the
//!    machine gives.
//! 3. Parts are built from their own piece of the settings and register their
//!    figures in [`metrics`]; [`admin`] shows these and whether all is well.
//! 4. [`shutdown`] waits for the wish to stop; then the daemon drains.

pub mod admin;
pub mod clock;
pub mod cpu;
pub mod flags;
pub mod limits;
pub mod metrics;
pub mod settings;
pub mod shards;
pub mod shutdown;
pub mod telemetry;
