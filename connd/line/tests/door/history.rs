//! `GET`: the messages since a time, within bounds.

use std::time::Duration;

use bytes::Bytes;
use proto::client::{ClientPacket, GetHistory};
use proto::codes::Code;
use proto::group::{Action, Conversation, LogEntry, Logged, Range};
use proto::ids::{MessageId, Stamp};

use crate::desk::Desk;
use crate::samples::{NOON, change, group, message, number, page, result};

fn asks(desk: &mut Desk, range: Range) -> u32 {
    let packet = desk.asked_one();
    let request = number(&packet);
    let expected = ClientPacket::GetHistory(GetHistory {
        request,
        of: Conversation::Group(group("tea")),
        range,
        count: 500,
    });
    assert_eq!(packet, expected);
    request
}

fn since(desk: &mut Desk, datetime: &str) -> Stamp {
    desk.types(&format!("GET tea {datetime}"));
    match desk.asked_one() {
        ClientPacket::GetHistory(GetHistory {
            range: Range::Since(stamp),
            ..
        }) => stamp,
        other => panic!("{other:?}"),
    }
}

/// The one reply, as messages.
fn messages(desk: &mut Desk) -> Vec<(u64, String)> {
    let replies = desk.replies();
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0].0, "ok");
    assert!(replies[0].1.len() <= 512 * 1024);
    let list: Vec<serde_json::Value> = serde_json::from_str(&replies[0].1).expect("a list");
    let message = |message: &serde_json::Value| {
        let seq = message["seq"].as_u64().expect("a number");
        (seq, message["msg"].as_str().expect("a text").to_owned())
    };
    list.iter().map(message).collect()
}

fn seqs(desk: &mut Desk) -> Vec<u64> {
    messages(desk)
        .into_iter()
        .map(|message| message.0)
        .collect()
}

fn entries(from: u64, to: u64) -> Vec<LogEntry> {
    (from..=to).map(|seq| message(seq, "hi")).collect()
}

#[test]
fn one_page_is_told_as_it_stands() {
    let mut desk = Desk::logged_in();
    desk.types("GET tea 2014-08-11 12:12:12.100");
    let request = asks(&mut desk, Range::Since(Stamp(NOON.0 - 23_000)));
    let page = page(
        request,
        "tea",
        1,
        (1, 4),
        vec![
            message(2, "Hello group"),
            change(3, Action::Join),
            message(4, "hi"),
        ],
    );
    desk.gets(&page);
    desk.is_told(
        "ok",
        concat!(
            r#"[{"msg":"Hello group","from":"ben","datetime":"2014-08-11 12:12:12.125","#,
            r#""id":"02020202-0202-0202-0202-020202020202","seq":2},"#,
            r#"{"msg":"hi","from":"ben","datetime":"2014-08-11 12:12:12.127","#,
            r#""id":"04040404-0404-0404-0404-040404040404","seq":4}]"#
        ),
    );
    // It is done: the page says nothing to another command.
    desk.types("PING");
    desk.gets(&page);
    assert_eq!(desk.told(), "");
}

#[test]
fn nothing_is_an_empty_list_and_a_refusal_an_error() {
    let mut desk = Desk::logged_in();
    desk.types("GET tea 2099-01-01 00:00:00");
    let request = number(&desk.asked_one());
    desk.gets(&page(request, "tea", 1, (1, 4), vec![]));
    desk.is_told("ok", "[]");
    desk.types("GET tea 2014-08-11T12:00:00Z");
    let request = number(&desk.asked_one());
    desk.gets(&result(request, Some(Code::NotMember)));
    desk.is_told("error", "133 you are not a member of this group");
}

#[test]
fn a_time_beyond_the_limit_is_five_minutes_ago() {
    let day = 24 * 60 * 60 * 1_000_000;
    let recently = Stamp(NOON.0 - 300 * 1_000_000);
    for (datetime, expected) in [
        ("2014-08-10 12:12:12.123", Stamp(NOON.0 - day)),
        ("2014-08-10 12:12:12.122", recently),
        ("1914-08-10 12:12:12.122", recently),
        ("2014-08-10T14:12:12.123+02:00", Stamp(NOON.0 - day)),
    ] {
        assert_eq!(since(&mut Desk::logged_in(), datetime), expected);
    }
    let mut desk = Desk::logged_in();
    desk.settings.history = Duration::from_secs(60);
    assert_eq!(since(&mut desk, "2014-08-11 12:11:12"), recently);
}

#[test]
fn more_than_a_page_is_read_from_the_end() {
    let mut desk = Desk::logged_in();
    desk.types("GET tea 2014-08-11 12:12:00");
    let request = number(&desk.asked_one());
    // The first page begins with the first message of that time.
    desk.gets(&page(request, "tea", 1, (1, 1_200), entries(400, 899)));
    let request = asks(&mut desk, Range::Before(0));
    desk.gets(&page(request, "tea", 1, (1, 1_201), entries(702, 1_201)));
    let request = asks(&mut desk, Range::Before(702));
    // What is before that time is left out.
    desk.gets(&page(request, "tea", 1, (1, 1_201), entries(202, 701)));
    assert_eq!(seqs(&mut desk), (400..=1_201).collect::<Vec<_>>());
}

#[test]
fn the_newest_thousand_are_told() {
    let mut desk = Desk::logged_in();
    desk.types("GET tea 2014-08-11 12:12:00");
    let request = number(&desk.asked_one());
    desk.gets(&page(request, "tea", 1, (1, 9_000), entries(1, 500)));
    let mut end = 0;
    for first in [8_501, 8_001, 7_501] {
        let request = asks(&mut desk, Range::Before(end));
        let mut entries = entries(first, first + 499);
        if end == 0 {
            // Changes are not counted.
            entries[499] = change(9_000, Action::Join);
        }
        desk.gets(&page(request, "tea", 1, (1, 9_000), entries));
        end = first;
    }
    assert_eq!(seqs(&mut desk), (8_000..=8_999).collect::<Vec<_>>());
}

#[test]
fn the_newest_half_megabyte_is_told() {
    let mut desk = Desk::logged_in();
    let large = "\u{1}".repeat(16 * 1024);
    let entry = |seq| LogEntry {
        what: Logged::Message {
            id: MessageId::from_bytes([1; 16]),
            body: Bytes::from(large.clone()),
            mentions: Vec::new(),
        },
        ..message(seq, "")
    };
    desk.types("GET tea 2014-08-11 12:12:00");
    let request = number(&desk.asked_one());
    // In JSON each byte takes six.
    let entries: Vec<LogEntry> = (1..=8).map(entry).collect();
    desk.gets(&page(request, "tea", 1, (1, 8), entries));
    assert_eq!(seqs(&mut desk), [4, 5, 6, 7, 8]);
}

#[test]
fn a_log_of_changes_is_not_read_without_end() {
    let mut desk = Desk::logged_in();
    desk.types("GET tea 2014-08-11 12:12:00");
    let request = number(&desk.asked_one());
    let last = 100_000;
    let changes = |first: u64| -> Vec<LogEntry> {
        (first..first + 10)
            .map(|seq| change(seq, Action::Join))
            .collect()
    };
    desk.gets(&page(request, "tea", 1, (1, last), changes(1)));
    let mut pages = 1;
    let mut first = last;
    while let Some(packet) = desk.asked().pop() {
        pages += 1;
        first -= 10;
        desk.gets(&page(number(&packet), "tea", 1, (1, last), changes(first)));
    }
    assert_eq!(pages, 16);
    assert!(seqs(&mut desk).is_empty());
}

#[test]
fn what_is_gone_ends_the_search() {
    let mut desk = Desk::logged_in();
    desk.types("GET tea 2014-08-11 12:12:00");
    let request = number(&desk.asked_one());
    desk.gets(&page(request, "tea", 1, (1, 600), entries(1, 500)));
    let request = asks(&mut desk, Range::Before(0));
    desk.gets(&page(request, "tea", 1, (300, 600), entries(300, 600)));
    assert_eq!(seqs(&mut desk), (300..=600).collect::<Vec<_>>());
}
