//! The list of friends and invitations.

use std::time::Duration;

use client::{Availability, PeerStatus, Relation};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{Theme, put, put_right};
use crate::friendly::span;
use crate::fullscreen::app::people::Person;
use crate::fullscreen::app::{App, Now};
use crate::fullscreen::layout::Pane;
use crate::fullscreen::text::{clean_line, cut, width};

pub fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, now: Now, theme: Theme) {
    if area.is_empty() {
        return;
    }
    let people = app.people.all(&app.talks);
    let here = |person: &&Person| person.availability() != Availability::Offline;
    let here = people.iter().filter(here).count();
    let title = Line::styled("Friends", theme.strong());
    put(frame, area, 0, title);
    put_right(frame, area, 0, 8, &format!("{here} here "), theme.dim());
    let list = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    if people.is_empty() {
        let text = if app.people.is_known() {
            "nobody yet: /add NAME"
        } else {
            "not come yet"
        };
        return put(frame, list, 0, Line::styled(text, theme.dim()));
    }
    let marked = match app.pane {
        Pane::People => app.cursor.as_ref(),
        Pane::Talk => app.talks.open(),
    };
    let at = people
        .iter()
        .position(|person| marked == Some(&person.entry.user));
    let rows = usize::from(list.height);
    // The marked one stays in the middle, as far as the ends allow.
    let last_first = people.len().saturating_sub(rows);
    let first = at.unwrap_or(0).saturating_sub(rows / 2).min(last_first);
    for (row, person) in (0..list.height).zip(&people[first..]) {
        let is_marked = marked == Some(&person.entry.user);
        draw_person(frame, list, row, person, is_marked, now, theme);
    }
}

fn draw_person(
    frame: &mut Frame<'_>,
    area: Rect,
    row: u16,
    person: &Person,
    is_marked: bool,
    now: Now,
    theme: Theme,
) {
    let (sign, sign_style) = match person.entry.relation {
        Relation::Invited => ("?", theme.news()),
        Relation::Friend if !person.entry.blocked => theme.sign(person.availability()),
        Relation::Friend | Relation::Requested | Relation::None => ("·", theme.dim()),
    };
    let mark = if is_marked { "▸" } else { " " };
    let unread = match person.unread {
        0 => String::new(),
        1..1_000 => format!(" {}", person.unread),
        _ => " 999+".to_owned(),
    };
    let room = usize::from(area.width).saturating_sub(3 + width(&unread));
    let name = cut(person.entry.user.as_str(), room);
    let name_style = if is_marked || person.unread > 0 {
        theme.strong()
    } else {
        Default::default()
    };
    let about = cut(&about(person, now), room.saturating_sub(width(&name) + 2));
    let line = Line::from(vec![
        Span::styled(mark, theme.own()),
        Span::styled(sign, sign_style),
        Span::raw(" "),
        Span::styled(name, name_style),
        Span::styled(format!("  {about}"), theme.dim()),
    ]);
    put(frame, area, row, line);
    put_right(frame, area, row, 0, &unread, theme.news());
}

/// What is said of somebody in the list.
fn about(person: &Person, now: Now) -> String {
    if person.entry.blocked {
        return "blocked".into();
    }
    match (person.entry.relation, &person.status) {
        (Relation::Invited, _) => "asks (a, d)".into(),
        (Relation::Requested, _) => "was asked".into(),
        (Relation::None, _) => String::new(),
        (Relation::Friend, Some(peer)) if !peer.status.text.is_empty() => {
            clean_line(&peer.status.text)
        }
        (Relation::Friend, Some(peer)) => {
            last_seen(peer, now).map_or(String::new(), |ago| format!("{ago} ago"))
        }
        (Relation::Friend, None) => String::new(),
    }
}

/// How long ago somebody who is away was there.
pub fn last_seen(peer: &PeerStatus, now: Now) -> Option<String> {
    let seen = peer.last_seen?;
    if peer.status.availability != Availability::Offline {
        return None;
    }
    let now = u64::try_from(now.wall.as_microsecond()).unwrap_or_default();
    Some(span(Duration::from_micros(now.saturating_sub(seen.0))))
}
