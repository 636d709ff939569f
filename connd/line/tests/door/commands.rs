//! Each command but those on groups, with what it asks of the session and what
//! it replies.

use std::sync::Arc;

use proto::client::{ClientPacket, GroupSend, Login, Send};
use proto::codes::Code;
use proto::friends::{FriendEntry, FriendList, ListVersion, Relation};
use proto::group::{Belongs, Place, UserGroup};
use proto::ids::{DeviceId, LogEpoch, MessageId};
use proto::server::{LoginOk, Outcome, Sent, ServerPacket};
use proto::status::{Availability, Status};

use crate::desk::Desk;
use crate::samples::{NOON, group, login_ok, user};

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
