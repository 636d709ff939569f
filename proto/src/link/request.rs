//! What a gateway asks of a shard for a client, besides its messages.
//!
//! Owns these requests and what a client is told of one that nobody carries
//! out. Must not know how they are carried out.

use super::MembershipVersion;
use crate::client::{
    ChangeFriend, ChangeGroup, EndDevice, GetHistory, GetMembers, GroupRead, GroupTransient, Read,
    Transient,
};
use crate::codes::Code;
use crate::ids::{GroupId, Stamp};
use crate::server::{SentElsewhere, ServerPacket};
use crate::status::Status;

/// What else a client wants of its user's shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Show another status.
    SetStatus {
        /// Which.
        status: Status,
        /// When the client set it, by its gateway: as in [`super::Announce`].
        since: Stamp,
    },
    /// The friend list.
    GetFriends,
    /// Change the friend graph.
    ChangeFriend(ChangeFriend),
    /// Tell the user's other devices of a message that is safe.
    Copy(Box<SentElsewhere>),
    /// The user's devices.
    GetDevices,
    /// Log another device of the user out.
    EndDevice(EndDevice),
    /// Pass a transient message on.
    Transient(Transient),
    /// Pass a read mark on.
    Read(Read),
    /// Pass a transient message on to a group.
    GroupTransient(GroupTransient),
    /// Keep how far the user has read a group.
    GroupRead(GroupRead),
    /// Change a group.
    ChangeGroup(ChangeGroup),
    /// The groups that the user belongs to.
    GetGroups,
    /// Who is in a group.
    GetMembers(GetMembers),
    /// A part of a history.
    GetHistory(GetHistory),
    /// The group's shard says that the user is no member.
    NotMember(GroupId, MembershipVersion),
}

impl Request {
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Transient(transient) => transient.body.len(),
            Self::Copy(sent) => sent.body.len(),
            Self::GroupTransient(transient) => transient.body.len(),
            _ => 0,
        }
    }

    /// What the client is told when nobody carries it out; none for what it
    /// asks again by itself or can do without.
    pub fn refused(&self, code: Code) -> Option<ServerPacket> {
        let code = Some(code);
        match self {
            Self::ChangeFriend(change) => Some(ServerPacket::FriendResult {
                request: change.request,
                code,
            }),
            Self::EndDevice(end) => Some(ServerPacket::DeviceResult {
                request: end.request,
                code,
            }),
            Self::ChangeGroup(ChangeGroup { request, .. })
            | Self::GetMembers(GetMembers { request, .. })
            | Self::GetHistory(GetHistory { request, .. }) => Some(ServerPacket::GroupResult {
                request: *request,
                code,
            }),
            Self::SetStatus { .. }
            | Self::GetFriends
            | Self::GetDevices
            | Self::Copy(_)
            | Self::Transient(_)
            | Self::Read(_)
            | Self::GroupTransient(_)
            | Self::GroupRead(_)
            | Self::GetGroups
            | Self::NotMember(..) => None,
        }
    }
}
