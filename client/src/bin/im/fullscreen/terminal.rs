//! The terminal: taken over, written to, and given back however this program
//! ends.
//!
//! Owns its modes. Must not know what is shown.

use std::io::{self, Stdout, Write, stdout};
use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange,
};
use crossterm::style::force_color_output;
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Size;

/// Whether the terminal is taken over. There is one, and a panic must find it.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal, taken over; dropped, it is given back.
pub struct Terminal {
    screen: ratatui::Terminal<CrosstermBackend<Stdout>>,
}

impl Terminal {
    /// Takes the terminal over. A panic gives it back before it tells why.
    pub fn take() -> io::Result<Self> {
        // Which colours there are the theme decides.
        force_color_output(true);
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
        let screen = ratatui::Terminal::new(CrosstermBackend::new(stdout()))?;
        let terminal = Self { screen };
        enter()?;
        Ok(terminal)
    }

    pub fn size(&self) -> io::Result<Size> {
        self.screen.size()
    }

    /// Draws a frame. Fails when the terminal is gone, or was given back
    /// because something broke.
    pub fn draw(&mut self, draw: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        if !IS_TAKEN.load(Ordering::SeqCst) {
            return Err(io::Error::other("a part of this program broke"));
        }
        self.screen.draw(draw).map(drop)
    }

    /// The next frame is written as a whole.
    pub fn forget(&mut self) -> io::Result<()> {
        self.screen.clear()
    }

    pub fn ring(&self) -> io::Result<()> {
        let mut out = stdout();
        out.write_all(b"\x07")?;
        out.flush()
    }

    /// Gives the terminal back, stands still until the shell wakes this
    /// program, and takes it over again.
    #[cfg(unix)]
    pub fn suspend(&mut self) -> io::Result<()> {
        use rustix::process::{Signal, getpid, kill_process};
        give_back();
        kill_process(getpid(), Signal::TSTP)?;
        enter()?;
        self.forget()
    }

    /// There is no such thing here.
    #[cfg(not(unix))]
    pub fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

fn enter() -> io::Result<()> {
    IS_TAKEN.store(true, Ordering::SeqCst);
    enable_raw_mode()?;
    execute!(
        stdout(),
        EnterAlternateScreen,
        EnableBracketedPaste,
        EnableFocusChange
    )
}

/// Once for each time that it was taken.
fn give_back() {
    if !IS_TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    // A terminal that is gone needs nothing.
    let _ = execute!(
        stdout(),
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    let _ = disable_raw_mode();
}
