//! The sections of a settings file that concern the friend service and its
//! store.
//!
//! Owns what is allowed of each key, and what memory they allow. Must not know
//! the rest of the file.

use friendd_core::rules::Blocks;
use node::memory::Memory;
use proto::friends::FRIENDS_MAX;
use service::graph::QUESTIONS_MAX;

use crate::bounds::FriendSettings;
use crate::grpc::REQUESTS_MAX;

node::section! {
    /// Bounds of the friend service.
    pub FriendsSection "friends" of FriendSettings, besides { blocks: Blocks } {
        cache_bytes_max: Bytes [Bytes::mib(1), Bytes::mib(1_048_576)] No;
        waiting_max: Count [Count::of(1), Count::of(1_000_000)] No;
    }
}

node::section! {
    /// Sizes of the database, for a friend service with one of its own.
    pub DatabaseSection "database" of store::Settings {
        cache_bytes: Bytes [Bytes::mib(1), Bytes::mib(1_048_576)] No;
        memtable_bytes: Bytes [Bytes::mib(1), Bytes::mib(1_024)] No;
        journal_bytes: Bytes [Bytes::mib(64), Bytes::mib(1_048_576)] No;
    }
}

/// What a friend list that is in use takes at most: entries, with ids that do
/// not lie inside them.
const LIST_BYTES: u64 = FRIENDS_MAX as u64 * 112;

/// Memtables of a keyspace in memory at most.
const MEMTABLES: u64 = 5;

impl FriendsSection {
    /// What the friend service takes at most over a store of its own: lists
    /// that it may be asked for, and those in use.
    pub fn memory(&self, memory: &mut Memory) {
        let cache = self.cache_bytes_max.get();
        memory.all("friend lists, cached", cache, "lists that nobody waits for");
        self.memory_in_use(memory);
    }

    /// What it takes at most where nothing else is kept.
    pub fn memory_in_use(&self, memory: &mut Memory) {
        let core = self.core(Blocks::default());
        // A change works on two lists, and makes two new ones.
        let waiting = 2 * core.waiting_max as u64 * 4 * LIST_BYTES;
        let made_of = format!(
            "2 x {} questions, with up to four lists of {FRIENDS_MAX} entries each",
            core.waiting_max
        );
        memory.all("friend lists, in use", waiting, made_of);
    }
}

/// What each msgd that connects takes at most.
pub fn connection_memory(memory: &mut Memory) {
    let lists = u64::from(REQUESTS_MAX) * QUESTIONS_MAX as u64;
    let made_of = format!("{lists} lists that it asked for and does not read");
    memory.each("a connection of a msgd", lists * LIST_BYTES, made_of);
}

impl DatabaseSection {
    /// What the database takes at most.
    pub fn memory(&self, memory: &mut Memory) {
        let memtables = MEMTABLES * self.memtable_bytes.get();
        let made_of = format!(
            "blocks {}, {MEMTABLES} memtables of {}",
            self.cache_bytes, self.memtable_bytes
        );
        memory.all("store", self.cache_bytes.get() + memtables, made_of);
        let copy = store::backup_memory(1, self.memtable_bytes.get());
        memory.all("a copy of the store", copy, "while one is made");
    }
}
