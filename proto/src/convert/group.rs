//! What is said of groups.

use bytes::Bytes;

use super::field::{Convert, copied, group, message_id, present, title, user};
use crate::client::{ChangeGroup, GroupRead, GroupSend, GroupTransient, PacketError};
use crate::group::{
    Action, Belongs, Entrance, GroupState, Head, LogEntry, Logged, Mentions, Place, ReadTo, Role,
    UserGroup,
};
use crate::ids::{GroupId, LogEpoch, Stamp, UserId};
use crate::limits::{MENTIONS_MAX, USER_GROUPS_MAX};
use crate::server::{GroupDeliver, GroupTransientFrom};
use crate::wire::client as wire;

impl Convert for wire::GroupSend {
    type Into = GroupSend;

    fn convert(self) -> Result<GroupSend, PacketError> {
        Ok(GroupSend {
            id: message_id(&self.id)?,
            group: group("group", &self.group)?,
            body: self.body,
            mentions: mentions(&self.mentions)?,
            again: self.again,
        })
    }
}

pub(crate) fn group_send_to_wire(send: &GroupSend) -> wire::GroupSend {
    wire::GroupSend {
        id: copied(send.id.as_bytes()),
        group: copied(send.group.as_bytes()),
        body: send.body.clone(),
        mentions: users_to_wire(&send.mentions),
        again: send.again,
    }
}

pub(super) fn mentions(users: &[Bytes]) -> Result<Mentions, PacketError> {
    at_most("mentions", users, MENTIONS_MAX)
}

/// Users, not more than so many.
pub(super) fn at_most(
    field: &'static str,
    users: &[Bytes],
    max: usize,
) -> Result<Vec<UserId>, PacketError> {
    if users.len() > max {
        return Err(PacketError::Field(field));
    }
    users.iter().map(|bytes| user(field, bytes)).collect()
}

pub(super) fn users_to_wire(users: &[UserId]) -> Vec<Bytes> {
    users.iter().map(|user| copied(user.as_bytes())).collect()
}

impl Convert for wire::GroupTransient {
    type Into = GroupTransient;

    fn convert(self) -> Result<GroupTransient, PacketError> {
        Ok(GroupTransient {
            group: group("group", &self.group)?,
            kind: self.kind,
            body: self.body,
        })
    }
}

pub(crate) fn group_transient_to_wire(transient: &GroupTransient) -> wire::GroupTransient {
    wire::GroupTransient {
        group: copied(transient.group.as_bytes()),
        kind: transient.kind,
        body: transient.body.clone(),
    }
}

impl Convert for wire::GroupTransientFrom {
    type Into = GroupTransientFrom;

    fn convert(self) -> Result<GroupTransientFrom, PacketError> {
        Ok(GroupTransientFrom {
            group: group("group", &self.group)?,
            from: user("from", &self.from)?,
            kind: self.kind,
            body: self.body,
        })
    }
}

pub(super) fn group_transient_from_to_wire(
    transient: &GroupTransientFrom,
) -> wire::GroupTransientFrom {
    wire::GroupTransientFrom {
        group: copied(transient.group.as_bytes()),
        from: copied(transient.from.as_bytes()),
        kind: transient.kind,
        body: transient.body.clone(),
    }
}

impl Convert for wire::GroupRead {
    type Into = GroupRead;

    fn convert(self) -> Result<GroupRead, PacketError> {
        Ok(GroupRead {
            group: group("group", &self.group)?,
            epoch: LogEpoch(self.epoch),
            read: read_to(self.seq, self.messages),
        })
    }
}

pub(crate) fn group_read_to_wire(read: &GroupRead) -> wire::GroupRead {
    wire::GroupRead {
        group: copied(read.group.as_bytes()),
        epoch: read.epoch.0,
        seq: read.read.seq,
        messages: read.read.messages,
    }
}

pub(super) fn read_to(seq: u64, messages: u64) -> ReadTo {
    ReadTo { seq, messages }
}

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

impl Convert for wire::LogEntry {
    type Into = LogEntry;

    fn convert(self) -> Result<LogEntry, PacketError> {
        let what = match self.change {
            Some(change) => Logged::Change(change.convert()?),
            None => Logged::Message {
                id: message_id(&self.id)?,
                body: self.body,
                mentions: mentions(&self.mentions)?,
            },
        };
        // Who counts back from an entry, or counts what is unread, relies on it.
        if self.seq == 0 {
            return Err(PacketError::Field("seq"));
        }
        if self.messages > self.seq {
            return Err(PacketError::Field("messages"));
        }
        Ok(LogEntry {
            seq: self.seq,
            messages: self.messages,
            stamp: Stamp(self.stamp_us),
            from: user("from", &self.from)?,
            what,
        })
    }
}

pub(super) fn entry_to_wire(entry: &LogEntry) -> wire::LogEntry {
    let mut wire = wire::LogEntry {
        seq: entry.seq,
        messages: entry.messages,
        stamp_us: entry.stamp.0,
        from: copied(entry.from.as_bytes()),
        ..wire::LogEntry::default()
    };
    match &entry.what {
        Logged::Message { id, body, mentions } => {
            wire.id = copied(id.as_bytes());
            wire.body = body.clone();
            wire.mentions = users_to_wire(mentions);
        }
        Logged::Change(action) => wire.change = Some(action_to_wire(action)),
    }
    wire
}

impl Convert for wire::GroupDeliver {
    type Into = GroupDeliver;

    fn convert(self) -> Result<GroupDeliver, PacketError> {
        Ok(GroupDeliver {
            group: group("group", &self.group)?,
            epoch: LogEpoch(self.epoch),
            entry: present("entry", self.entry)?.convert()?,
        })
    }
}

pub(super) fn group_deliver_to_wire(deliver: &GroupDeliver) -> wire::GroupDeliver {
    wire::GroupDeliver {
        group: copied(deliver.group.as_bytes()),
        epoch: deliver.epoch.0,
        entry: Some(entry_to_wire(&deliver.entry)),
    }
}

pub(super) fn head(epoch: u64, seq: u64, messages: u64) -> Head {
    let epoch = LogEpoch(epoch);
    let place = Place { epoch, seq };
    Head { place, messages }
}

pub(super) fn group_head_to_wire(group: &GroupId, head: &Head) -> wire::GroupHead {
    wire::GroupHead {
        group: copied(group.as_bytes()),
        epoch: head.place.epoch.0,
        seq: head.place.seq,
        messages: head.messages,
    }
}

impl Convert for wire::GroupState {
    type Into = GroupState;

    fn convert(self) -> Result<GroupState, PacketError> {
        Ok(GroupState {
            group: group("group", &self.group)?,
            entrance: self.entrance().convert()?,
            role: self.role().convert()?,
            title: title(self.title)?,
            members: self.members,
            head: head(self.epoch, self.seq, self.messages),
            read: read_to(self.read_seq, self.read_messages),
            muted: (self.muted_until_us != 0).then_some(Stamp(self.muted_until_us)),
        })
    }
}

pub(super) fn group_state_to_wire(state: &GroupState) -> wire::GroupState {
    wire::GroupState {
        group: copied(state.group.as_bytes()),
        title: state.title.to_string(),
        entrance: wire::Entrance::from(state.entrance).into(),
        role: wire::Role::from(state.role).into(),
        members: state.members,
        epoch: state.head.place.epoch.0,
        seq: state.head.place.seq,
        messages: state.head.messages,
        read_seq: state.read.seq,
        read_messages: state.read.messages,
        muted_until_us: state.muted.map_or(0, |until| until.0),
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

/// The groups of one user.
pub(super) fn user_groups(groups: Vec<wire::UserGroup>) -> Result<Vec<UserGroup>, PacketError> {
    if groups.len() > USER_GROUPS_MAX {
        return Err(PacketError::Field("groups"));
    }
    groups.into_iter().map(Convert::convert).collect()
}

pub(super) fn user_groups_to_wire(groups: &[UserGroup]) -> Vec<wire::UserGroup> {
    groups.iter().map(user_group_to_wire).collect()
}

impl Convert for wire::UserGroup {
    type Into = UserGroup;

    fn convert(self) -> Result<UserGroup, PacketError> {
        let belongs = match self.invited_by.is_empty() {
            true => Belongs::Member,
            false => Belongs::Invited {
                by: user("invited_by", &self.invited_by)?,
            },
        };
        Ok(UserGroup {
            group: group("group", &self.group)?,
            belongs,
        })
    }
}

pub(super) fn user_group_to_wire(of: &UserGroup) -> wire::UserGroup {
    let invited_by = match &of.belongs {
        Belongs::Member => Bytes::new(),
        Belongs::Invited { by } => copied(by.as_bytes()),
    };
    wire::UserGroup {
        group: copied(of.group.as_bytes()),
        invited_by,
    }
}
