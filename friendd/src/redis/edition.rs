//! What tells a list from every other that its user ever had.
//!
//! Owns its bytes: eight of version, big endian, and the sixteen of the hash.
//! Versions alone would not do: a server that has forgotten the last second
//! gives them a second time.

use std::sync::Arc;

use proto::friends::{FriendList, ListHash, ListVersion};

const BYTES: usize = 24;

/// Which list it is; of who has none it is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edition(Option<[u8; BYTES]>);

impl Edition {
    pub(crate) fn of(list: &Arc<FriendList>) -> Self {
        if **list == *FriendList::nobody() {
            return Self(None);
        }
        let mut bytes = [0; BYTES];
        let (version, hash) = bytes.split_at_mut(8);
        version.copy_from_slice(&list.version().0.to_be_bytes());
        hash.copy_from_slice(&list.hash().0);
        Self(Some(bytes))
    }

    /// `None` if the bytes are none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self(None));
        }
        Some(Self(Some(bytes.try_into().ok()?)))
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |bytes| &bytes[..])
    }

    /// The version, if the list has that hash.
    pub(crate) fn version_of(&self, hash: ListHash) -> Option<ListVersion> {
        let Some(bytes) = &self.0 else {
            let nobody = FriendList::nobody();
            return (nobody.hash() == hash).then(|| nobody.version());
        };
        let (version, of) = bytes.split_first_chunk()?;
        (*of == hash.0).then(|| ListVersion(u64::from_be_bytes(*version)))
    }
}
