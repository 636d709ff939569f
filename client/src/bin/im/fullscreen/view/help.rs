//! The page of keys and commands.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::{Theme, put};
use crate::fullscreen::app::help::rows;

pub fn draw(frame: &mut Frame<'_>, area: Rect, first: usize, theme: Theme) {
    let rows = rows(area.width.into());
    for (at, row) in (0..area.height).zip(rows.iter().skip(first)) {
        let is_title = !row.is_empty() && !row.starts_with(' ');
        let style = if is_title {
            theme.strong()
        } else {
            Default::default()
        };
        put(frame, area, at, Line::styled(row.as_str(), style));
    }
}
