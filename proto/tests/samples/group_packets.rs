//! One packet of every kind about groups, by name.

use bytes::Bytes;
use proto::client::{
    ChangeGroup, ClientPacket, GetHistory, GetMembers, GroupRead, GroupSend, GroupTransient,
    TRANSIENT_TYPING,
};
use proto::codes::Code;
use proto::group::{
    Action, Belongs, Conversation, Entrance, FOR_EVER, GroupState, Head, LogEntry, Logged,
    MemberEntry, Place, Range, ReadTo, Role, Standing, UserGroup, Which,
};
use proto::ids::{GroupId, LogEpoch};
use proto::server::{GroupDeliver, GroupTransientFrom, History, Members, ServerPacket};
use smol_str::SmolStr;

use super::{STAMP, message_id, user};

/// Every packet about groups that a client sends.
pub fn client() -> Vec<(&'static str, ClientPacket)> {
    let send = |again| {
        ClientPacket::GroupSend(GroupSend {
            id: message_id(),
            group: hikers(),
            body: Bytes::from_static(b"see you at six"),
            mentions: vec![user("bob")],
            again,
        })
    };
    let transient = GroupTransient {
        group: hikers(),
        kind: TRANSIENT_TYPING,
        body: Bytes::new(),
    };
    let create = Action::Create {
        title: title(),
        entrance: Entrance::Approval,
    };
    let mute = Action::Mute {
        user: user("bob"),
        seconds: 3_600,
    };
    vec![
        ("GroupSend", send(false)),
        ("GroupSend again", send(true)),
        ("GroupTransient", ClientPacket::GroupTransient(transient)),
        ("GroupRead", ClientPacket::GroupRead(group_read())),
        ("ChangeGroup create", change(3, create)),
        ("ChangeGroup join", change(4, Action::Join)),
        ("ChangeGroup mute", change(5, mute)),
        ("GetGroups", ClientPacket::GetGroups),
        ("GetMembers", get_members()),
        ("GetHistory after", get_history(7, Range::After(299))),
        ("GetHistory since", get_history(8, Range::Since(STAMP))),
    ]
}

/// Every packet about groups that a server sends, but for the answers to a
/// log-in and to a message, and the carbon.
pub fn server() -> Vec<(&'static str, ServerPacket)> {
    vec![
        ("GroupDeliver message", deliver(entry(301, written()))),
        ("GroupDeliver change", deliver(entry(302, kicked()))),
        ("GroupTransientFrom", transient()),
        ("GroupState", state()),
        (
            "GroupHead",
            ServerPacket::GroupHead {
                group: hikers(),
                head: head(),
            },
        ),
        (
            "GroupLeft",
            ServerPacket::GroupLeft {
                group: hikers(),
                change: Some((user("alice"), Action::Kick(user("bob")))),
            },
        ),
        (
            "GroupLeft for a reason not known",
            ServerPacket::GroupLeft {
                group: hikers(),
                change: None,
            },
        ),
        (
            "GroupInvited",
            ServerPacket::GroupInvited {
                group: hikers(),
                by: user("alice"),
            },
        ),
        (
            "GroupApplied",
            ServerPacket::GroupApplied {
                group: hikers(),
                user: user("carol"),
            },
        ),
        ("GroupResult", result(None)),
        ("GroupResult refused", result(Some(Code::NotAllowed))),
        ("Groups", ServerPacket::Groups(user_groups())),
        ("Members", members()),
        ("History", history()),
    ]
}

/// A group of which the user is a member, and one that they are invited to.
pub fn user_groups() -> Vec<UserGroup> {
    let invited = UserGroup {
        group: GroupId::new("chess").unwrap(),
        belongs: Belongs::Invited { by: user("dave") },
    };
    let member = UserGroup {
        group: hikers(),
        belongs: Belongs::Member,
    };
    vec![invited, member]
}

/// A place in the log.
pub fn place() -> Place {
    Place {
        epoch: LogEpoch(1),
        seq: 301,
    }
}

/// A read mark.
pub fn group_read() -> GroupRead {
    GroupRead {
        group: hikers(),
        epoch: LogEpoch(1),
        read: ReadTo {
            seq: 301,
            messages: 290,
        },
    }
}

fn change(request: u32, action: Action) -> ClientPacket {
    ClientPacket::ChangeGroup(ChangeGroup {
        request,
        group: hikers(),
        action,
    })
}

fn get_members() -> ClientPacket {
    ClientPacket::GetMembers(GetMembers {
        request: 6,
        group: hikers(),
        which: Which::Online,
        after: Some(user("alice")),
    })
}

fn get_history(request: u32, range: Range) -> ClientPacket {
    ClientPacket::GetHistory(GetHistory {
        request,
        of: Conversation::Group(hikers()),
        range,
        count: 100,
    })
}

fn entry(seq: u64, what: Logged) -> LogEntry {
    LogEntry {
        seq,
        messages: 290,
        stamp: STAMP,
        from: user("alice"),
        what,
    }
}

fn written() -> Logged {
    Logged::Message {
        id: message_id(),
        body: Bytes::from_static(b"see you at six"),
        mentions: vec![user("bob")],
    }
}

fn kicked() -> Logged {
    Logged::Change(Action::Kick(user("bob")))
}

fn deliver(entry: LogEntry) -> ServerPacket {
    ServerPacket::GroupDeliver(GroupDeliver {
        group: hikers(),
        epoch: LogEpoch(1),
        entry,
    })
}

fn transient() -> ServerPacket {
    ServerPacket::GroupTransient(GroupTransientFrom {
        group: hikers(),
        from: user("bob"),
        kind: TRANSIENT_TYPING,
        body: Bytes::new(),
    })
}

fn head() -> Head {
    Head {
        place: Place {
            epoch: LogEpoch(1),
            seq: 302,
        },
        messages: 290,
    }
}

fn state() -> ServerPacket {
    ServerPacket::GroupState(Box::new(GroupState {
        group: hikers(),
        title: title(),
        entrance: Entrance::Approval,
        role: Role::Admin,
        members: 12,
        head: head(),
        read: ReadTo {
            seq: 280,
            messages: 271,
        },
        muted: Some(FOR_EVER),
    }))
}

fn result(code: Option<Code>) -> ServerPacket {
    ServerPacket::GroupResult { request: 3, code }
}

fn members() -> ServerPacket {
    let entry = |name, role, muted| MemberEntry {
        user: user(name),
        standing: Standing::In(role),
        muted,
    };
    ServerPacket::Members(Box::new(Members {
        request: 6,
        group: hikers(),
        members: vec![
            entry("bob", Role::Member, Some(STAMP)),
            entry("carol", Role::Owner, None),
        ],
        total: 12,
        more: true,
    }))
}

fn history() -> ServerPacket {
    ServerPacket::History(Box::new(History {
        request: 7,
        of: Conversation::Group(hikers()),
        epoch: LogEpoch(1),
        first: 17,
        last: 302,
        read: ReadTo {
            seq: 280,
            messages: 271,
        },
        entries: vec![
            entry(
                301,
                Logged::Message {
                    id: message_id(),
                    body: Bytes::from_static(b"see you at six"),
                    mentions: Vec::new(),
                },
            ),
            entry(302, kicked()),
        ],
    }))
}

fn hikers() -> GroupId {
    GroupId::new("hikers").unwrap()
}

fn title() -> SmolStr {
    SmolStr::new_static("Sunday hikes")
}
