//! Scenes of a gateway whose sessions are in groups: what it asks of the groups'
//! shards, and who gets what comes.

mod following;
mod spreading;
mod stage;
mod window;
