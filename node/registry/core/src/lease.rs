//! How long what lasts. All of it follows from the length of a lease, which is
//! the same in every process of a cluster.

use std::time::Duration;

/// How long a holder counts on a lease, from before it asked for it: a
/// twentieth less than those count who watch it, whose clocks may be faster.
pub fn counted(lease: Duration) -> Duration {
    lease - lease / 20
}

/// How often a lease is renewed, and how long an answer may take.
pub fn every(lease: Duration) -> Duration {
    lease / 3
}

/// How long the registry may be away until holders end, whatever others
/// promise.
pub fn outage(lease: Duration) -> Duration {
    counted(lease) * 40
}

/// How long a holder must be silent until one may call it dead whose promise it
/// does not ask for: longer than [`outage`].
pub fn orphaned(lease: Duration) -> Duration {
    lease * 50
}
