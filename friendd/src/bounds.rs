//! What an operator may choose of the friend service.

use friendd_core::graph::GraphSettings;
use friendd_core::rules::Blocks;

/// Settings of the friend service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendSettings {
    /// Whether a user learns that another one has blocked them.
    /// Default: told.
    pub blocks: Blocks,
    /// Bytes of friend lists kept in memory. Default 64 MiB.
    pub cache_bytes_max: usize,
    /// Questions that wait for the store at most, and as many more that wait
    /// for their turn; one more is answered as unavailable. Default 1,024.
    pub waiting_max: usize,
}

impl Default for FriendSettings {
    fn default() -> Self {
        Self {
            blocks: Blocks::default(),
            cache_bytes_max: 64 * 1024 * 1024,
            waiting_max: 1024,
        }
    }
}

impl FriendSettings {
    pub(crate) fn graph(&self) -> GraphSettings {
        GraphSettings {
            cache_bytes_max: self.cache_bytes_max,
            waiting_max: self.waiting_max,
            blocks: self.blocks,
        }
    }
}
