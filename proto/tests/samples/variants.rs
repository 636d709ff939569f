//! What can be said of groups in each of its ways: every action, entrance, role,
//! standing and range.

use proto::client::{ChangeGroup, ClientPacket, GetHistory, GetMembers};
use proto::group::{
    Action, Conversation, Entrance, GroupState, Head, MemberEntry, Place, Range, ReadTo, Role,
    Standing, Which,
};
use proto::ids::{GroupId, LogEpoch, Stamp, UserId};
use proto::server::{History, Members, ServerPacket};
use smol_str::SmolStr;

/// From a client, each with what it differs by.
pub fn client() -> Vec<(String, ClientPacket)> {
    let actions = actions().into_iter().map(|action| {
        let name = format!("{action:?}");
        (name, change(action))
    });
    let which = [Which::Members, Which::Online, Which::Waiting, Which::Banned];
    let which = which.into_iter().map(|which| {
        let get = GetMembers {
            request: 1,
            group: group(),
            which,
            after: None,
        };
        (format!("{which:?}"), ClientPacket::GetMembers(get))
    });
    let ranges = [Range::After(2), Range::Before(2), Range::Since(Stamp(2))];
    let histories = conversations().into_iter().zip(ranges).map(|(of, range)| {
        let name = format!("{of:?} {range:?}");
        let get = GetHistory {
            request: 1,
            of,
            range,
            count: 500,
        };
        (name, ClientPacket::GetHistory(get))
    });
    actions.chain(which).chain(histories).collect()
}

/// From a server, each with what it differs by.
pub fn server() -> Vec<(String, ServerPacket)> {
    let entrances = [Entrance::Open, Entrance::Invitation, Entrance::Approval];
    let roles = [Role::Member, Role::Admin, Role::Owner];
    let states = entrances.into_iter().zip(roles).map(|(entrance, role)| {
        let name = format!("{entrance:?} {role:?}");
        (name, state(entrance, role))
    });
    let histories = conversations().into_iter().take(2).map(|of| {
        let name = format!("{of:?}");
        (name, history(of))
    });
    let standings = [("Standings".to_owned(), standings())];
    states.chain(histories).chain(standings).collect()
}

/// Every action once, in the order of their numbers.
fn actions() -> Vec<Action> {
    let title = || SmolStr::new("t");
    let (user, role) = (user(), Role::Admin);
    vec![
        Action::Create {
            title: title(),
            entrance: Entrance::Open,
        },
        Action::Join,
        Action::Leave,
        Action::Rename { title: title() },
        Action::SetEntrance(Entrance::Invitation),
        Action::Invite(user.clone()),
        Action::Admit(user.clone()),
        Action::Deny(user.clone()),
        Action::SetRole {
            user: user.clone(),
            role,
        },
        Action::Transfer(user.clone()),
        Action::Kick(user.clone()),
        Action::Ban(user.clone()),
        Action::Unban(user.clone()),
        Action::Mute {
            user: user.clone(),
            seconds: 60,
        },
        Action::Unmute(user),
        Action::Dissolve,
    ]
}

fn change(action: Action) -> ClientPacket {
    ClientPacket::ChangeGroup(ChangeGroup {
        request: 1,
        group: group(),
        action,
    })
}

fn state(entrance: Entrance, role: Role) -> ServerPacket {
    let place = Place {
        epoch: LogEpoch(2),
        seq: 0,
    };
    let state = GroupState {
        group: group(),
        title: SmolStr::default(),
        entrance,
        role,
        members: 1,
        head: Head { place, messages: 0 },
        read: ReadTo::default(),
        muted: None,
    };
    ServerPacket::GroupState(Box::new(state))
}

fn history(of: Conversation) -> ServerPacket {
    ServerPacket::History(Box::new(History {
        request: 1,
        of,
        epoch: LogEpoch(2),
        first: 1,
        last: 0,
        read: ReadTo::default(),
        entries: Vec::new(),
    }))
}

fn standings() -> ServerPacket {
    let all = [
        Standing::In(Role::Member),
        Standing::In(Role::Admin),
        Standing::In(Role::Owner),
        Standing::Invited,
        Standing::Applied,
        Standing::Banned,
    ];
    let members = all.into_iter().map(|standing| MemberEntry {
        user: user(),
        standing,
        muted: None,
    });
    ServerPacket::Members(Box::new(Members {
        request: 1,
        group: group(),
        members: members.collect(),
        total: 6,
        more: false,
    }))
}

fn conversations() -> [Conversation; 3] {
    let group = Conversation::Group(group());
    [group.clone(), Conversation::Peer(user()), group]
}

fn group() -> GroupId {
    GroupId::new("g").unwrap()
}

fn user() -> UserId {
    UserId::new("u").unwrap()
}
