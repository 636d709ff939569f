//! The colours: of the terminal's own sixteen, never a background, so that they
//! are readable on light and on dark.
//!
//! Owns which thing has which. Must not know where they are.

use client::Availability;
use ratatui::style::{Color, Modifier, Style};

/// Whether there are colours; without, what matters differs by sign, word and
/// weight alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    pub has_colours: bool,
}

impl Theme {
    fn colour(self, colour: Color) -> Style {
        if self.has_colours {
            Style::new().fg(colour)
        } else {
            Style::new()
        }
    }

    /// What is beside the point.
    pub fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// This user's name.
    pub fn own(self) -> Style {
        self.colour(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// Others' names.
    pub fn theirs(self) -> Style {
        self.colour(Color::Green).add_modifier(Modifier::BOLD)
    }

    /// What wants to be looked at.
    pub fn news(self) -> Style {
        self.colour(Color::Magenta).add_modifier(Modifier::BOLD)
    }

    pub fn trouble(self) -> Style {
        self.colour(Color::Red)
    }

    pub fn warning(self) -> Style {
        self.colour(Color::Yellow)
    }

    /// What was searched for.
    pub fn found(self) -> Style {
        let style = self.colour(Color::Yellow);
        style.add_modifier(Modifier::BOLD | Modifier::UNDERLINED)
    }

    /// The sign of somebody who is so.
    pub fn sign(self, availability: Availability) -> (&'static str, Style) {
        match availability {
            Availability::Online => ("●", self.colour(Color::Green)),
            Availability::Away => ("◐", self.colour(Color::Yellow)),
            Availability::Busy => ("■", self.colour(Color::Red)),
            Availability::Invisible | Availability::Offline => ("○", self.dim()),
        }
    }
}
