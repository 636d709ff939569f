//! Friend lists and what is done to them.

use super::field::{copied, hash, user};
use crate::client::PacketError;
use crate::friends::{FRIENDS_MAX, FriendAction, FriendEntry, FriendList, ListVersion, Relation};
use crate::wire::client as wire;

impl TryFrom<wire::Friends> for FriendList {
    type Error = PacketError;

    /// Checks the entries, and that they have the hash that stands beside them.
    fn try_from(friends: wire::Friends) -> Result<Self, PacketError> {
        if friends.entries.len() > FRIENDS_MAX {
            return Err(PacketError::Field("entries"));
        }
        let hash = hash("hash", &friends.hash)?;
        let entries = friends
            .entries
            .into_iter()
            .map(entry)
            .collect::<Result<_, _>>()?;
        let list = FriendList::new(ListVersion(friends.version), entries)
            .map_err(|_| PacketError::Field("entries"))?;
        if list.hash() != hash {
            return Err(PacketError::Field("hash"));
        }
        Ok(list)
    }
}

fn entry(entry: wire::FriendEntry) -> Result<FriendEntry, PacketError> {
    // Not by the getter: an unknown number would read as none.
    let relation = match wire::Relation::try_from(entry.relation) {
        Ok(wire::Relation::None) => Relation::None,
        Ok(wire::Relation::Requested) => Relation::Requested,
        Ok(wire::Relation::Invited) => Relation::Invited,
        Ok(wire::Relation::Friend) => Relation::Friend,
        Err(_) => return Err(PacketError::Field("relation")),
    };
    if relation == Relation::None && !entry.blocked {
        return Err(PacketError::Field("relation"));
    }
    Ok(FriendEntry {
        user: user("user", &entry.user)?,
        relation,
        blocked: entry.blocked,
    })
}

impl From<&FriendList> for wire::Friends {
    fn from(list: &FriendList) -> Self {
        Self {
            version: list.version().0,
            hash: copied(&list.hash().0),
            entries: list.entries().iter().map(entry_to_wire).collect(),
        }
    }
}

fn entry_to_wire(entry: &FriendEntry) -> wire::FriendEntry {
    let relation = match entry.relation {
        Relation::None => wire::Relation::None,
        Relation::Requested => wire::Relation::Requested,
        Relation::Invited => wire::Relation::Invited,
        Relation::Friend => wire::Relation::Friend,
    };
    wire::FriendEntry {
        user: copied(entry.user.as_bytes()),
        relation: relation.into(),
        blocked: entry.blocked,
    }
}

impl TryFrom<wire::FriendAction> for FriendAction {
    type Error = PacketError;

    fn try_from(action: wire::FriendAction) -> Result<Self, PacketError> {
        match action {
            wire::FriendAction::Request => Ok(Self::Request),
            wire::FriendAction::Accept => Ok(Self::Accept),
            wire::FriendAction::Decline => Ok(Self::Decline),
            wire::FriendAction::Remove => Ok(Self::Remove),
            wire::FriendAction::Block => Ok(Self::Block),
            wire::FriendAction::Unblock => Ok(Self::Unblock),
            wire::FriendAction::Unspecified => Err(PacketError::Field("action")),
        }
    }
}

impl From<FriendAction> for wire::FriendAction {
    fn from(action: FriendAction) -> Self {
        match action {
            FriendAction::Request => Self::Request,
            FriendAction::Accept => Self::Accept,
            FriendAction::Decline => Self::Decline,
            FriendAction::Remove => Self::Remove,
            FriendAction::Block => Self::Block,
            FriendAction::Unblock => Self::Unblock,
        }
    }
}
