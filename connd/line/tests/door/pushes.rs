//! What is pushed, and what waits for that.

use bytes::Bytes;
use proto::client::ClientPacket;
use proto::group::{Action, Logged};
use proto::ids::MessageId;
use proto::server::{Goaway, ServerPacket};

use crate::desk::Desk;
use crate::samples::{change, deliver, group, head, logged, message, state, user};

const HI: &str = r#"{"msg":"hi","from":"ben","datetime":"2014-08-11 12:12:12.123","id":"01010101-0101-0101-0101-010101010101"}"#;

#[test]
fn a_message_is_pushed_and_acknowledged() {
    let mut desk = Desk::logged_in();
    desk.is_answered("SUB", "ok", "");
    desk.gets(&deliver(1, "hi"));
    desk.is_told("push", HI);
    assert_eq!(desk.asked(), [ClientPacket::Ack { seq: 1 }]);
}

#[test]
fn messages_wait_for_sub_without_an_acknowledgement() {
    let mut desk = Desk::logged_in();
    desk.gets(&state("tea", head(1, 0)));
    desk.gets(&deliver(1, "hi"));
    desk.gets(&logged("tea", 1, message(1, "nobody is told")));
    desk.gets(&deliver(2, "there"));
    assert_eq!((desk.told().as_str(), desk.asked()), ("", vec![]));
    desk.types("SUB");
    let replies = desk.replies();
    assert_eq!(replies[0], ("ok".to_owned(), String::new()));
    assert_eq!(replies[1], ("push".to_owned(), HI.to_owned()));
    assert!(replies[2].1.starts_with(r#"{"msg":"there","from":"ben""#));
    assert_eq!(replies.len(), 3);
    let acks = [1, 2].map(|seq| ClientPacket::Ack { seq });
    assert_eq!(desk.asked(), acks);
    desk.is_answered("SUB", "ok", "");
}

#[test]
fn messages_of_groups_are_pushed_and_changes_are_not() {
    let mut desk = Desk::logged_in();
    desk.gets(&state("tea", head(1, 6)));
    desk.types("SUB");
    desk.told();
    desk.gets(&logged("tea", 1, change(7, Action::Join)));
    assert_eq!(desk.told(), "");
    desk.gets(&logged("tea", 1, message(8, "hi")));
    desk.is_told(
        "push",
        r#"{"msg":"hi","from":"ben","datetime":"2014-08-11 12:12:12.131","group":"tea","id":"08080808-0808-0808-0808-080808080808","seq":8}"#,
    );
    // Again, and of a group that the user is not in.
    desk.gets(&logged("tea", 1, message(8, "hi")));
    desk.gets(&logged("golf", 1, message(9, "hi")));
    assert_eq!((desk.told().as_str(), desk.asked()), ("", vec![]));
}

#[test]
fn pushes_come_between_replies_and_within_a_command() {
    let mut desk = Desk::logged_in();
    desk.types("SUB");
    desk.types("PING");
    desk.gets(&deliver(1, "hi"));
    desk.gets(&ServerPacket::Pong);
    let states: Vec<String> = desk.replies().into_iter().map(|reply| reply.0).collect();
    assert_eq!(states, ["ok", "push", "ok"]);
}

#[test]
fn any_body_is_shown_as_text() {
    let mut desk = Desk::logged_in();
    desk.gets(&state("tea", head(1, 0)));
    desk.types("SUB");
    desk.told();
    for (seq, body, shown) in [
        (
            1,
            &b"\"quoted\" \\ and\r\n\0new"[..],
            r#"\"quoted\" \\ and\r\n\u0000new"#,
        ),
        (2, "t\u{e9}a \u{1f375}".as_bytes(), "t\u{e9}a \u{1f375}"),
        (3, b"\xffbytes", "\u{fffd}bytes"),
        (4, b"", ""),
    ] {
        let mut entry = message(seq, "");
        entry.what = Logged::Message {
            id: MessageId::from_bytes([9; 16]),
            body: Bytes::from_static(body),
            mentions: Vec::new(),
        };
        desk.gets(&logged("tea", 1, entry));
        // The length is that of the bytes, or the body would not be found.
        let pushed = desk.replies().remove(0).1;
        let begins = format!(r#"{{"msg":"{shown}","from":"ben""#);
        assert!(pushed.starts_with(&begins), "{pushed}");
    }
}

#[test]
fn what_concerns_the_user_is_pushed() {
    let (tea, ben) = (group("tea"), user("ben"));
    let left = |change| ServerPacket::GroupLeft {
        group: group("tea"),
        change,
    };
    let goaway = Goaway {
        after_ms: 500,
        spread_ms: 5_000,
    };
    for (packet, pushed) in [
        (
            ServerPacket::GroupInvited {
                group: tea.clone(),
                by: ben.clone(),
            },
            r#"{"invited":"tea","by":"ben"}"#,
        ),
        (
            ServerPacket::GroupApplied {
                group: tea.clone(),
                user: ben.clone(),
            },
            r#"{"applied":"tea","by":"ben"}"#,
        ),
        (
            left(Some((ben, Action::Kick(user("ann"))))),
            r#"{"left":"tea"}"#,
        ),
        (left(None), r#"{"left":"tea"}"#),
        (ServerPacket::Goaway(goaway), r#"{"leaving_ms":5500}"#),
    ] {
        let mut desk = Desk::logged_in();
        desk.gets(&state("tea", head(1, 0)));
        desk.gets(&packet);
        assert_eq!(desk.told(), "", "not without SUB");
        let mut desk = Desk::logged_in();
        desk.gets(&state("tea", head(1, 0)));
        desk.types("SUB");
        desk.told();
        desk.gets(&packet);
        desk.is_told("push", pushed);
    }
    let mut desk = Desk::logged_in();
    desk.gets(&state("tea", head(1, 0)));
    desk.types("SUB");
    desk.told();
    // Who leaves knows it.
    desk.gets(&left(Some((user("ann"), Action::Leave))));
    assert_eq!(desk.told(), "");
    desk.gets(&logged("tea", 1, message(1, "hi")));
    assert_eq!(desk.told(), "");
}
