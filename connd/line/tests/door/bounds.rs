//! What waits in a door is bounded, and so is what it says and asks at once.

use std::time::Duration;

use proto::client::{ClientPacket, GetMembers};
use proto::group::{MemberEntry, Standing};
use proto::rate::{Allowance, Usage};
use proto::server::{Members, ServerPacket};

use crate::desk::Desk;
use crate::samples::{group, head, logged, message, page, state, user};

#[test]
fn a_door_with_enough_to_do_wants_no_more_bytes() {
    let mut desk = Desk::logged_in();
    desk.types("PING");
    desk.sends(&b"PING\r\n".repeat(682));
    assert!(desk.door.wants_bytes(), "4 KiB wait");
    desk.types("PING");
    assert!(!desk.door.wants_bytes());
    // One by one they are answered, and there is room again.
    for _ in 0..2 {
        assert_eq!(desk.asked(), [ClientPacket::Ping]);
        desk.gets(&ServerPacket::Pong);
    }
    assert!(desk.door.wants_bytes());
    for _ in 0..682 {
        assert_eq!(desk.asked(), [ClientPacket::Ping]);
        desk.gets(&ServerPacket::Pong);
    }
    assert_eq!(desk.asked(), []);
    assert_eq!(desk.replies().len(), 684);
}

#[test]
fn a_long_line_is_read_to_its_end() {
    let mut desk = Desk::logged_in();
    desk.sends(&[b'a'; 20 * 1024]);
    assert!(desk.door.wants_bytes());
}

#[test]
fn little_is_said_at_once_to_lines_that_cost_nothing() {
    let mut desk = Desk::logged_in();
    let lines = 1_000;
    desk.sends(&b"HELP\n".repeat(lines));
    let once = desk.told().len();
    assert!(once < 20 * 1024, "{once} bytes");
    assert!(!desk.door.wants_bytes() || lines * 5 < 4 * 1024);
    let mut told = once;
    let help = 1_000;
    while desk.door.next_deadline().is_some() {
        desk.pass(Duration::from_millis(10));
        let more = desk.told().len();
        assert!(more < 20 * 1024, "{more} bytes");
        told += more;
    }
    assert!(told > lines * help / 2, "{told} bytes");
    desk.is_answered(
        "STATUS gone",
        "error",
        "402 a status is online, away, busy or invisible",
    );
}

#[test]
fn requests_beyond_the_rate_wait() {
    let mut desk = Desk::logged_in();
    // The session's own bound is 50 a second and 200 at once.
    desk.sends(&b"STATUS away\n".repeat(300));
    assert_eq!(desk.asked().len(), 100);
    desk.pass(Duration::from_secs(1));
    assert_eq!(desk.asked().len(), 50);
    desk.pass(Duration::from_secs(4));
    assert_eq!(desk.asked().len(), 150);
    assert_eq!(desk.replies().len(), 300);
}

/// So many requests come in twenty seconds at full speed, none of them beyond the
/// session's rate.
fn requests_in_twenty_seconds(line: &str) -> usize {
    let mut desk = Desk::logged_in();
    desk.gets(&state("tea", head(1, 0)));
    desk.types("SUB");
    desk.outcome();
    let (mut count, mut seq) = (0, 0);
    let allowance = Allowance::new(50, 200);
    let mut usage = Usage::default();
    for _ in 0..2_000 {
        // A group that moves on too fast for its pages.
        seq += 20;
        desk.gets(&logged("tea", 1, message(seq, "hi")));
        while desk.door.wants_bytes() {
            desk.types(line);
        }
        let mut asked = desk.asked();
        while !asked.is_empty() {
            count += asked.len();
            for packet in &asked {
                let taken = usage.take(desk.now.moment, &allowance);
                assert_eq!(taken, Ok(()), "{line}, after {count}");
                let answer = match packet {
                    ClientPacket::GetHistory(get) => page(
                        get.request,
                        "tea",
                        1,
                        (1, seq),
                        vec![message(seq - 1, "hi")],
                    ),
                    ClientPacket::GetMembers(get) => members(get),
                    _ => continue,
                };
                desk.gets(&answer);
            }
            asked = desk.asked();
        }
        desk.pass(Duration::from_millis(10));
    }
    count
}

/// A page of a group that has twenty.
fn members(get: &GetMembers) -> ServerPacket {
    let after = get.after.as_ref().map_or("10", |after| after.as_str());
    let number = after.parse::<u32>().expect("a number") + 1;
    ServerPacket::Members(Box::new(Members {
        request: get.request,
        group: group("tea"),
        members: vec![MemberEntry {
            user: user(&number.to_string()),
            standing: Standing::Invited,
            muted: None,
        }],
        total: 20,
        more: number < 30,
    }))
}

#[test]
fn pages_are_within_the_rate_of_the_session_too() {
    for line in ["STATUS away", "MEMBERS tea", "GET tea 2014-08-11 12:12:00"] {
        let count = requests_in_twenty_seconds(line);
        assert!(count > 20 * 50, "{line}: {count}");
    }
}

#[test]
fn messages_and_pings_are_no_requests() {
    let mut desk = Desk::logged_in();
    for _ in 0..500 {
        desk.types("PING");
        assert_eq!(desk.asked(), [ClientPacket::Ping]);
        desk.gets(&ServerPacket::Pong);
    }
}
