//! What waits in a door is bounded, and so is what it says and asks at once.

use std::time::Duration;

use proto::client::ClientPacket;
use proto::server::ServerPacket;

use crate::desk::Desk;

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

#[test]
fn messages_and_pings_are_no_requests() {
    let mut desk = Desk::logged_in();
    for _ in 0..500 {
        desk.types("PING");
        assert_eq!(desk.asked(), [ClientPacket::Ping]);
        desk.gets(&ServerPacket::Pong);
    }
}
