//! Lines that are no commands, commands without an answer, and sessions that
//! end.

use std::time::Duration;

use proto::client::ClientPacket;
use proto::codes::Code;
use proto::server::{Closing, ServerPacket};

use crate::desk::Desk;
use crate::samples::{group, head, login_ok, number, result, state};

#[test]
fn a_line_that_is_no_command_is_one_error_and_the_session_goes_on() {
    let mut desk = Desk::logged_in();
    for (line, error) in [
        ("JUMP", "402 no such instruction; HELP lists them"),
        (" PING", "402 no such instruction; HELP lists them"),
        ("PING now", "402 the form is: PING"),
        ("SAY", "402 the form is: SAY group text"),
        ("SAY tea", "402 the form is: SAY group text"),
        ("JOIN tea golf", "402 the form is: JOIN group"),
        ("JOIN  tea", "402 the form is: JOIN group"),
        (
            "JOIN t/a",
            "110 an id is made of A-Z a-z 0-9 . _ @ -, not byte 0x2f",
        ),
        (
            "STATUS gone",
            "402 a status is online, away, busy or invisible",
        ),
        (
            "GET tea soon",
            "402 a datetime is written 2014-08-11 12:12:12.123, in UTC",
        ),
        (
            "PI\rNG",
            "402 a line ends with CR LF or LF, and has no other CR",
        ),
    ] {
        desk.is_answered(line, "error", error);
    }
    // An empty line is none.
    desk.types("");
    assert_eq!((desk.told().as_str(), desk.asked()), ("", vec![]));
}

#[test]
fn before_the_login_nothing_else_is_done() {
    let mut desk = Desk::new();
    for line in ["PING", "SAY tea hi", "SUB", "GROUPS", "STATUS away"] {
        desk.is_answered(line, "error", "404 log in first");
    }
    desk.types("HELP");
    assert!(desk.told().starts_with("ok:"));
    desk.types("QUIT");
    desk.is_told("ok", "");
    assert_eq!(desk.asked(), [ClientPacket::Logout]);
    desk.gets(&ServerPacket::Closing(Closing::of(Code::LoginRequired)));
    assert_eq!(desk.told(), "");
}

#[test]
fn what_is_no_text_ends_the_connection() {
    let mut endless = b"SAY tea ".to_vec();
    endless.resize(21 * 1024, b'a');
    let mut long = endless.clone();
    long.extend_from_slice(b"\r\nPING\r\n");
    for (bytes, code, error) in [
        (
            &b"\x16\x03\x01\x02\0\x01\0"[..],
            Code::Malformed,
            "402 a line is UTF-8 text",
        ),
        (b"PING\0\r\n", Code::Malformed, "402 a line is UTF-8 text"),
        (
            b"SAY tea \xff\r\n",
            Code::Malformed,
            "402 a line is UTF-8 text",
        ),
        (&endless, Code::FrameTooLarge, "401 a line is too long"),
        (&long, Code::FrameTooLarge, "401 a line is too long"),
    ] {
        let mut desk = Desk::logged_in();
        desk.sends(bytes);
        desk.is_told("error", error);
        assert_eq!(desk.outcome(), [Err(code)]);
        desk.types("PING");
        desk.gets(&ServerPacket::Closing(Closing::of(code)));
        assert_eq!((desk.told().as_str(), desk.outcome()), ("", vec![]));
        assert!(!desk.door.wants_bytes());
    }
}

#[test]
fn what_is_no_text_waits_for_its_turn() {
    let mut desk = Desk::logged_in();
    desk.sends(b"PING\r\nPING\r\n\0");
    assert_eq!(desk.asked(), [ClientPacket::Ping]);
    desk.gets(&ServerPacket::Pong);
    assert_eq!(desk.asked(), [ClientPacket::Ping]);
    desk.gets(&ServerPacket::Pong);
    let told = "ok:4\r\nPONGok:4\r\nPONGerror:24\r\n402 a line is UTF-8 text";
    assert_eq!(desk.told(), told);
    assert_eq!(desk.outcome(), [Err(Code::Malformed)]);
}

#[test]
fn the_longest_line_is_taken() {
    let mut desk = Desk::logged_in();
    let mut line = "SAY tea ".to_owned();
    line.push_str(&"a".repeat(20 * 1024 - line.len()));
    desk.types(&line);
    let ClientPacket::GroupSend(send) = desk.asked_one() else {
        panic!("another packet");
    };
    assert_eq!(send.body.len(), 20 * 1024 - 8);
    // Before the log-in it is as long as the first frame may be.
    let mut desk = Desk::new();
    desk.types(&format!("LOGIN ann {}", "a".repeat(8 * 1024 - 10)));
    assert!(matches!(desk.asked_one(), ClientPacket::Login(_)));
    let mut desk = Desk::new();
    desk.types(&format!("LOGIN ann {}", "a".repeat(8 * 1024 - 9)));
    desk.is_told("error", "401 a line is too long");
}

#[test]
fn a_command_without_an_answer_is_an_error_and_the_next_one_runs() {
    let patience = Duration::from_secs(10);
    let almost = patience - Duration::from_micros(1);
    for (line, error) in [
        (
            "SAY tea hi",
            "201 no answer in time; the message's fate is unknown",
        ),
        (
            "MSG ben hi",
            "201 no answer in time; the message's fate is unknown",
        ),
        ("JOIN tea", "201 no answer in time"),
        ("CREATE tea", "201 no answer in time"),
        ("LEAVE tea", "201 no answer in time"),
        ("GET tea 2014-08-11 12:12:12", "201 no answer in time"),
        ("WHO tea", "201 no answer in time"),
        ("GROUPS", "201 no answer in time"),
        ("FRIENDS", "201 no answer in time"),
        ("PING", "201 no answer in time"),
    ] {
        let mut desk = Desk::logged_in();
        desk.types(line);
        desk.types("STATUS away");
        desk.pass(almost);
        assert_eq!(desk.told(), "", "{line}");
        assert_eq!(desk.asked().len(), 1);
        desk.pass(Duration::from_micros(1));
        let replies = desk.replies();
        assert_eq!(replies[0], ("error".to_owned(), error.to_owned()), "{line}");
        assert_eq!(replies[1], ("ok".to_owned(), String::new()));
        assert!(matches!(desk.asked_one(), ClientPacket::SetStatus(_)));
        assert_eq!(desk.door.next_deadline(), None);
    }
}

#[test]
fn a_late_answer_is_not_that_of_the_next_command() {
    let mut desk = Desk::logged_in();
    desk.types("LEAVE tea");
    let late = number(&desk.asked_one());
    desk.pass(Duration::from_secs(10));
    desk.told();
    desk.types("LEAVE golf");
    let request = number(&desk.asked_one());
    desk.gets(&result(late, Some(Code::NotMember)));
    assert_eq!(desk.told(), "");
    desk.gets(&result(request, None));
    desk.is_told("ok", "");
}

#[test]
fn joining_without_word_of_the_group_is_an_error_in_time() {
    let mut desk = Desk::logged_in();
    desk.types("JOIN tea");
    let request = number(&desk.asked_one());
    desk.gets(&result(request, None));
    desk.pass(Duration::from_secs(10));
    desk.is_told("error", "201 no answer in time");
    // It is known when word comes after all.
    desk.gets(&state("tea", head(1, 1)));
    desk.types("JOIN tea");
    let request = number(&desk.asked_one());
    desk.gets(&result(request, None));
    assert!(matches!(desk.asked_one(), ClientPacket::GetMembers(_)));
}

#[test]
fn a_login_is_the_sessions_to_give_up() {
    let mut desk = Desk::new();
    desk.types("LOGIN ann -");
    assert_eq!(desk.asked().len(), 1);
    assert_eq!(desk.door.next_deadline(), None);
    desk.types("GROUPS");
    assert_eq!(desk.asked(), []);
    desk.gets(&login_ok("ann"));
    assert_eq!(desk.asked(), [ClientPacket::GetGroups]);
}

#[test]
fn a_closing_session_says_why_once() {
    let mut desk = Desk::logged_in();
    desk.types("SAY tea hi");
    desk.outcome();
    let text = "come back at noon".into();
    let code = Code::Stopping;
    desk.gets(&ServerPacket::Closing(Closing {
        code,
        text,
        come_back_after_ms: 5,
    }));
    desk.is_told("error", "301 come back at noon");
    assert_eq!(desk.door.next_deadline(), None);
    desk.gets(&ServerPacket::GroupLeft {
        group: group("tea"),
        change: None,
    });
    assert_eq!(desk.told(), "");
}
