//! What is said of groups.

use bytes::Bytes;

use super::action::action_to_wire;
use super::field::{Convert, copied, group, message_id, present, title, user};
use crate::client::{GroupRead, GroupSend, GroupTransient, PacketError};
use crate::group::{
    Belongs, GroupState, Head, LogEntry, Logged, Mentions, Place, ReadTo, UserGroup,
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
