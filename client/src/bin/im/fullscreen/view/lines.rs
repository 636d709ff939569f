//! The single lines: whom a conversation is with, what is told above the text
//! that is written, and how the session fares.

use client::{Availability, GroupId, Relation};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::people::last_seen;
use super::{Theme, put, put_right};
use crate::friendly::shown;
use crate::fullscreen::app::people::Person;
use crate::fullscreen::app::talk::Place;
use crate::fullscreen::app::{App, Link, Mode, Now};
use crate::fullscreen::layout::Pane;
use crate::fullscreen::text::{clean_line, cut, width};
use crate::whom::Whom;

pub fn header(frame: &mut Frame<'_>, area: Rect, app: &App, now: Now, theme: Theme) {
    if let Some(group) = app.talks.open().and_then(Whom::group) {
        return put(frame, area, 0, group_header(app, group, theme));
    }
    let Some(person) = app.peer() else {
        return put(frame, area, 0, Line::styled("im", theme.strong()));
    };
    let (sign, style) = theme.sign(person.availability());
    let is_friend = person.entry.relation == Relation::Friend && !person.entry.blocked;
    let sign = if is_friend { sign } else { "·" };
    let line = Line::from(vec![
        Span::styled(person.entry.user.to_string(), theme.theirs()),
        Span::raw(" "),
        Span::styled(sign, style),
        Span::raw(" "),
        Span::raw(about(&person, now)),
    ]);
    put(frame, area, 0, line);
}

/// A group: its title, how many are in it, and how many of them here.
fn group_header(app: &App, group: &GroupId, theme: Theme) -> Line<'static> {
    let about = match (app.groups.get(group), app.groups.invited_by(group)) {
        (Some(known), _) => {
            let state = &known.group.state;
            let here = known.here.map_or(String::new(), |n| format!(", {n} here"));
            let muted = state.muted.map_or("", |_| "; you are muted");
            let title = clean_line(&state.title);
            format!("{title} ({} members{here}){muted}", state.members)
        }
        (None, Some(by)) => format!("{by} invites you: /join #{group} or /leave #{group}"),
        (None, None) => format!("you are not in it; /join #{group} asks to be"),
    };
    Line::from(vec![
        Span::styled(format!("#{group}"), theme.theirs()),
        Span::raw(" "),
        Span::raw(about),
    ])
}

fn about(person: &Person, now: Now) -> String {
    let user = &person.entry.user;
    if person.entry.blocked {
        return "is blocked; /unblock ends it".into();
    }
    match (person.entry.relation, &person.status) {
        (Relation::Invited, _) => "asks to be your friend: /accept or /decline".into(),
        (Relation::Requested, _) => "was asked and has not answered".into(),
        (Relation::None, _) => format!("is not your friend; /add {user} asks"),
        (Relation::Friend, None) => "offline".into(),
        (Relation::Friend, Some(peer)) => {
            let about = clean_line(&shown(&peer.status));
            match last_seen(peer, now) {
                Some(ago) => format!("{about}, last seen {ago} ago"),
                None => about,
            }
        }
    }
}

pub fn rule(frame: &mut Frame<'_>, area: Rect, app: &App, now: Now, theme: Theme) {
    let columns = usize::from(area.width);
    put(
        frame,
        area,
        0,
        Line::styled("─".repeat(columns), theme.dim()),
    );
    let (right, right_style) = place(app, theme);
    put_right(frame, area, 0, 0, &right, right_style);
    let left = told(app, now);
    if !left.is_empty() {
        let room = columns.saturating_sub(width(&right) + 3);
        let left = format!(" {} ", cut(&left, room));
        let inner = Rect {
            x: area.x + area.width.min(1),
            width: area.width.saturating_sub(1),
            ..area
        };
        put(frame, inner, 0, Line::raw(left));
    }
}

/// What is told above the text that is written.
fn told(app: &App, now: Now) -> String {
    if let Mode::Search(search) = &app.mode {
        let is_in_vain = !search.wanted.is_empty() && search.found.is_none();
        return if is_in_vain {
            "nothing found".into()
        } else {
            "Up older, Down newer, Esc ends".into()
        };
    }
    let is_typing = app.talk().typing_until.is_some_and(|until| now.at < until);
    let typing = app.talks.open().filter(|_| is_typing);
    let typing = typing.map(|open| match (open, &app.talk().typing_by) {
        (Whom::Group(_), Some(member)) => format!("{member} is typing"),
        (whom, _) => format!("{whom} is typing"),
    });
    let elsewhere = app.talk().typing_elsewhere.as_ref();
    let elsewhere = elsewhere.filter(|(_, until)| now.at < *until);
    let elsewhere = elsewhere.map(|(device, _)| format!("you type on {device}"));
    let told = app.told(now.at).map(clean_line);
    let all: Vec<String> = [typing, elsewhere, told].into_iter().flatten().collect();
    all.join(" · ")
}

/// Where the page is, if not at the newest.
fn place(app: &App, theme: Theme) -> (String, Style) {
    let talk = app.talk();
    match (talk.place, talk.unread) {
        (Place::Newest, _) => (String::new(), theme.dim()),
        (Place::At { .. }, 0) => (" Esc: newest ".into(), theme.strong()),
        (Place::At { .. }, unread) => (format!(" {unread} new, Esc: newest "), theme.news()),
    }
}

pub fn status(frame: &mut Frame<'_>, area: Rect, app: &App, now: Now, theme: Theme) {
    let unread = match app.talks.unread() + app.groups.unread() {
        0 => String::new(),
        unread => format!("{unread} unread  "),
    };
    let bell = if app.has_bell { "" } else { "bell off  " };
    let help = match (app.pane, area.width) {
        (_, 0..30) => "",
        (Pane::People, 30..60) => "Tab: talk  F1",
        (Pane::Talk, 30..60) => "Tab: list  F1",
        _ => "F1: help  Ctrl-Q: quit",
    };
    let (text, style) = session(app, area.width >= 60, now, theme);
    let side = width(&unread) + width(bell) + width(help);
    // How the session fares goes before everything else.
    let is_well = app.link == Link::Online;
    let columns = usize::from(area.width);
    if is_well || width(&text) + side + 2 <= columns {
        put_right(frame, area, 0, 0, help, theme.dim());
        let before = Rect {
            width: area
                .width
                .saturating_sub(u16::try_from(width(help)).unwrap_or(0)),
            ..area
        };
        put_right(frame, before, 0, 0, bell, theme.dim());
        let before = Rect {
            width: before
                .width
                .saturating_sub(u16::try_from(bell.len()).unwrap_or(0)),
            ..before
        };
        put_right(frame, before, 0, 0, &unread, theme.news());
    }
    let room = if is_well {
        columns.saturating_sub(side + 1)
    } else {
        columns
    };
    put(frame, area, 0, Line::styled(cut(&text, room), style));
}

/// How the session fares; on which device, if there is room.
fn session(app: &App, has_room: bool, now: Now, theme: Theme) -> (String, Style) {
    let user = &app.user;
    match &app.link {
        Link::Connecting => (format!("{user}: connecting"), theme.warning()),
        Link::Online => {
            let own = clean_line(&shown(&app.status));
            let device = app.device.as_ref().filter(|_| has_room);
            let device = device.map_or(String::new(), |device| format!(" on {device}"));
            let is_plain = app.status.availability == Availability::Online;
            let style = if is_plain {
                theme.dim()
            } else {
                theme.warning()
            };
            (format!("{user}: {own}{device}"), style)
        }
        Link::Waiting { until, reason } => {
            let left = until.saturating_duration_since(now.at).as_millis();
            let reason = clean_line(reason);
            let next = match left.div_ceil(1_000) {
                0 => "connecting".to_owned(),
                seconds => format!("next try in {seconds} s"),
            };
            (format!("offline, {next}: {reason}"), theme.warning())
        }
        Link::Leaving => {
            let text = match app.unsettled() {
                0 => "logging out".to_owned(),
                1 => "logging out; 1 message waits for an answer".to_owned(),
                count => format!("logging out; {count} messages wait for an answer"),
            };
            (text, theme.warning())
        }
        Link::Closed(why) => {
            let why = why.as_deref().unwrap_or("logged out");
            (
                format!("closed, Ctrl-Q ends: {}", clean_line(why)),
                theme.trouble(),
            )
        }
    }
}
