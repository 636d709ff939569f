//! The friend graph as a state machine.
//!
//! Owns what a change does to the lists of two users, which changes may go on
//! at once, and which lists are kept in memory. Must not know who is online,
//! how questions arrive, or where lists are stored.
//!
//! - [`rules`] says what an action makes of two lists, [`decision`] what is to
//!   be done with a change that names versions of them.
//! - [`graph`] takes questions, asks for lists to be loaded and saved, and
//!   answers; [`event`] has its vocabulary.

pub mod decision;
pub mod event;
pub mod graph;
pub mod rules;

mod idle;
mod users;
