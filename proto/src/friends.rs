//! Friend lists, their canonical form and its MD5.
//!
//! Owns what a list is and when two are equal. Must not know where lists are
//! kept or who may change them.

use std::fmt;
use std::sync::{Arc, LazyLock};

use md5::{Digest, Md5};

use crate::ids::UserId;

/// The most entries of one list.
pub const FRIENDS_MAX: usize = 5_000;

/// MD5 over a list's canonical form: it detects change and protects nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListHash(pub [u8; 16]);

impl fmt::Display for ListHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for ListHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the owner of a list and the entry's user are to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Relation {
    /// Nothing; stands only beside the `blocked` mark.
    None,
    /// The owner asked, the other has not answered.
    Requested,
    /// The other asked, the owner has not answered.
    Invited,
    /// Both agreed.
    Friend,
}

impl Relation {
    fn canonical(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Requested => 1,
            Self::Invited => 2,
            Self::Friend => 3,
        }
    }
}

/// One line of a friend list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendEntry {
    /// Whom it is about.
    pub user: UserId,
    /// What they are to each other.
    pub relation: Relation,
    /// The owner takes nothing from them.
    pub blocked: bool,
}

/// Which change of a list is newer: 0 is the empty list of a new user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ListVersion(pub u64);

/// One user's friends, requests and blocks.
///
/// Entries are sorted by user id, each user at most once, none of them without
/// a relation or mark, at most [`FRIENDS_MAX`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendList {
    version: ListVersion,
    hash: ListHash,
    entries: Vec<FriendEntry>,
}

/// Why entries are not a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// More than [`FRIENDS_MAX`] entries.
    #[error("a friend list has at most {FRIENDS_MAX} entries")]
    Full,
    /// A user twice.
    #[error("a user stands twice in a friend list")]
    Twice,
}

/// What most lists are where few have friends: one for all.
static NOBODY: LazyLock<Arc<FriendList>> = LazyLock::new(|| Arc::new(FriendList::empty()));

impl FriendList {
    /// Sorts the entries, drops those that say nothing, and hashes the rest.
    pub fn new(version: ListVersion, mut entries: Vec<FriendEntry>) -> Result<Self, ListError> {
        entries.retain(|e| e.blocked || e.relation != Relation::None);
        if entries.len() > FRIENDS_MAX {
            return Err(ListError::Full);
        }
        entries.sort_by(|a, b| a.user.cmp(&b.user));
        if entries.windows(2).any(|pair| pair[0].user == pair[1].user) {
            return Err(ListError::Twice);
        }
        let hash = hash(&entries);
        entries.shrink_to_fit();
        Ok(Self {
            version,
            hash,
            entries,
        })
    }

    /// The list of a user of whom nothing is known.
    pub fn empty() -> Self {
        Self {
            version: ListVersion(0),
            hash: hash(&[]),
            entries: Vec::new(),
        }
    }

    /// [`FriendList::empty`], one for all.
    pub fn nobody() -> Arc<Self> {
        NOBODY.clone()
    }

    /// To be kept: [`FriendList::nobody`] if it is that.
    pub fn shared(self) -> Arc<Self> {
        if self == **NOBODY {
            Self::nobody()
        } else {
            Arc::new(self)
        }
    }

    /// Which change this is.
    pub fn version(&self) -> ListVersion {
        self.version
    }

    /// The hash that the client carries.
    pub fn hash(&self) -> ListHash {
        self.hash
    }

    /// The entries, sorted by user.
    pub fn entries(&self) -> &[FriendEntry] {
        &self.entries
    }

    /// What the list says of `user`.
    pub fn find(&self, user: &UserId) -> Option<&FriendEntry> {
        let at = self.entries.binary_search_by(|e| e.user.cmp(user)).ok()?;
        Some(&self.entries[at])
    }

    /// The next version of this list, with `entry` in place of what it says of
    /// that user now.
    pub fn with(&self, entry: FriendEntry) -> Result<Self, ListError> {
        let mut entries = self.entries.clone();
        match entries.binary_search_by(|e| e.user.cmp(&entry.user)) {
            Ok(at) => entries[at] = entry,
            Err(at) => entries.insert(at, entry),
        }
        Self::new(ListVersion(self.version.0 + 1), entries)
    }
}

/// The canonical form: for each entry, sorted by user id bytewise, one byte of
/// id length, the id, one byte of relation (0 to 3), one byte of mark (1:
/// blocked).
fn hash(entries: &[FriendEntry]) -> ListHash {
    let mut md5 = Md5::new();
    for entry in entries {
        let id = entry.user.as_bytes();
        // An id has at most 64 bytes.
        md5.update([id.len() as u8]);
        md5.update(id);
        md5.update([entry.relation.canonical(), u8::from(entry.blocked)]);
    }
    ListHash(md5.finalize().into())
}

/// What an actor does to the relation with a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FriendAction {
    /// Asks the peer to be friends.
    Request,
    /// Accepts the peer's request.
    Accept,
    /// Declines the peer's request.
    Decline,
    /// Ends a friendship, or takes an own request back.
    Remove,
    /// Takes nothing from the peer any more; a friendship stays on the list.
    Block,
    /// Ends a block.
    Unblock,
}

impl FriendAction {
    /// Whether the peer's list changes too.
    pub fn changes_both(self) -> bool {
        !matches!(self, Self::Block | Self::Unblock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(user: &str, relation: Relation, blocked: bool) -> FriendEntry {
        FriendEntry {
            user: UserId::new(user).unwrap(),
            relation,
            blocked,
        }
    }

    #[test]
    fn order_and_version_do_not_change_the_hash() {
        let ann = entry("ann", Relation::Friend, false);
        let ben = entry("ben", Relation::None, true);
        let one = FriendList::new(ListVersion(1), vec![ann.clone(), ben.clone()]).unwrap();
        let two = FriendList::new(ListVersion(7), vec![ben, ann]).unwrap();
        assert_eq!(one.hash(), two.hash());
        assert_ne!(one.hash(), FriendList::empty().hash());
    }

    #[test]
    fn an_entry_that_says_nothing_is_dropped() {
        let list = FriendList::empty()
            .with(entry("ann", Relation::Requested, false))
            .unwrap();
        assert!(list.find(&UserId::new("ann").unwrap()).is_some());
        let list = list.with(entry("ann", Relation::None, false)).unwrap();
        assert_eq!(list.hash(), FriendList::empty().hash());
        assert_eq!(list.version(), ListVersion(2));
    }

    #[test]
    fn who_has_no_friends_shares_a_list() {
        let shared = FriendList::empty().shared();
        assert!(Arc::ptr_eq(&shared, &FriendList::nobody()));
        let emptied = FriendList::new(ListVersion(2), Vec::new()).unwrap();
        assert_eq!(emptied.shared().version(), ListVersion(2));
    }
}
