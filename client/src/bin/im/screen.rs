//! Where notices go: a terminal with a line being typed, or a pipe.

use std::io::{self, Write};

use rustyline::ExternalPrinter;

use crate::notice::Notice;
use crate::{friendly, plain};

/// Where notices go.
pub enum Screen {
    /// Above the line that is being typed.
    Keyboard(Box<dyn ExternalPrinter + Send>),
    /// Standard output, one event per line.
    Pipe,
}

impl Screen {
    /// Shows a notice. Fails when nobody reads any more.
    pub fn show(&mut self, notice: &Notice) -> io::Result<()> {
        match self {
            Self::Keyboard(printer) => {
                let Some(lines) = friendly::lines(notice) else {
                    return Ok(());
                };
                printer
                    .print(format!("{lines}\n"))
                    .map_err(io::Error::other)
            }
            Self::Pipe => writeln!(io::stdout().lock(), "{}", plain::line(notice)),
        }
    }

    /// Whether somebody sits before it.
    pub fn is_keyboard(&self) -> bool {
        matches!(self, Self::Keyboard(_))
    }
}

/// The terminal's own manner, put back when this goes: the line editor's is
/// left behind when the end comes while a line is being typed.
pub struct Manner(#[cfg(unix)] rustix::termios::Termios);

#[cfg(unix)]
impl Manner {
    /// As standard input's terminal is now.
    pub fn now() -> io::Result<Self> {
        Ok(Self(rustix::termios::tcgetattr(io::stdin())?))
    }
}

#[cfg(unix)]
impl Drop for Manner {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        // There is nobody left to tell.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(not(unix))]
impl Manner {
    /// Nothing is left behind here.
    pub fn now() -> io::Result<Self> {
        Ok(Self())
    }
}
