//! Packets as a session gives them.

use bytes::Bytes;
use proto::client::ClientPacket;
use proto::codes::Code;
use proto::group::{
    Action, Conversation, Entrance, GroupState, Head, LogEntry, Logged, Place, ReadTo, Role,
};
use proto::ids::{DeviceId, GroupId, LogEpoch, MessageId, SessionId, Stamp, UserId};
use proto::server::{Deliver, GroupDeliver, History, LoginOk, ServerPacket};

/// 2014-08-11 12:12:12.123
pub const NOON: Stamp = Stamp(1_407_759_132_123_000);

/// A user.
pub fn user(name: &str) -> UserId {
    UserId::new(name).expect("an id")
}

/// A group.
pub fn group(name: &str) -> GroupId {
    GroupId::new(name).expect("an id")
}

/// The log-in is accepted, of a user in no group.
pub fn login_ok(name: &str) -> ServerPacket {
    ServerPacket::LoginOk(Box::new(LoginOk {
        version: 1,
        features: 0,
        user: user(name),
        device: DeviceId::new("line-1").expect("an id"),
        session: SessionId(7),
        window_messages: 128,
        window_bytes: 512 * 1024,
        heartbeat_ms: 300_000,
        body_bytes_max: 16 * 1024,
        server_time: NOON,
        groups: Vec::new(),
    }))
}

/// The end of a log.
pub fn head(epoch: u64, seq: u64) -> Head {
    Head {
        place: Place {
            epoch: LogEpoch(epoch),
            seq,
        },
        messages: seq,
    }
}

/// What a member is told of a group, with its log's end.
pub fn state(name: &str, head: Head) -> ServerPacket {
    state_of(name, head, Role::Member, 3)
}

/// What one of so many is told of a group.
pub fn state_of(name: &str, head: Head, role: Role, members: u32) -> ServerPacket {
    ServerPacket::GroupState(Box::new(GroupState {
        group: group(name),
        title: "Five o'clock".into(),
        entrance: Entrance::Open,
        role,
        members,
        head,
        read: ReadTo::default(),
        muted: None,
    }))
}

/// A message in a log.
pub fn message(seq: u64, text: &str) -> LogEntry {
    LogEntry {
        seq,
        messages: seq,
        stamp: Stamp(NOON.0 + seq * 1_000),
        from: user("ben"),
        what: Logged::Message {
            id: MessageId::from_bytes([seq as u8; 16]),
            body: Bytes::copy_from_slice(text.as_bytes()),
            mentions: Vec::new(),
        },
    }
}

/// A change in a log.
pub fn change(seq: u64, action: Action) -> LogEntry {
    LogEntry {
        what: Logged::Change(action),
        ..message(seq, "")
    }
}

/// An entry is delivered.
pub fn logged(name: &str, epoch: u64, entry: LogEntry) -> ServerPacket {
    ServerPacket::GroupDeliver(GroupDeliver {
        group: group(name),
        epoch: LogEpoch(epoch),
        entry,
    })
}

/// A message of ben is delivered.
pub fn deliver(seq: u64, text: &str) -> ServerPacket {
    ServerPacket::Deliver(Deliver {
        seq,
        id: MessageId::from_bytes([seq as u8; 16]),
        from: user("ben"),
        stamp: NOON,
        body: Bytes::copy_from_slice(text.as_bytes()),
    })
}

/// A page of a group's log that reaches from `first` to `last`.
pub fn page(
    request: u32,
    name: &str,
    epoch: u64,
    (first, last): (u64, u64),
    entries: Vec<LogEntry>,
) -> ServerPacket {
    ServerPacket::History(Box::new(History {
        request,
        of: Conversation::Group(group(name)),
        epoch: LogEpoch(epoch),
        first,
        last,
        read: ReadTo::default(),
        entries,
    }))
}

/// A request about a group is done, or refused.
pub fn result(request: u32, code: Option<Code>) -> ServerPacket {
    ServerPacket::GroupResult { request, code }
}

/// The number of a request.
pub fn number(packet: &ClientPacket) -> u32 {
    match packet {
        ClientPacket::ChangeGroup(change) => change.request,
        ClientPacket::GetMembers(get) => get.request,
        ClientPacket::GetHistory(get) => get.request,
        other => panic!("no request: {other:?}"),
    }
}
