//! One envelope of every kind about groups, both ways.

use bytes::Bytes;
use proto::client::{ChangeGroup, GetHistory, GetMembers, GroupRead, GroupTransient};
use proto::codes::Code;
use proto::group::{
    Action, Belongs, Conversation, Entrance, FOR_EVER, GroupState, Head, LogEntry, Logged, Place,
    Range, ReadTo, Role, UserGroup, Which,
};
use proto::ids::{Generation, GroupId, LogEpoch, SessionId, Stamp, UserId};
use proto::link::{
    Attempt, Down, Follow, FromGroup, GroupAsk, GroupRequest, Membership, MembershipVersion, Post,
    Recipient, Relayed, Request, ToGroup, Up,
};
use proto::server::{GroupDeliver, GroupTransientFrom, ServerPacket};
use smol_str::SmolStr;

use super::{id, message_id};

/// A group as a recipient.
pub fn recipient() -> Recipient {
    Recipient::Group {
        group: group(),
        mentions: vec![id("ben"), id("cat")],
    }
}

/// From a gateway to a group's shard.
pub fn up() -> Vec<Up> {
    let follow = Follow {
        session: SessionId(u64::MAX),
        user: id("ann"),
    };
    let all = [
        ToGroup::Follow(follow),
        ToGroup::FollowAgain {
            after: place(),
            users: vec![id("ann"), id("ben")],
        },
        ToGroup::FollowAgain {
            after: place(),
            users: Vec::new(),
        },
        ToGroup::Unfollow,
        ToGroup::Dropped { number: u64::MAX },
        ToGroup::Dropped { number: 0 },
        ToGroup::Present {
            number: 5,
            count: 1_001,
            users: vec![id("cat")],
        },
    ];
    let to_group = |what| Up::ToGroup {
        group: group(),
        what,
    };
    all.into_iter().map(to_group).collect()
}

/// From a shard to a gateway.
pub fn down() -> Vec<Down> {
    let session = SessionId(1);
    let mut all = vec![
        Down::Joined {
            session,
            group: group(),
        },
        Down::Left {
            session,
            group: group(),
        },
        Down::Push {
            sessions: smallvec::smallvec![session],
            packet: Box::new(ServerPacket::GroupDeliver(written())),
        },
    ];
    all.extend(from_groups().into_iter().map(Down::FromGroup));
    all
}

fn from_groups() -> Vec<FromGroup> {
    let session = SessionId(1);
    let drop = |user, action| FromGroup::Drop {
        group: group(),
        number: 4,
        user,
        actor: id("ann"),
        action,
    };
    let change = |action| GroupDeliver {
        entry: LogEntry {
            what: Logged::Change(action),
            ..written().entry
        },
        ..written()
    };
    let mut all = vec![
        FromGroup::Followed {
            session,
            state: Box::new(state()),
        },
        FromGroup::NotMember {
            session,
            group: group(),
            version: version(),
        },
        FromGroup::Busy { group: group() },
        FromGroup::FollowedAgain {
            group: group(),
            head: state().head,
            gone: vec![id("ben")],
            version: version(),
        },
        FromGroup::Entry(written()),
        FromGroup::Transient(transient_from()),
        drop(Some(id("ben")), Action::Ban(id("ben"))),
        drop(None, Action::Dissolve),
        FromGroup::Who {
            group: group(),
            number: 5,
        },
    ];
    all.extend(actions().into_iter().map(change).map(FromGroup::Entry));
    all
}

/// What a client wants of a group.
pub fn requests() -> Vec<Request> {
    let mut all = vec![
        Request::GroupTransient(GroupTransient {
            group: group(),
            kind: 7,
            body: Bytes::from_static(b"..."),
        }),
        Request::GroupRead(read()),
        Request::GetGroups,
        Request::GetMembers(get_members(Which::Banned, Some(id("ben")))),
        Request::GetMembers(get_members(Which::Online, None)),
        Request::GetHistory(get_history(Conversation::Peer(id("ben")), Range::Before(0))),
        Request::GetHistory(get_history(group_log(), Range::After(0))),
        Request::GetHistory(get_history(group_log(), Range::Since(Stamp(0)))),
        Request::NotMember(group(), version()),
    ];
    let changes = actions().into_iter().map(change);
    all.extend(changes.map(Request::ChangeGroup));
    all
}

/// What shards say to each other of groups.
pub fn relayed() -> Vec<Relayed> {
    let mut all = vec![
        Relayed::Post(Post {
            group: group(),
            from: id("ann"),
            id: message_id(1),
            body: Bytes::from_static(b"see you at six"),
            mentions: vec![id("ben")],
            session: SessionId(5),
            generation: Generation(2),
            attempt: Attempt::Resent,
        }),
        Relayed::GroupTransient(transient_from()),
        Relayed::GroupRead {
            user: id("ann"),
            read: read(),
        },
        Relayed::GroupAnswer {
            request: 9,
            actor: id("ann"),
            packet: Box::new(ServerPacket::GroupResult {
                request: 3,
                code: Some(Code::NotAllowed),
            }),
        },
        Relayed::MembershipKept {
            group: group(),
            user: id("ann"),
            version: version(),
        },
        Relayed::GroupApplied {
            to: id("ann"),
            group: group(),
            user: id("ben"),
        },
    ];
    all.extend(asks());
    let belongs = [
        None,
        Some(Belongs::Member),
        Some(Belongs::Invited { by: id("ben") }),
    ];
    all.extend(belongs.map(|belongs| {
        Relayed::Membership(Box::new(Membership {
            group: group(),
            user: id("ann"),
            belongs,
            version: version(),
        }))
    }));
    all
}

fn asks() -> Vec<Relayed> {
    let history = get_history(group_log(), Range::Before(9));
    let mut all = vec![
        GroupRequest::Members(get_members(Which::Waiting, None)),
        GroupRequest::History(group(), history),
    ];
    all.extend(actions().into_iter().map(change).map(GroupRequest::Change));
    let ask = |what| GroupAsk {
        request: 9,
        actor: id("ann"),
        what,
    };
    let asks = all.into_iter().map(ask);
    asks.map(|ask| Relayed::GroupAsk(Box::new(ask))).collect()
}

/// The groups that a user belongs to.
pub fn user_groups() -> Vec<UserGroup> {
    let belongs = [Belongs::Member, Belongs::Invited { by: id("ben") }];
    let of = |belongs| UserGroup {
        group: group(),
        belongs,
    };
    belongs.map(of).into()
}

/// A place in a log.
pub fn place() -> Place {
    Place {
        epoch: LogEpoch(u64::MAX),
        seq: 7,
    }
}

fn actions() -> Vec<Action> {
    let user = || id("ben");
    vec![
        Action::Create {
            title: SmolStr::new("hikes"),
            entrance: Entrance::Open,
        },
        Action::Join,
        Action::Leave,
        Action::Rename {
            title: SmolStr::new("walks"),
        },
        Action::SetEntrance(Entrance::Approval),
        Action::Invite(user()),
        Action::Admit(user()),
        Action::Deny(user()),
        Action::SetRole {
            user: user(),
            role: Role::Member,
        },
        Action::Transfer(user()),
        Action::Kick(user()),
        Action::Ban(user()),
        Action::Unban(user()),
        Action::Mute {
            user: user(),
            seconds: u32::MAX,
        },
        Action::Unmute(user()),
        Action::Dissolve,
    ]
}

fn change(action: Action) -> ChangeGroup {
    ChangeGroup {
        request: 3,
        group: group(),
        action,
    }
}

fn get_members(which: Which, after: Option<UserId>) -> GetMembers {
    GetMembers {
        request: 3,
        group: group(),
        which,
        after,
    }
}

fn get_history(of: Conversation, range: Range) -> GetHistory {
    GetHistory {
        request: 3,
        of,
        range,
        count: 500,
    }
}

fn group_log() -> Conversation {
    Conversation::Group(group())
}

fn read() -> GroupRead {
    GroupRead {
        group: group(),
        epoch: LogEpoch(2),
        read: read_to(),
    }
}

fn read_to() -> ReadTo {
    ReadTo {
        seq: 6,
        messages: 5,
    }
}

fn state() -> GroupState {
    GroupState {
        group: group(),
        title: SmolStr::new("hikes"),
        entrance: Entrance::Invitation,
        role: Role::Owner,
        members: 3,
        head: Head {
            place: place(),
            messages: 6,
        },
        read: read_to(),
        muted: Some(FOR_EVER),
    }
}

fn written() -> GroupDeliver {
    GroupDeliver {
        group: group(),
        epoch: LogEpoch(2),
        entry: LogEntry {
            seq: 7,
            messages: 6,
            stamp: Stamp(7),
            from: id("ann"),
            what: Logged::Message {
                id: message_id(1),
                body: Bytes::from_static(b"see you at six"),
                mentions: vec![id("ben")],
            },
        },
    }
}

fn transient_from() -> GroupTransientFrom {
    GroupTransientFrom {
        group: group(),
        from: id("ann"),
        kind: 7,
        body: Bytes::from_static(b"..."),
    }
}

fn version() -> MembershipVersion {
    MembershipVersion {
        epoch: LogEpoch(2),
        revision: 11,
    }
}

fn group() -> GroupId {
    GroupId::new("hikers").unwrap()
}
