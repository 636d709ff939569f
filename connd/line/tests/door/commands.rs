//! Each command, with what it asks of the session and what it replies.

use std::sync::Arc;

use proto::client::{ChangeGroup, ClientPacket, GetMembers, GroupSend, Login, Send};
use proto::codes::Code;
use proto::friends::{FriendEntry, FriendList, ListVersion, Relation};
use proto::group::{
    Action, Belongs, Entrance, MemberEntry, Place, Role, Standing, UserGroup, Which,
};
use proto::ids::{DeviceId, LogEpoch, MessageId};
use proto::server::{LoginOk, Members, Outcome, Sent, ServerPacket};
use proto::status::{Availability, Status};

use crate::desk::Desk;
use crate::samples::{NOON, change, group, head, logged, login_ok, number, result, state, user};

fn login(token: &str) -> ClientPacket {
    ClientPacket::Login(Box::new(Login {
        version_min: 1,
        version_max: 1,
        features: 0,
        token: token.to_owned(),
        user: Some(user("ann")),
        device: DeviceId::new("line-0101010101010101").ok(),
        friends_hash: None,
        heartbeat_ms: 300_000,
        status: None,
    }))
}

#[test]
fn login_is_a_device_of_its_own() {
    let mut desk = Desk::new();
    desk.types("LOGIN ann a.b.c");
    assert_eq!(desk.asked(), [login("a.b.c")]);
    let ServerPacket::LoginOk(ok) = login_ok("ann") else {
        unreachable!("it is one");
    };
    let groups = vec![
        UserGroup {
            group: group("tea"),
            belongs: Belongs::Member,
        },
        UserGroup {
            group: group("golf"),
            belongs: Belongs::Invited { by: user("ben") },
        },
    ];
    desk.gets(&ServerPacket::LoginOk(Box::new(LoginOk { groups, ..*ok })));
    desk.is_told(
        "ok",
        r#"{"user":"ann","groups":["tea"],"heartbeat_ms":300000}"#,
    );
    desk.is_answered("LOGIN ann a.b.c", "error", "402 you are logged in already");

    let mut open = Desk::new();
    open.types("login ann -");
    assert_eq!(open.asked(), [login("")]);
}

#[test]
fn a_refused_login_is_one_error() {
    let mut desk = Desk::new();
    desk.types("LOGIN ann forged");
    desk.outcome();
    let closing = proto::server::Closing::of(Code::TokenInvalid);
    desk.gets(&ServerPacket::Closing(closing.clone()));
    desk.is_told("error", "405 the token is not valid");
    desk.gets(&ServerPacket::Closing(closing));
    desk.types("HELP");
    assert_eq!(desk.told(), "");
    assert!(!desk.door.wants_bytes());
}

fn asked_of(desk: &mut Desk, line: &str, action: Action) -> u32 {
    desk.types(line);
    let packet = desk.asked_one();
    let request = number(&packet);
    let group = group("tea");
    let expected = ClientPacket::ChangeGroup(ChangeGroup {
        request,
        group,
        action,
    });
    assert_eq!(packet, expected);
    request
}

const TEA: &str = r#"{"id":"tea","title":"Five o'clock","members":3,"role":"member"}"#;

#[test]
fn join_tells_what_the_group_is_once_that_is_known() {
    let mut desk = Desk::logged_in();
    let request = asked_of(&mut desk, "JOIN tea", Action::Join);
    desk.gets(&result(request + 1, None));
    desk.gets(&result(request, None));
    assert_eq!(desk.told(), "");
    desk.gets(&state("golf", head(1, 4)));
    assert_eq!(desk.told(), "");
    desk.gets(&state("tea", head(1, 4)));
    desk.is_told("ok", TEA);
}

/// What `JOIN` tells of a group that the user is in, after these entries.
fn joined_after(actions: Vec<Action>) -> String {
    let mut desk = Desk::logged_in();
    desk.gets(&state("tea", head(1, 4)));
    for (seq, action) in (5..).zip(actions) {
        desk.gets(&logged("tea", 1, change(seq, action)));
    }
    // One that was told changes nothing any more.
    let title = "Old".into();
    desk.gets(&logged("tea", 1, change(4, Action::Rename { title })));
    let request = asked_of(&mut desk, "JOIN tea", Action::Join);
    desk.gets(&result(request, None));
    assert_eq!(desk.told(), "");
    let count = desk.asked_one();
    assert_eq!(count, of_members(number(&count), Which::Members, None));
    desk.gets(&members(number(&count), &["ann"], 12, true));
    desk.replies().remove(0).1
}

#[test]
fn join_of_a_group_that_one_is_in_tells_what_it_is_now() {
    let tea = |title: &str, role: &str| {
        format!(r#"{{"id":"tea","title":"{title}","members":12,"role":"{role}"}}"#)
    };
    let title = "Coffee".into();
    let role = |name, role| Action::SetRole {
        user: user(name),
        role,
    };
    let hers = role("ann", Role::Admin);
    for (actions, expected) in [
        (vec![], tea("Five o'clock", "member")),
        (vec![Action::Rename { title }], tea("Coffee", "member")),
        (vec![hers.clone()], tea("Five o'clock", "admin")),
        (
            vec![role("eve", Role::Admin)],
            tea("Five o'clock", "member"),
        ),
        (
            vec![hers, Action::Transfer(user("ann"))],
            tea("Five o'clock", "owner"),
        ),
        (
            vec![Action::Transfer(user("eve"))],
            tea("Five o'clock", "member"),
        ),
    ] {
        assert_eq!(joined_after(actions), expected);
    }
}

#[test]
fn a_refused_join_says_why() {
    let mut desk = Desk::logged_in();
    let request = asked_of(&mut desk, "JOIN tea", Action::Join);
    desk.gets(&result(request, Some(Code::Applied)));
    desk.is_told(
        "error",
        "136 you have asked to be admitted; an admin decides",
    );
    let request = asked_of(&mut desk, "JOIN tea", Action::Join);
    desk.gets(&state("tea", head(1, 4)));
    desk.gets(&result(request, None));
    let count = number(&desk.asked_one());
    desk.gets(&ServerPacket::GroupLeft {
        group: group("tea"),
        change: None,
    });
    desk.gets(&members(count, &["ann"], 12, true));
    desk.is_told("error", "133 you are not a member of this group");
}

#[test]
fn create_makes_an_open_group() {
    let mut desk = Desk::logged_in();
    for (line, title) in [
        ("CREATE tea Five o'clock", "Five o'clock"),
        ("CREATE tea", ""),
    ] {
        let entrance = Entrance::Open;
        let title = title.into();
        let request = asked_of(&mut desk, line, Action::Create { title, entrance });
        desk.gets(&result(request, Some(Code::GroupExists)));
        desk.is_told("error", "132 there is a group of this name");
    }
    let entrance = Entrance::Open;
    let title = "a b".into();
    let create = Action::Create { title, entrance };
    let request = asked_of(&mut desk, "CREATE tea a b", create);
    // What the group is may be there before the answer.
    desk.gets(&result(request, None));
    desk.gets(&state("tea", head(1, 1)));
    desk.is_told("ok", TEA);
}

#[test]
fn leave_invite_and_kick_are_just_done() {
    let mut desk = Desk::logged_in();
    for (line, action) in [
        ("LEAVE tea", Action::Leave),
        ("INVITE tea eve", Action::Invite(user("eve"))),
        ("KICK tea eve", Action::Kick(user("eve"))),
    ] {
        let request = asked_of(&mut desk, line, action.clone());
        desk.gets(&result(request, None));
        desk.is_told("ok", "");
        let request = asked_of(&mut desk, line, action);
        desk.gets(&result(request, Some(Code::NotAllowed)));
        desk.is_told("error", "134 your role in the group does not allow it");
    }
}

fn sent(id: MessageId, outcome: Outcome) -> ServerPacket {
    let stamp = NOON;
    ServerPacket::Sent {
        id,
        sent: Sent { stamp, outcome },
    }
}

#[test]
fn say_waits_until_the_message_is_safe() {
    let mut desk = Desk::logged_in();
    desk.chance = 8;
    desk.types("SAY tea Hello  group ");
    let id = MessageId::mint(NOON.as_ms(), [9; 10]);
    let send = GroupSend {
        id,
        group: group("tea"),
        body: "Hello  group ".into(),
        mentions: Vec::new(),
        again: false,
    };
    assert_eq!(desk.asked(), [ClientPacket::GroupSend(send)]);
    let other = MessageId::from_bytes([1; 16]);
    let place = Place {
        epoch: LogEpoch(1),
        seq: 12,
    };
    desk.gets(&sent(other, Outcome::Logged(place)));
    assert_eq!(desk.told(), "");
    desk.gets(&sent(id, Outcome::Logged(place)));
    desk.is_told(
        "ok",
        r#"{"id":"0147c4fb-a5db-7909-8909-090909090909","datetime":"2014-08-11 12:12:12.123","seq":12}"#,
    );
}

#[test]
fn msg_tells_where_the_message_is_safe() {
    let mut desk = Desk::logged_in();
    let device = DeviceId::new("phone").expect("an id");
    for (outcome, state) in [
        (Outcome::Stored, "stored"),
        (Outcome::Delivered { device }, "delivered"),
    ] {
        desk.chance = 8;
        desk.types("MSG ben see you at six");
        let id = MessageId::mint(NOON.as_ms(), [9; 10]);
        let send = Send {
            id,
            to: user("ben"),
            body: "see you at six".into(),
            friends_hash: None,
            again: false,
        };
        assert_eq!(desk.asked(), [ClientPacket::Send(send)]);
        desk.gets(&sent(id, outcome));
        let (reply, body) = desk.replies().remove(0);
        assert_eq!(reply, "ok");
        assert!(body.ends_with(&format!(r#""state":"{state}"}}"#)), "{body}");
    }
}

#[test]
fn a_message_that_is_not_safe_is_an_error() {
    let mut desk = Desk::logged_in();
    let code = Code::Muted;
    for (text, told) in [
        ("", "140 you are muted in this group"),
        ("till six", "140 till six"),
    ] {
        desk.types("SAY tea hi");
        let ClientPacket::GroupSend(GroupSend { id, .. }) = desk.asked_one() else {
            panic!("another packet");
        };
        let text = text.into();
        desk.gets(&ServerPacket::Rejected { id, code, text });
        desk.is_told("error", told);
    }
    desk.types("SAY tea hi");
    let ClientPacket::GroupSend(GroupSend { id, .. }) = desk.asked_one() else {
        panic!("another packet");
    };
    let code = Code::StoreUnavailable;
    desk.gets(&ServerPacket::Unknown { id, code });
    desk.is_told("error", "204 the store does not take it");
}

fn of_members(request: u32, which: Which, after: Option<&str>) -> ClientPacket {
    ClientPacket::GetMembers(GetMembers {
        request,
        group: group("tea"),
        which,
        after: after.map(user),
    })
}

fn members(request: u32, names: &[&str], total: u32, more: bool) -> ServerPacket {
    let entry = |name: &&str| MemberEntry {
        user: user(name),
        standing: Standing::In(Role::Member),
        muted: None,
    };
    ServerPacket::Members(Box::new(Members {
        request,
        group: group("tea"),
        members: names.iter().map(entry).collect(),
        total,
        more,
    }))
}

#[test]
fn who_and_members_go_through_all_pages() {
    let mut desk = Desk::logged_in();
    for (line, which) in [("WHO tea", Which::Online), ("MEMBERS tea", Which::Members)] {
        desk.types(line);
        let first = desk.asked_one();
        assert_eq!(first, of_members(number(&first), which, None));
        desk.gets(&members(number(&first), &["ann", "ben"], 3, true));
        assert_eq!(desk.told(), "");
        let second = desk.asked_one();
        assert_eq!(second, of_members(number(&second), which, Some("ben")));
        // A page that was answered is not answered again.
        desk.gets(&members(number(&first), &["eve"], 3, false));
        desk.gets(&members(number(&second), &["ben", "eve"], 3, false));
        let one = |name: &str| format!(r#"{{"user":"{name}","role":"member"}}"#);
        let all = ["ann", "ben", "eve"].map(one).join(",");
        desk.is_told("ok", &format!("[{all}]"));

        desk.types(line);
        let request = number(&desk.asked_one());
        desk.gets(&result(request, Some(Code::NotMember)));
        desk.is_told("error", "133 you are not a member of this group");
    }
}

#[test]
fn groups_and_friends_are_lists() {
    let mut desk = Desk::logged_in();
    desk.types("GROUPS");
    assert_eq!(desk.asked(), [ClientPacket::GetGroups]);
    let groups = vec![
        UserGroup {
            group: group("tea"),
            belongs: Belongs::Member,
        },
        UserGroup {
            group: group("golf"),
            belongs: Belongs::Invited { by: user("ben") },
        },
    ];
    desk.gets(&ServerPacket::Groups(groups));
    desk.is_told(
        "ok",
        r#"[{"group":"tea","state":"member"},{"group":"golf","state":"invited","by":"ben"}]"#,
    );

    desk.types("FRIENDS");
    assert_eq!(desk.asked(), [ClientPacket::GetFriends]);
    let entry = |name, relation, blocked| FriendEntry {
        user: user(name),
        relation,
        blocked,
    };
    let entries = vec![
        entry("ben", Relation::Friend, false),
        entry("eve", Relation::None, true),
    ];
    let list = FriendList::new(ListVersion(3), entries).expect("a list");
    desk.gets(&ServerPacket::Friends(Arc::new(list)));
    desk.is_told(
        "ok",
        r#"[{"user":"ben","relation":"friend","blocked":false},{"user":"eve","relation":"none","blocked":true}]"#,
    );
}

#[test]
fn status_ping_help_and_quit() {
    let mut desk = Desk::logged_in();
    for (word, availability) in [
        ("online", Availability::Online),
        ("away", Availability::Away),
        ("BUSY", Availability::Busy),
        ("invisible", Availability::Invisible),
    ] {
        desk.types(&format!("STATUS {word}"));
        let status = Status::plain(availability);
        assert_eq!(desk.asked(), [ClientPacket::SetStatus(status)]);
        desk.is_told("ok", "");
    }
    desk.types("PING");
    assert_eq!(desk.asked(), [ClientPacket::Ping]);
    assert_eq!(desk.told(), "");
    desk.gets(&ServerPacket::Pong);
    desk.is_told("ok", "PONG");
    desk.types("HELP");
    let (state, help) = desk.replies().remove(0);
    assert_eq!(state, "ok");
    assert!(help.lines().any(|line| line.starts_with("SAY group text ")));
    desk.types("QUIT");
    assert_eq!(desk.asked(), [ClientPacket::Logout]);
    desk.is_told("ok", "");
    desk.types("PING");
    assert_eq!(desk.outcome(), []);
    assert!(!desk.door.wants_bytes());
}
