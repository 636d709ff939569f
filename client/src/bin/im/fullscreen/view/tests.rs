//! Frames, as text.

use client::{Availability, Code, Event, Fate, Reason, Stamp};
use crossterm::event::KeyCode;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::style::Color;
use std::time::Duration;

use super::*;
use crate::fullscreen::app::Input;
use crate::fullscreen::app::tests::Stage;

fn frame(stage: &Stage, columns: u16, rows: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    let theme = Theme { has_colours: true };
    terminal
        .draw(|frame| draw(frame, &stage.app, stage.now, theme))
        .unwrap();
    terminal
}

/// The rows of a frame, without the spaces at their ends.
fn shown(stage: &Stage, columns: u16, rows: u16) -> Vec<String> {
    let terminal = frame(stage, columns, rows);
    let buffer = terminal.backend().buffer();
    let row = |y| -> String {
        let mut text = String::new();
        let mut x = 0;
        while x < columns {
            let symbol = buffer[(x, y)].symbol();
            text.push_str(symbol);
            x += (super::super::text::width(symbol) as u16).max(1);
        }
        text.trim_end().to_owned()
    };
    (0..rows).map(row).collect()
}

/// A conversation with bob.
fn conversation(columns: u16, rows: u16) -> Stage {
    let mut stage = Stage::with_friends(columns, rows);
    stage.enters("/to bob");
    stage.hears("bob", 0, "see you at six?");
    stage.enters("six it is");
    let id = stage.is_taken(1);
    let device = "phone".parse().unwrap();
    let stamp = Stamp(1);
    stage.fate(id, Fate::Delivered { device, stamp });
    stage.enters("bring cake");
    let id = stage.is_taken(2);
    let (code, text) = (Code::RateExceeded, "too many".into());
    stage.fate(id, Fate::Rejected { code, text });
    stage.hears("bob", 120, "日本語 👍🏽 and \x1b[2Jno escape");
    stage.hears("carol", 130, "hello");
    stage
}

#[test]
fn a_conversation_on_a_screen_of_80_by_24() {
    let stage = conversation(80, 24);
    let expected = "\
Friends        1 here │bob ● online (in a call)
 ○ carol  1 h ago    1│── Saturday, 21 November 2026 ───────────────────────────
 ? dave  asks (a, d)  │12:30 bob see you at six?
▸● bob  in a call     │12:30 you six it is                             delivered
                      │12:30 you bring cake
                      │          refused: 105 too many: wait a moment, then send
                      │          it again
                      │12:32 bob 日本語 👍🏽 and ␛[2Jno escape
                      │
                      │
                      │
                      │
                      │
                      │
                      │
                      │
                      │
                      │
                      │
                      │
                      │
                      │─────────────────────────────────────────────────────────
                      │>
alice: online on desk                           1 unread  F1: help  Ctrl-Q: quit";
    assert_eq!(shown(&stage, 80, 24).join("\n"), expected);
}

#[test]
fn a_conversation_on_a_screen_of_40_by_12() {
    let stage = conversation(40, 12);
    let expected = "\
bob ● online (in a call)
── Saturday, 21 November 2026 ──────────
12:30 bob see you at six?
12:30 you six it is            delivered
12:30 you bring cake
          refused: 105 too many: wait a
          moment, then send it again
12:32 bob 日本語 👍🏽 and ␛[2Jno escape

────────────────────────────────────────
>
alice: online    1 unread  Tab: list  F1";
    assert_eq!(shown(&stage, 40, 12).join("\n"), expected);
}

#[test]
fn the_list_on_a_screen_of_40_by_12() {
    let mut stage = conversation(40, 12);
    stage.key(KeyCode::Tab);
    let expected = "\
Friends                          1 here
 ○ carol  1 h ago                      1
 ? dave  asks (a, d)
▸● bob  in a call







alice: online    1 unread  Tab: talk  F1";
    assert_eq!(shown(&stage, 40, 12).join("\n"), expected);
}

#[test]
fn groups_stand_beside_people() {
    let mut stage = Stage::in_choir(4);
    stage.enters("/to #choir");
    stage.hears_in_choir(5, "bob", "@alice, six?", &["alice"]);
    stage.hears_in_choir(6, "christopher-robin", "yes", &[]);
    stage.enters("/to carol");
    stage.hears_in_choir(7, "bob", "@alice?", &["alice"]);
    let by = "bob".parse().unwrap();
    let group = "band".parse().unwrap();
    stage.event(Event::GroupInvited { group, by });
    stage.app.notice = None;
    let list = "\
Contacts       1 here │
 # choir  The choir @1│
 ? dave  asks (a, d)  │
 # band  bob invites …│
 ● bob  in a call     │
▸○ carol  1 h ago     │";
    let shown_of = |stage: &Stage| {
        let rows = shown(stage, 80, 24).into_iter();
        let left = |row: String| row.chars().take(23).collect::<String>();
        rows.map(left).take(6).collect::<Vec<String>>().join("\n")
    };
    assert_eq!(shown_of(&stage), list);
    stage.enters("/to #choir");
    stage.app.groups.here(&"choir".parse().unwrap(), 3);
    let rows = shown(&stage, 80, 24);
    let talk: Vec<String> = rows
        .iter()
        .map(|row| row.chars().skip(23).collect())
        .collect();
    assert_eq!(talk[0], "#choir The choir (12 members, 3 here)");
    assert_eq!(talk[2], "12:30 bob          @alice, six?");
    assert_eq!(talk[3], "12:30 christopher… yes");
    assert!(rows[23].ends_with("F1: help  Ctrl-Q: quit"));
    assert!(!rows[23].contains("unread"));
}

#[test]
fn how_the_session_fares_stands_in_the_last_line() {
    let mut stage = conversation(80, 24);
    let last = |stage: &Stage| shown(stage, 80, 24)[23].clone();
    let reason = Reason::Lost("reset by peer".into());
    let after = Duration::from_millis(2_900);
    stage.event(Event::Reconnecting { after, reason });
    let offline = "offline, next try in 3 s: connection lost: reset by peer";
    assert!(last(&stage).starts_with(offline), "{}", last(&stage));
    stage.waits(Duration::from_millis(1_000));
    assert!(last(&stage).contains("in 2 s"));
    stage.waits(Duration::from_millis(2_000));
    assert!(last(&stage).starts_with("offline, connecting"));
    stage.connects();
    stage.is_seen("bob", Availability::Busy, "", None);
    assert!(last(&stage).starts_with("alice: online on desk"));
    let (code, text) = (Some(Code::Replaced), "".into());
    stage.event(Event::Closed { code, text });
    assert!(last(&stage).starts_with("closed, Ctrl-Q ends: 406"));
}

#[test]
fn there_is_a_frame_for_every_size() {
    let mut stage = conversation(80, 24);
    stage.does(Input::Paste("one\ntwo\nthree 日本語".into()));
    for columns in (0..12).chain([20, 30, 40, 59, 60, 61, 100]) {
        for rows in 1..30 {
            stage.does(Input::Resize(ratatui::layout::Size::new(columns, rows)));
            for key in [KeyCode::Tab, KeyCode::F(1), KeyCode::F(1), KeyCode::PageUp] {
                frame(&stage, columns, rows);
                stage.key(key);
            }
            // The terminal may be smaller than the state knows.
            frame(&stage, columns / 2, rows / 2);
        }
    }
}

#[test]
fn no_background_is_painted_and_without_colours_there_are_none() {
    let stage = conversation(80, 24);
    let terminal = frame(&stage, 80, 24);
    let cells = terminal.backend().buffer().content();
    assert!(cells.iter().all(|cell| cell.bg == Color::Reset));
    assert!(cells.iter().any(|cell| cell.fg != Color::Reset));
    let mut plain = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let theme = Theme { has_colours: false };
    plain
        .draw(|frame| draw(frame, &stage.app, stage.now, theme))
        .unwrap();
    let cells = plain.backend().buffer().content();
    assert!(cells.iter().all(|cell| cell.fg == Color::Reset));
    assert!(cells.iter().all(|cell| !cell.symbol().contains('\x1b')));
}
