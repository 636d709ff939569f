//! Which part of the screen is for what.
//!
//! Owns the measures. Must not know what is shown.

use ratatui::layout::{Rect, Size};

/// From this width on, people and conversation stand side by side.
const WIDE_COLUMNS: u16 = 60;

/// What stands before the text that is being written.
pub const PROMPT: &str = "> ";

/// Which of the two parts is written to; on a narrow screen the other one is
/// not shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pane {
    /// Friends and invitations.
    People,
    /// A conversation.
    Talk,
}

/// The parts of the screen. One for which there is no room is empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Areas {
    /// Friends and invitations.
    pub people: Rect,
    /// The line beside them.
    pub divider: Rect,
    /// Whom the conversation is with.
    pub header: Rect,
    /// Its messages.
    pub talk: Rect,
    /// The line above what is being written: typing, notices.
    pub rule: Rect,
    /// What is being written.
    pub composer: Rect,
    /// The last line: how the session fares.
    pub status: Rect,
}

/// The columns for the text that is being written.
pub fn composer_columns(size: Size) -> usize {
    let columns = right(size).width;
    usize::from(columns).saturating_sub(PROMPT.len()).max(1)
}

/// Divides the screen; `wanted` rows are for what is being written, a third
/// of the screen at most.
pub fn areas(size: Size, pane: Pane, wanted: usize) -> Areas {
    let mut areas = Areas::default();
    let mut left = size.height;
    let mut take = |rows: u16, if_at_least: u16| {
        let taken = if left >= if_at_least {
            rows.min(left)
        } else {
            0
        };
        left -= taken;
        taken
    };
    let most = (size.height / 3).max(1);
    let composer = u16::try_from(wanted).unwrap_or(most).clamp(1, most);
    let composer = take(composer, 1);
    let status = take(1, 2);
    let rule = take(1, 4);
    let header = take(1, 3);
    let talk = left;
    let right = right(size);
    let part = |y: u16, height: u16| Rect { y, height, ..right };
    areas.header = part(0, header);
    areas.talk = part(header, talk);
    areas.rule = part(header + talk, rule);
    areas.composer = part(header + talk + rule, composer);
    let body = size.height - status;
    areas.status = Rect::new(0, body, size.width, status);
    if right.x > 0 {
        areas.people = Rect::new(0, 0, right.x - 1, body);
        areas.divider = Rect::new(right.x - 1, 0, 1, body);
    } else if pane == Pane::People {
        let status = areas.status;
        areas = Areas {
            people: Rect::new(0, 0, size.width, body),
            status,
            ..Areas::default()
        };
    }
    areas
}

/// The columns of the conversation.
fn right(size: Size) -> Rect {
    let x = if size.width < WIDE_COLUMNS {
        0
    } else {
        (size.width * 2 / 7).min(32) + 1
    };
    Rect::new(x, 0, size.width - x, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_never_overlap_nor_leave_the_screen() {
        for width in 0..100 {
            for height in 0..30 {
                for pane in [Pane::People, Pane::Talk] {
                    let size = Size::new(width, height);
                    let areas = areas(size, pane, 3);
                    let parts = [
                        areas.people,
                        areas.divider,
                        areas.header,
                        areas.talk,
                        areas.rule,
                        areas.composer,
                        areas.status,
                    ];
                    let cells: u32 = parts.iter().map(|part| part.area()).sum();
                    assert_eq!(cells, u32::from(width) * u32::from(height), "{size}");
                    for part in parts {
                        assert!(part.right() <= width && part.bottom() <= height);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_written_is_seen_on_the_smallest_screen() {
        let areas = areas(Size::new(1, 1), Pane::Talk, 5);
        assert_eq!(areas.composer, Rect::new(0, 0, 1, 1));
    }
}
