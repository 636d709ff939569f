//! The groups of one of the shard's users.
//!
//! Owns which they are, and whether the store keeps them. Must not know sessions,
//! nor what a group is.

use proto::group::{Belongs, UserGroup};
use proto::ids::{GatewayId, GroupId};
use proto::limits::USER_GROUPS_MAX;
use proto::link::{Membership, MembershipVersion};

use crate::store::KeptGroup;

/// Invitations of one user; one more is not shown.
const INVITATIONS_MAX: usize = 100;

/// The groups of a user.
#[derive(Debug, Default)]
pub struct OwnGroups {
    /// Ascending; at most [`USER_GROUPS_MAX`].
    pub list: Vec<KeptGroup>,
    /// The store was asked to keep a list, and has not answered.
    pub is_saving: bool,
    /// The list has changed since.
    pub is_newer: bool,
    /// What is said when what is being kept is durable, and when the next is.
    pub flying: Vec<Word>,
    pub waiting: Vec<Word>,
}

/// A word of a group's shard that is to be kept.
#[derive(Debug)]
pub struct Word {
    pub gateway: GatewayId,
    pub group: GroupId,
    pub version: MembershipVersion,
}

impl OwnGroups {
    /// As they were kept.
    pub fn restored(list: Vec<KeptGroup>) -> Self {
        Self {
            list,
            ..Self::default()
        }
    }

    pub fn find(&self, group: &GroupId) -> Result<usize, usize> {
        self.list.binary_search_by(|kept| kept.of.group.cmp(group))
    }

    pub fn named(&self) -> Vec<UserGroup> {
        self.list.iter().map(|kept| kept.of.clone()).collect()
    }

    /// Whether a word can be kept.
    pub fn has_room(&self, membership: &Membership) -> bool {
        if self.find(&membership.group).is_ok() {
            return true;
        }
        let invited = |kept: &&KeptGroup| matches!(kept.of.belongs, Belongs::Invited { .. });
        match membership.belongs {
            None => true,
            Some(Belongs::Invited { .. }) => {
                self.list.iter().filter(invited).count() < INVITATIONS_MAX
            }
            Some(Belongs::Member) => {
                let members = self.list.len() - self.list.iter().filter(invited).count();
                members < USER_GROUPS_MAX - INVITATIONS_MAX
            }
        }
    }

    /// Takes a newer word in. Gives as what the user belonged to the group; none:
    /// it is not newer.
    pub fn take(&mut self, membership: &Membership) -> Option<Option<Belongs>> {
        let kept = membership.belongs.clone().map(|belongs| KeptGroup {
            of: UserGroup {
                group: membership.group.clone(),
                belongs,
            },
            version: membership.version,
        });
        match (self.find(&membership.group), kept) {
            (Ok(at), _) if self.list[at].version >= membership.version => None,
            (Ok(at), Some(kept)) => {
                let before = std::mem::replace(&mut self.list[at], kept);
                Some(Some(before.of.belongs))
            }
            (Ok(at), None) => Some(Some(self.list.remove(at).of.belongs)),
            (Err(at), Some(kept)) => {
                self.list.insert(at, kept);
                Some(None)
            }
            (Err(_), None) => None,
        }
    }

    /// Whether nothing is to be kept.
    pub fn is_idle(&self) -> bool {
        !self.is_saving
    }
}
