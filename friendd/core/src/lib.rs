//! The friend graph as a state machine.
//!
//! Owns what a change does to the lists of two users, which changes may go on
//! at once, and which lists are kept in memory. Must not know who is online,
//! how questions arrive, or where lists are stored.
//!
//! - [`rules`] says what an action makes of two lists.
//! - [`graph`] takes questions, asks for lists to be loaded and saved, and
//!   answers; [`event`] has its vocabulary.

pub mod event;
pub mod graph;
pub mod rules;

mod decision;
mod idle;
mod users;
