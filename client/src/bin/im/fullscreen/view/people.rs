//! The list of friends and invitations.

use std::time::Duration;

use client::{Availability, PeerStatus, Relation};
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Theme, put, put_right};
use crate::friendly::span;
use crate::fullscreen::app::contacts::Contact;
use crate::fullscreen::app::people::Person;
use crate::fullscreen::app::{App, Now};
use crate::fullscreen::layout::Pane;
use crate::fullscreen::text::{clean_line, cut, width};
use crate::whom::Whom;

pub fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, now: Now, theme: Theme) {
    if area.is_empty() {
        return;
    }
    let contacts = app.contacts();
    let here = |contact: &&Contact| match contact {
        Contact::Person(person) => person.availability() != Availability::Offline,
        Contact::Group(_) | Contact::Invitation(..) => false,
    };
    let here = contacts.iter().filter(here).count();
    let is_group = |contact: &Contact| !matches!(contact, Contact::Person(_));
    let title = if contacts.iter().any(is_group) {
        "Contacts"
    } else {
        "Friends"
    };
    put(frame, area, 0, Line::styled(title, theme.strong()));
    let here = format!("{here} here ");
    put_right(frame, area, 0, title.len() + 1, &here, theme.dim());
    let list = Rect {
        y: area.y + 1,
        height: area.height - 1,
        ..area
    };
    if contacts.is_empty() {
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
    let at = contacts
        .iter()
        .position(|contact| marked == Some(&contact.whom()));
    let rows = usize::from(list.height);
    // The marked one stays in the middle, as far as the ends allow.
    let last_first = contacts.len().saturating_sub(rows);
    let first = at.unwrap_or(0).saturating_sub(rows / 2).min(last_first);
    for (row, contact) in (0..list.height).zip(&contacts[first..]) {
        let is_marked = marked == Some(&contact.whom());
        draw_contact(frame, list, row, contact, is_marked, now, theme);
    }
}

fn draw_contact(
    frame: &mut Frame<'_>,
    area: Rect,
    row: u16,
    contact: &Contact,
    is_marked: bool,
    now: Now,
    theme: Theme,
) {
    let (sign, sign_style) = sign(contact, theme);
    let mark = if is_marked { "▸" } else { " " };
    let unread = match contact.unread() {
        0 => String::new(),
        unread @ 1..1_000 => format!(" {}{unread}", mention(contact)),
        _ => format!(" {}999+", mention(contact)),
    };
    let room = usize::from(area.width).saturating_sub(3 + width(&unread));
    let name = match contact.whom() {
        Whom::User(user) => cut(user.as_str(), room),
        Whom::Group(group) => cut(group.as_str(), room),
    };
    let name_style = if is_marked || contact.unread() > 0 {
        theme.strong()
    } else {
        Default::default()
    };
    let about = match contact {
        Contact::Person(person) => about(person, now),
        Contact::Group(known) => clean_line(&known.group.state.title),
        Contact::Invitation(_, by) => format!("{by} invites (a, d)"),
    };
    let about = cut(&about, room.saturating_sub(width(&name) + 2));
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

/// What stands before a name: `#` before that of a group.
fn sign(contact: &Contact, theme: Theme) -> (&'static str, Style) {
    match contact {
        Contact::Person(person) => match person.entry.relation {
            Relation::Invited => ("?", theme.news()),
            Relation::Friend if !person.entry.blocked => theme.sign(person.availability()),
            Relation::Friend | Relation::Requested | Relation::None => ("·", theme.dim()),
        },
        Contact::Group(_) => ("#", theme.theirs()),
        Contact::Invitation(..) => ("#", theme.news()),
    }
}

/// What stands before the count of unread messages that mention this user.
fn mention(contact: &Contact) -> &'static str {
    match contact {
        Contact::Group(known) if known.mentions_me => "@",
        _ => "",
    }
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
