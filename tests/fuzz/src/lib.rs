//! What is fuzzed: each target is a function that takes any bytes and panics
//! where a promise does not hold.
//!
//! Owns the targets. libFuzzer calls them from `libfuzzer/`, a workspace of
//! its own; `tests/replay.rs` runs every kept input through them. `README.md`
//! beside tells how.

pub mod decode;
pub mod frames;
pub mod gateway;
pub mod graph;
// It takes in a module of the SDK, and with it tests that belong there.
#[cfg(not(test))]
pub mod sdk;
pub mod shard;
pub mod token;

mod cast;
mod script;

/// What takes any bytes.
pub type Target = fn(&[u8]);

/// Every target, by the name of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("client_packet", decode::client_packet),
    ("client_stream", frames::client_stream),
    ("server_packet", decode::server_packet),
    ("up_batch", decode::up_batch),
    ("down_batch", decode::down_batch),
    ("graph_message", decode::graph_message),
    ("token", token::token),
    ("gateway", gateway::gateway),
    ("shard", shard::shard),
    ("graph", graph::graph),
    #[cfg(not(test))]
    ("sdk", sdk::sdk),
];
