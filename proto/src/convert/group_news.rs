//! What a client is told of groups besides their entries.

use super::action::action_to_wire;
use super::field::{Convert, copied, group, present, user};
use super::group::head;
use crate::client::PacketError;
use crate::group::Action;
use crate::ids::{GroupId, UserId};
use crate::server::ServerPacket;
use crate::wire::client as wire;

impl Convert for wire::GroupHead {
    type Into = ServerPacket;

    fn convert(self) -> Result<ServerPacket, PacketError> {
        Ok(ServerPacket::GroupHead {
            group: group("group", &self.group)?,
            head: head(self.epoch, self.seq, self.messages),
        })
    }
}

impl Convert for wire::GroupLeft {
    type Into = ServerPacket;

    fn convert(self) -> Result<ServerPacket, PacketError> {
        Ok(ServerPacket::GroupLeft {
            group: group("group", &self.group)?,
            change: departure(&self.actor, self.change)?,
        })
    }
}

/// What ended a membership, and who did that; no actor: it is not known.
pub(super) fn departure(
    actor: &[u8],
    change: Option<wire::GroupChange>,
) -> Result<Option<(UserId, Action)>, PacketError> {
    if actor.is_empty() {
        return Ok(None);
    }
    let change = present("change", change)?.convert()?;
    Ok(Some((user("actor", actor)?, change)))
}

pub(super) fn group_left_to_wire(
    group: &GroupId,
    change: Option<&(UserId, Action)>,
) -> wire::GroupLeft {
    wire::GroupLeft {
        group: copied(group.as_bytes()),
        actor: change.map_or_else(Default::default, |(actor, _)| copied(actor.as_bytes())),
        change: change.map(|(_, action)| action_to_wire(action)),
    }
}

impl Convert for wire::GroupInvited {
    type Into = ServerPacket;

    fn convert(self) -> Result<ServerPacket, PacketError> {
        Ok(ServerPacket::GroupInvited {
            group: group("group", &self.group)?,
            by: user("by", &self.by)?,
        })
    }
}

pub(super) fn group_invited_to_wire(group: &GroupId, by: &UserId) -> wire::GroupInvited {
    wire::GroupInvited {
        group: copied(group.as_bytes()),
        by: copied(by.as_bytes()),
    }
}

impl Convert for wire::GroupApplied {
    type Into = ServerPacket;

    fn convert(self) -> Result<ServerPacket, PacketError> {
        Ok(ServerPacket::GroupApplied {
            group: group("group", &self.group)?,
            user: user("user", &self.user)?,
        })
    }
}

pub(super) fn group_applied_to_wire(group: &GroupId, user: &UserId) -> wire::GroupApplied {
    wire::GroupApplied {
        group: copied(group.as_bytes()),
        user: copied(user.as_bytes()),
    }
}
