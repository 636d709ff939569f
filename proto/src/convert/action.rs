//! What is done to a group.

use super::field::{Convert, copied, group, present, title, user};
use crate::client::{ChangeGroup, PacketError};
use crate::group::{Action, Entrance, Role};
use crate::wire::client as wire;

impl Convert for wire::ChangeGroup {
    type Into = ChangeGroup;

    fn convert(self) -> Result<ChangeGroup, PacketError> {
        Ok(ChangeGroup {
            request: self.request,
            group: group("group", &self.group)?,
            action: present("change", self.change)?.convert()?,
        })
    }
}

pub(crate) fn change_group_to_wire(change: &ChangeGroup) -> wire::ChangeGroup {
    wire::ChangeGroup {
        request: change.request,
        group: copied(change.group.as_bytes()),
        change: Some(action_to_wire(&change.action)),
    }
}

impl Convert for wire::GroupChange {
    type Into = Action;

    fn convert(self) -> Result<Action, PacketError> {
        use wire::GroupAction as Wire;
        let on = || user("user", &self.user);
        Ok(match self.action() {
            Wire::Unspecified => return Err(PacketError::Field("action")),
            Wire::Create => Action::Create {
                entrance: self.entrance().convert()?,
                title: title(self.title)?,
            },
            Wire::Join => Action::Join,
            Wire::Leave => Action::Leave,
            Wire::Rename => Action::Rename {
                title: title(self.title)?,
            },
            Wire::SetEntrance => Action::SetEntrance(self.entrance().convert()?),
            Wire::Invite => Action::Invite(on()?),
            Wire::Admit => Action::Admit(on()?),
            Wire::Deny => Action::Deny(on()?),
            Wire::SetRole => Action::SetRole {
                user: on()?,
                role: match self.role().convert()? {
                    Role::Owner => return Err(PacketError::Field("role")),
                    role => role,
                },
            },
            Wire::Transfer => Action::Transfer(on()?),
            Wire::Kick => Action::Kick(on()?),
            Wire::Ban => Action::Ban(on()?),
            Wire::Unban => Action::Unban(on()?),
            Wire::Mute => Action::Mute {
                user: on()?,
                seconds: self.seconds,
            },
            Wire::Unmute => Action::Unmute(on()?),
            Wire::Dissolve => Action::Dissolve,
        })
    }
}

pub(super) fn action_to_wire(action: &Action) -> wire::GroupChange {
    use wire::GroupAction as Wire;
    let mut change = wire::GroupChange::default();
    if let Some(user) = action.user() {
        change.user = copied(user.as_bytes());
    }
    let kind = match action {
        Action::Create { title, entrance } => {
            change.title = title.to_string();
            change.set_entrance((*entrance).into());
            Wire::Create
        }
        Action::Join => Wire::Join,
        Action::Leave => Wire::Leave,
        Action::Rename { title } => {
            change.title = title.to_string();
            Wire::Rename
        }
        Action::SetEntrance(entrance) => {
            change.set_entrance((*entrance).into());
            Wire::SetEntrance
        }
        Action::Invite(_) => Wire::Invite,
        Action::Admit(_) => Wire::Admit,
        Action::Deny(_) => Wire::Deny,
        Action::SetRole { role, .. } => {
            change.set_role((*role).into());
            Wire::SetRole
        }
        Action::Transfer(_) => Wire::Transfer,
        Action::Kick(_) => Wire::Kick,
        Action::Ban(_) => Wire::Ban,
        Action::Unban(_) => Wire::Unban,
        Action::Mute { seconds, .. } => {
            change.seconds = *seconds;
            Wire::Mute
        }
        Action::Unmute(_) => Wire::Unmute,
        Action::Dissolve => Wire::Dissolve,
    };
    change.set_action(kind);
    change
}

impl Convert for wire::Entrance {
    type Into = Entrance;

    fn convert(self) -> Result<Entrance, PacketError> {
        match self {
            Self::Open => Ok(Entrance::Open),
            Self::Invitation => Ok(Entrance::Invitation),
            Self::Approval => Ok(Entrance::Approval),
            Self::Unspecified => Err(PacketError::Field("entrance")),
        }
    }
}

impl From<Entrance> for wire::Entrance {
    fn from(entrance: Entrance) -> Self {
        match entrance {
            Entrance::Open => Self::Open,
            Entrance::Invitation => Self::Invitation,
            Entrance::Approval => Self::Approval,
        }
    }
}

impl Convert for wire::Role {
    type Into = Role;

    fn convert(self) -> Result<Role, PacketError> {
        match self {
            Self::Member => Ok(Role::Member),
            Self::Admin => Ok(Role::Admin),
            Self::Owner => Ok(Role::Owner),
            Self::Unspecified => Err(PacketError::Field("role")),
        }
    }
}

impl From<Role> for wire::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Member => Self::Member,
            Role::Admin => Self::Admin,
            Role::Owner => Self::Owner,
        }
    }
}
