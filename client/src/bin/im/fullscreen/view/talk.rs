//! The messages of a conversation.

use std::ops::Range;

use client::UserId;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::{Theme, put, put_right};
use crate::fullscreen::app::rows::{Page, Row, in_sight};
use crate::fullscreen::app::talk::{Delivery, Entry, Source};
use crate::fullscreen::app::{App, Mode};
use crate::fullscreen::text::{cut, find_all, width, wrap};
use crate::whom::Whom;

/// What stands where no conversation is open yet.
const WELCOME: &str = "\
Tab goes to the list: Enter opens a conversation, a accepts an invitation.

/add NAME asks somebody to be your friend.

F1 shows all keys and commands.";

pub fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    let talk = app.talk();
    let page = app.page();
    let wanted = match &app.mode {
        Mode::Search(search) => search.wanted.as_str(),
        Mode::Normal | Mode::Help(_) => "",
    };
    let found = match &app.mode {
        Mode::Search(search) => search.found,
        Mode::Normal | Mode::Help(_) => None,
    };
    let peer = app.talks.open().and_then(Whom::user);
    let peer = peer.map_or("", |peer| peer.as_str());
    if talk.entries().is_empty() && app.talks.open().is_none() {
        return welcome(frame, area, theme);
    }
    for (at, (index, row)) in (0..area.height).zip(in_sight(talk, page)) {
        let Some(entry) = talk.entries().get(index) else {
            continue;
        };
        let painter = Painter {
            entry,
            page,
            peer,
            user: &app.user,
            wanted,
            is_found: found == Some(entry.serial),
            theme,
        };
        painter.draw(frame, area, at, &row);
    }
}

fn welcome(frame: &mut Frame<'_>, area: Rect, theme: Theme) {
    let rows = wrap(WELCOME, area.width.into());
    for (at, row) in (0..area.height).zip(rows) {
        put(frame, area, at, Line::styled(&WELCOME[row], theme.dim()));
    }
}

/// One row of an entry.
struct Painter<'a> {
    entry: &'a Entry,
    page: Page,
    peer: &'a str,
    user: &'a UserId,
    wanted: &'a str,
    is_found: bool,
    theme: Theme,
}

impl Painter<'_> {
    fn draw(&self, frame: &mut Frame<'_>, area: Rect, at: u16, row: &Row) {
        let theme = self.theme;
        match row {
            Row::Day => {
                let day = self.entry.at.strftime("%A, %-d %B %Y").to_string();
                put(frame, area, at, self.rule(&day, theme.dim()));
            }
            Row::New => put(frame, area, at, self.rule("new", theme.news())),
            Row::Text {
                range,
                is_first,
                is_marked,
            } => {
                let mut spans = self.prefix(*is_first);
                let before: usize = spans.iter().map(Span::width).sum();
                spans.extend(self.text(range));
                put(frame, area, at, Line::from(spans));
                if let (true, Source::Own(delivery)) = (is_marked, &self.entry.source) {
                    let style = self.mark_style(delivery);
                    put_right(frame, area, at, before, &delivery.label(), style);
                }
            }
            Row::Mark(text) => {
                let style = match &self.entry.source {
                    Source::Own(delivery) => self.mark_style(delivery),
                    Source::Theirs | Source::Member { .. } | Source::Notice => theme.dim(),
                };
                let indent = " ".repeat(self.page.prefix());
                let line = vec![Span::raw(indent), Span::styled(text.as_str(), style)];
                put(frame, area, at, Line::from(line));
            }
        }
    }

    fn rule(&self, text: &str, style: Style) -> Line<'static> {
        let text = cut(text, self.page.columns.saturating_sub(4));
        let left = self.page.columns.saturating_sub(width(&text) + 4);
        Line::styled(format!("── {text} {}", "─".repeat(left)), style)
    }

    fn mark_style(&self, delivery: &Delivery) -> Style {
        if delivery.is_trouble() {
            self.theme.trouble()
        } else {
            self.theme.dim()
        }
    }

    /// The time and the name, or the room for them.
    fn prefix(&self, is_first: bool) -> Vec<Span<'static>> {
        let Page { time, name, .. } = self.page;
        if !is_first {
            let columns = match self.entry.source {
                Source::Notice => time,
                Source::Theirs | Source::Member { .. } | Source::Own(_) => self.page.prefix(),
            };
            return vec![Span::raw(" ".repeat(columns))];
        }
        let mut spans = Vec::new();
        if time > 0 {
            let style = if self.is_found {
                self.theme.found()
            } else {
                self.theme.dim()
            };
            let at = self.entry.at.strftime("%H:%M").to_string();
            spans.extend([Span::styled(at, style), Span::raw(" ")]);
        }
        let (who, style) = match &self.entry.source {
            Source::Notice => return spans,
            Source::Theirs => (self.peer, self.theme.theirs()),
            Source::Member { from, .. } if from == self.user => ("you", self.theme.own()),
            Source::Member { from, mentions_me } => {
                let theme = self.theme;
                let style = if *mentions_me {
                    theme.news()
                } else {
                    theme.theirs()
                };
                (from.as_str(), style)
            }
            Source::Own(_) => ("you", self.theme.own()),
        };
        let who = cut(who, name);
        let room = " ".repeat(name.saturating_sub(width(&who)) + 1);
        spans.extend([Span::styled(who, style), Span::raw(room)]);
        spans
    }

    /// Part of the text, with what is searched for.
    fn text(&self, range: &Range<usize>) -> Vec<Span<'_>> {
        let text = self.entry.text.as_str();
        let style = match self.entry.source {
            Source::Notice => self.theme.dim(),
            Source::Member {
                mentions_me: true, ..
            } => self.theme.strong(),
            Source::Theirs | Source::Member { .. } | Source::Own(_) => Style::new(),
        };
        let mut spans = Vec::new();
        let mut at = range.start;
        for hit in find_all(text, self.wanted) {
            let (start, end) = (hit.start.max(at), hit.end.min(range.end));
            if start < end {
                spans.push(Span::styled(&text[at..start], style));
                spans.push(Span::styled(&text[start..end], self.theme.found()));
                at = end;
            }
        }
        spans.push(Span::styled(&text[at.min(range.end)..range.end], style));
        spans
    }
}
