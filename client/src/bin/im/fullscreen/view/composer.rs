//! What is being written, or searched for.

use ratatui::Frame;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};

use super::{Theme, put};
use crate::fullscreen::app::{App, Mode};
use crate::fullscreen::layout::{PROMPT, Pane};
use crate::fullscreen::text::width;

/// Before what is searched for.
const SEARCH: &str = "search: ";

pub fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, theme: Theme) {
    if area.is_empty() {
        return;
    }
    if let Mode::Search(search) = &app.mode {
        let line = [
            Span::styled(SEARCH, theme.strong()),
            search.wanted.as_str().into(),
        ];
        put(frame, area, 0, Line::from(line.to_vec()));
        return place_cursor(frame, area, 0, SEARCH.len() + width(&search.wanted));
    }
    let columns = usize::from(area.width).saturating_sub(PROMPT.len()).max(1);
    let composer = &app.talk().composer;
    let (rows, cursor_row, within) = composer.shown(columns);
    let first = (cursor_row + 1).saturating_sub(area.height.into());
    let is_active = app.pane == Pane::Talk;
    let style = if is_active { theme.own() } else { theme.dim() };
    for (at, row) in (0..area.height).zip(rows.iter().skip(first)) {
        let is_first = usize::from(at) + first == 0;
        let prompt = if is_first { PROMPT } else { "  " };
        let line = Line::from(vec![Span::styled(prompt, style), Span::raw(*row)]);
        put(frame, area, at, line);
    }
    if is_active {
        let before = rows.get(cursor_row).and_then(|row| row.get(..within));
        let column = PROMPT.len() + before.map_or(0, width);
        let row = u16::try_from(cursor_row - first).unwrap_or_default();
        place_cursor(frame, area, row, column);
    }
}

fn place_cursor(frame: &mut Frame<'_>, area: Rect, row: u16, column: usize) {
    let column = u16::try_from(column).unwrap_or(u16::MAX);
    let x = area.x + column.min(area.width - 1);
    frame.set_cursor_position(Position::new(x, area.y + row));
}
