//! Scenes of one shard: what happens to it, and what it says and asks.

mod full;
mod listing;
mod logins;
mod operator;
mod stage;
