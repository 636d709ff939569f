//! The cluster's registry without its server: what is concluded from what it
//! says.
//!
//! Owns when a lease may be counted on, when another's is over, and when a ring
//! is newer. Must not know servers, clocks or tasks, so that the simulation
//! runs it.
//!
//! # When a shard is dead
//!
//! A shard that stands still or is cut off is dead for the cluster once a
//! member of the ring has said so to the registry; from then on its slots are
//! granted to others. A holder counts on its lease from before it asked, for a
//! twentieth less than its length. One that watches calls it dead after it has
//! itself, by its own clock, seen the registry without a gap and no renewal in
//! it for the whole length, counted from the answer in which it saw the last
//! one. So nothing hangs on the clock of the server, nor on what it kept over a
//! restart: a renewal that it forgot was asked for before the gap.
//!
//! # When the registry is away
//!
//! A holder's lease goes on, too, while every other shard of the ring that it
//! knows has promised within the length of one not to call it dead: each counts
//! its silence from then on, and promises only while its own lease is not
//! renewed either. One that the holder does not know asks for no promise and
//! gives none; it calls it dead only when it has been silent for longer than it
//! may go on in any case. Each renewal says which ring the holder knows, so
//! that each can tell which of the two it is. Who has no slots calls nobody
//! dead and is asked nothing; given some, it is new to who knows no ring since.

pub mod dead;
pub mod lease;
pub mod look;
pub mod tenure;
pub mod view;
pub mod watcher;
