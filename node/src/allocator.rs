//! What every daemon's memory comes from.
//!
//! Owns the choice. A session is some twenty small pieces; mimalloc finds them
//! faster than the C library does and packs them a little closer, without huge
//! pages, which would fill with what is not used (`tests/bench/README.md` has the
//! figures).

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;
