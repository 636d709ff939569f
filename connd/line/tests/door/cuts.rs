//! However bytes are cut on their way, the same comes of them.

use proto::client::ClientPacket;
use proto::codes::Code;
use proto::server::{Outcome, Sent, ServerPacket};

use crate::desk::Desk;
use crate::samples::{NOON, login_ok, number, result};

/// Answers what the session would, until nothing more is asked.
fn answer(desk: &mut Desk) -> Vec<Result<ClientPacket, Code>> {
    let mut all = Vec::new();
    loop {
        let outcome = desk.outcome();
        if outcome.is_empty() {
            return all;
        }
        for packet in outcome.iter().flatten() {
            match packet {
                ClientPacket::Login(_) => desk.gets(&login_ok("ann")),
                ClientPacket::Ping => desk.gets(&ServerPacket::Pong),
                ClientPacket::ChangeGroup(_) => {
                    desk.gets(&result(number(packet), Some(Code::NoGroup)));
                }
                ClientPacket::Send(send) => {
                    let (stamp, outcome) = (NOON, Outcome::Stored);
                    desk.gets(&ServerPacket::Sent {
                        id: send.id,
                        sent: Sent { stamp, outcome },
                    });
                }
                _ => {}
            }
        }
        all.extend(outcome);
    }
}

/// What comes of bytes that are read by `size`; ids are made of chance and
/// differ.
fn outcome(bytes: &[u8], size: usize) -> (String, usize, Option<Result<ClientPacket, Code>>) {
    let mut desk = Desk::new();
    let mut all = Vec::new();
    for chunk in bytes.chunks(size) {
        desk.sends(chunk);
        all.extend(answer(&mut desk));
    }
    let masked = desk.replies().into_iter().map(|(state, body)| {
        let begin = body.find(r#"{"id":""#).map(|at| at + 7);
        match begin {
            Some(begin) => format!("{state} {}…{}\n", &body[..begin], &body[begin + 36..]),
            None => format!("{state} {body}\n"),
        }
    });
    (masked.collect(), all.len(), all.pop())
}

#[test]
fn a_session_is_the_same_however_it_is_cut() {
    for end in [
        "QUIT\r\nPING\r\n",
        "\u{0}\r\nPING\n",
        "PING\rPING\n\n\nPING\n",
    ] {
        let session = format!(
            "HELP\nPING\r\nLOGIN ann -\r\nPING\nSUB\r\nMSG ben t\u{e9}a \u{1f375}\r\n\
             JOIN tea\r\nJOIN\r\nwhat?\r\nSTATUS away\r\n{end}"
        );
        let bytes = session.as_bytes();
        let whole = outcome(bytes, bytes.len());
        assert!(whole.0.lines().count() > 10, "{}", whole.0);
        for size in 1..bytes.len() {
            assert_eq!(outcome(bytes, size), whole, "by {size}");
        }
    }
}
