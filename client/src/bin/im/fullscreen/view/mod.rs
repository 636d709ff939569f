//! The state as a frame.
//!
//! Owns how things look: words, signs, colours. Must not change the state.

mod composer;
mod help;
mod lines;
mod people;
mod talk;
mod theme;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line;

use super::app::{App, Mode, Now};
use super::text::cut;

pub use self::theme::Theme;

/// Draws the state as it is now.
pub fn draw(frame: &mut Frame<'_>, app: &App, now: Now, theme: Theme) {
    let areas = app.areas();
    let screen = frame.area();
    // A terminal may have shrunk since the state heard of its size.
    let fits = |area: Rect| area.intersection(screen);
    lines::status(frame, fits(areas.status), app, now, theme);
    if let Mode::Help(row) = app.mode {
        let body = Rect::new(0, 0, screen.width, screen.height.saturating_sub(1));
        help::draw(frame, body, row, theme);
        return;
    }
    people::draw(frame, fits(areas.people), app, now, theme);
    let divider = fits(areas.divider);
    for y in divider.top()..divider.bottom() {
        put(
            frame,
            divider,
            y - divider.y,
            Line::styled("│", theme.dim()),
        );
    }
    lines::header(frame, fits(areas.header), app, now, theme);
    talk::draw(frame, fits(areas.talk), app, theme);
    lines::rule(frame, fits(areas.rule), app, now, theme);
    composer::draw(frame, fits(areas.composer), app, theme);
}

/// Puts a line into a row of an area, if the area has that row.
fn put(frame: &mut Frame<'_>, area: Rect, row: u16, line: Line<'_>) {
    if row < area.height {
        let (x, y) = (area.x, area.y + row);
        frame.buffer_mut().set_line(x, y, &line, area.width);
    }
}

/// Puts a text at the right end of a row, cut to what is left beside `taken`
/// columns.
fn put_right(frame: &mut Frame<'_>, area: Rect, row: u16, taken: usize, text: &str, style: Style) {
    let room = usize::from(area.width).saturating_sub(taken);
    let text = cut(text, room);
    let columns = u16::try_from(super::text::width(&text)).unwrap_or(area.width);
    let area = Rect {
        x: area.right().saturating_sub(columns),
        width: columns.min(area.width),
        ..area
    };
    put(frame, area, row, Line::styled(text, style));
}

#[cfg(test)]
mod tests;
