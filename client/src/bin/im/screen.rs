//! Where notices go: a terminal with a line being typed, or a pipe.

use std::io::{self, Write};

use rustyline::ExternalPrinter;

use crate::notice::Notice;
use crate::{friendly, plain};

/// Where notices go.
pub enum Screen {
    /// Above the line that is being typed.
    Keyboard {
        printer: Box<dyn ExternalPrinter + Send>,
        manner: Manner,
    },
    /// A terminal without a line editor: its cursor cannot be moved, or nothing
    /// is typed any more.
    Terminal,
    /// Standard output, one event per line.
    Pipe,
}

impl Screen {
    /// Shows a notice. Fails when nobody reads any more.
    pub fn show(&mut self, notice: &Notice) -> io::Result<()> {
        if matches!(self, Self::Pipe) {
            return writeln!(io::stdout().lock(), "{}", plain::line(notice));
        }
        let Some(lines) = friendly::lines(notice) else {
            return Ok(());
        };
        match self {
            Self::Keyboard { printer, .. } => {
                let printed = printer.print(format!("{lines}\n"));
                printed.map_err(io::Error::other)
            }
            Self::Terminal | Self::Pipe => writeln!(io::stdout().lock(), "{lines}"),
        }
    }

    /// Nothing is typed any more. The line editor prints only while it runs:
    /// what is shown from now on would be lost there.
    pub fn end_typing(&mut self) -> io::Result<()> {
        if let Self::Keyboard { manner, .. } = self {
            manner.put_back();
            *self = Self::Terminal;
            // The half-typed line goes.
            write!(io::stdout().lock(), "\r\x1b[K")?;
        }
        Ok(())
    }

    /// Whether somebody sits before it.
    pub fn is_person(&self) -> bool {
        !matches!(self, Self::Pipe)
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

    fn put_back(&self) {
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

    fn put_back(&self) {}
}

impl Drop for Manner {
    fn drop(&mut self) {
        self.put_back();
    }
}
