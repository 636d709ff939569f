//! A door between a client that types and a session that answers.

mod bounds;
mod chance;
mod commands;
mod cuts;
mod desk;
mod errors;
mod gaps;
mod history;
mod membership;
mod page;
mod pushes;
mod samples;
