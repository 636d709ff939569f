//! What every daemon's memory comes from.
//!
//! Owns the choice. A session is some twenty small pieces; mimalloc packs them
//! closer than the C library does and finds them faster
//! (`tests/bench/README.md` has the figures).

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
