//! Entries that are missing are got, in order, once, and within bounds.

use std::time::Duration;

use proto::client::{ClientPacket, GetHistory};
use proto::codes::Code;
use proto::group::{Conversation, LogEntry, Range};
use proto::server::ServerPacket;

use crate::desk::Desk;
use crate::samples::{group, head, logged, message, number, page, result, state};

/// Subscribed, in tea, whose log ends with its fourth entry.
fn at_tea() -> Desk {
    let mut desk = Desk::logged_in();
    desk.gets(&state("tea", head(1, 4)));
    desk.types("SUB");
    desk.told();
    desk
}

fn entries(from: u64, to: u64) -> Vec<LogEntry> {
    (from..=to).map(|seq| message(seq, "hi")).collect()
}

/// The numbers of what was pushed; a group's that was skipped are negative.
fn pushed(desk: &mut Desk) -> Vec<i64> {
    let number = |text: &str, before: &str| {
        let digits = text.split(before).nth(1)?.split(['}', ',']).next()?;
        digits.parse::<i64>().ok()
    };
    let replies = desk.replies().into_iter();
    let seq = |(state, body): (String, String)| {
        assert_eq!(state, "push");
        let skipped = number(&body, r#"{"skipped":"#).map(|skipped| -skipped);
        skipped
            .or_else(|| number(&body, r#""seq":"#))
            .expect("a number")
    };
    replies.map(seq).collect()
}

/// The door asks for what comes after an entry of a group.
fn asks_after(desk: &mut Desk, name: &str, seq: u64) -> u32 {
    let packet = desk.asked_one();
    let request = number(&packet);
    let expected = ClientPacket::GetHistory(GetHistory {
        request,
        of: Conversation::Group(group(name)),
        range: Range::After(seq),
        count: 500,
    });
    assert_eq!(packet, expected);
    request
}

#[test]
fn a_gap_is_filled_before_what_came_after_it() {
    let mut desk = at_tea();
    desk.gets(&logged("tea", 1, message(7, "hi")));
    assert!(pushed(&mut desk).is_empty());
    let request = asks_after(&mut desk, "tea", 4);
    desk.gets(&logged("tea", 1, message(8, "hi")));
    desk.gets(&page(request + 1, "tea", 1, (1, 8), entries(5, 8)));
    assert_eq!((pushed(&mut desk), desk.asked()), (vec![], vec![]));
    desk.gets(&page(request, "tea", 1, (1, 8), entries(5, 8)));
    assert_eq!(pushed(&mut desk), [5, 6, 7, 8]);
    desk.gets(&page(request, "tea", 1, (1, 8), entries(5, 8)));
    desk.gets(&logged("tea", 1, message(9, "hi")));
    assert_eq!(pushed(&mut desk), [9]);
    desk.pass(Duration::from_secs(30));
    assert_eq!(desk.asked(), []);
    assert_eq!(desk.door.next_deadline(), None);
}

#[test]
fn the_head_tells_of_a_gap_too() {
    let mut desk = at_tea();
    let (group, head) = (group("tea"), head(1, 6));
    desk.gets(&ServerPacket::GroupHead { group, head });
    let request = asks_after(&mut desk, "tea", 4);
    desk.gets(&page(request, "tea", 1, (1, 6), entries(5, 6)));
    assert_eq!(pushed(&mut desk), [5, 6]);
    // One that says nothing new asks for nothing.
    desk.pass(Duration::from_secs(1));
    desk.gets(&state("tea", head));
    assert_eq!(desk.asked(), []);
}

#[test]
fn pages_are_asked_for_one_by_one_with_a_rest_between() {
    let mut desk = at_tea();
    desk.gets(&state("golf", head(1, 1)));
    desk.gets(&logged("tea", 1, message(10, "hi")));
    desk.gets(&logged("golf", 1, message(3, "hi")));
    let request = asks_after(&mut desk, "tea", 4);
    desk.gets(&page(request, "tea", 1, (1, 10), entries(5, 7)));
    assert_eq!(pushed(&mut desk), [5, 6, 7]);
    desk.pass(Duration::from_millis(99));
    assert_eq!(desk.asked(), []);
    desk.pass(Duration::from_millis(1));
    // After the last group comes the first, so that each has its turn.
    let request = asks_after(&mut desk, "golf", 1);
    desk.gets(&page(request, "golf", 1, (1, 3), entries(2, 2)));
    assert_eq!(pushed(&mut desk), [2]);
    desk.pass(Duration::from_millis(100));
    let request = asks_after(&mut desk, "tea", 7);
    desk.gets(&page(request, "tea", 1, (1, 10), entries(8, 10)));
    assert_eq!(pushed(&mut desk), [8, 9, 10]);
    desk.pass(Duration::from_millis(100));
    asks_after(&mut desk, "golf", 2);
}

#[test]
fn a_wide_gap_is_skipped_but_for_its_end() {
    let mut desk = at_tea();
    desk.gets(&logged("tea", 1, message(1_005, "hi")));
    let request = asks_after(&mut desk, "tea", 505);
    desk.gets(&page(request, "tea", 1, (1, 1_005), entries(506, 1_005)));
    let mut expected = vec![-501];
    expected.extend(506..=1_005);
    assert_eq!(pushed(&mut desk), expected);
}

#[test]
fn what_is_gone_is_skipped() {
    let mut desk = at_tea();
    desk.gets(&logged("tea", 1, message(9, "hi")));
    let request = asks_after(&mut desk, "tea", 4);
    desk.gets(&page(request, "tea", 1, (8, 9), entries(8, 9)));
    assert_eq!(pushed(&mut desk), [-3, 8, 9]);
    desk.gets(&logged("tea", 1, message(12, "hi")));
    desk.pass(Duration::from_millis(100));
    let request = asks_after(&mut desk, "tea", 9);
    desk.gets(&page(request, "tea", 1, (13, 12), vec![]));
    assert_eq!(pushed(&mut desk), [-3]);
    desk.gets(&logged("tea", 1, message(13, "hi")));
    assert_eq!(pushed(&mut desk), [13]);
}

#[test]
fn a_page_that_does_not_come_is_asked_for_again() {
    let mut desk = at_tea();
    desk.gets(&logged("tea", 1, message(6, "hi")));
    let request = asks_after(&mut desk, "tea", 4);
    desk.gets(&result(request, Some(Code::StoreUnavailable)));
    assert!(pushed(&mut desk).is_empty());
    desk.pass(Duration::from_millis(999));
    assert_eq!(desk.asked(), []);
    desk.pass(Duration::from_millis(1));
    asks_after(&mut desk, "tea", 4);
    desk.pass(Duration::from_secs(11));
    let request = asks_after(&mut desk, "tea", 4);
    desk.gets(&page(request, "tea", 1, (1, 6), entries(5, 6)));
    assert_eq!(pushed(&mut desk), [5, 6]);
}

#[test]
fn of_a_group_that_was_left_nothing_is_asked_for() {
    let mut desk = at_tea();
    desk.gets(&logged("tea", 1, message(6, "hi")));
    let request = asks_after(&mut desk, "tea", 4);
    let (group, change) = (group("tea"), None);
    desk.gets(&ServerPacket::GroupLeft { group, change });
    desk.told();
    desk.gets(&page(request, "tea", 1, (1, 6), entries(5, 6)));
    assert!(pushed(&mut desk).is_empty());
    desk.pass(Duration::from_secs(30));
    assert_eq!(desk.asked(), []);
}

#[test]
fn a_log_that_begins_anew_is_told_from_its_beginning() {
    let mut desk = at_tea();
    desk.gets(&logged("tea", 2, message(1, "hi")));
    assert_eq!(pushed(&mut desk), [1]);
    // What the old one still says is nothing any more.
    desk.gets(&logged("tea", 1, message(5, "hi")));
    assert_eq!((pushed(&mut desk), desk.asked()), (vec![], vec![]));
    desk.gets(&state("tea", head(3, 2)));
    let request = asks_after(&mut desk, "tea", 0);
    desk.gets(&page(request, "tea", 3, (1, 2), entries(1, 2)));
    assert_eq!(pushed(&mut desk), [1, 2]);
}

#[test]
fn a_page_of_another_log_is_not_mixed_in() {
    let mut desk = at_tea();
    desk.gets(&logged("tea", 1, message(6, "hi")));
    let request = asks_after(&mut desk, "tea", 4);
    desk.gets(&page(request, "tea", 2, (1, 9), entries(5, 9)));
    assert!(pushed(&mut desk).is_empty());
    desk.pass(Duration::from_millis(100));
    let request = asks_after(&mut desk, "tea", 0);
    desk.gets(&page(request, "tea", 1, (1, 6), entries(1, 6)));
    assert!(pushed(&mut desk).is_empty());
    desk.pass(Duration::from_millis(100));
    let request = asks_after(&mut desk, "tea", 0);
    desk.gets(&page(request, "tea", 2, (1, 9), entries(1, 9)));
    assert_eq!(pushed(&mut desk), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn without_sub_nothing_is_missing() {
    let mut desk = Desk::logged_in();
    desk.gets(&state("tea", head(1, 4)));
    desk.gets(&state("golf", head(1, 4)));
    desk.gets(&logged("golf", 1, message(9, "hi")));
    desk.gets(&state("tea", head(2, 3)));
    assert_eq!(desk.asked(), []);
    desk.is_answered("SUB", "ok", "");
    desk.gets(&logged("golf", 1, message(10, "hi")));
    assert_eq!(pushed(&mut desk), [10]);
    desk.gets(&logged("tea", 2, message(4, "hi")));
    assert_eq!(pushed(&mut desk), [4]);
}
