//! Packets to bytes and back.
//!
//! Owns which packet stands in a frame, and how the packets of the hot path are
//! written. Must not know who sends them.

mod client;
mod field;
mod server;
